import { AppError } from "@cidadao/runtime/errors";
import { defineFileFormat } from "./define-file-format.ts";

/** Known here so that it is recognised; its reader does not give canonical records. */
export const ocds = defineFileFormat({
  id: "ocds",
  title: "Open Contracting Data Standard (JSON)",
  description: "Releases ou records OCDS, um por linha ou em um pacote.",
  attribution: "Publicador dos dados OCDS",
  recognises: (head) => head.includes('"ocid"'),
  // oxlint-disable-next-line require-yield
  async *read() {
    throw new AppError("invalid_request", "Arquivos OCDS não são lidos como registros; use o comando próprio de OCDS.");
  },
});
