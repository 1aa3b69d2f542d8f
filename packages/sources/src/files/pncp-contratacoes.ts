import { PNCP, pncpTenderPage } from "../pncp/buyer.ts";
import { tenderIdOf, tenderOf, tenderWire } from "../pncp/tender.ts";
import {
  type Batch,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import { readEachRecord } from "./read-each-record.ts";
import { seenRecords } from "./seen.ts";

export const pncpContratacoes = defineFileFormat({
  id: "pncp-contratacoes",
  title: "Contratações do PNCP (JSON)",
  description:
    "Respostas de /v1/contratacoes/publicacao ou /atualizacao da API de consulta do PNCP " +
    "(https://pncp.gov.br/api/consulta): processos, com valor estimado e homologado e sem fornecedor.",
  attribution: "Portal Nacional de Contratações Públicas (PNCP), contratações",
  recognises: (head) =>
    head.includes('"modalidadeId"') &&
    /"(?:numeroControlePNCP|sequencialCompra)"/.test(head) &&
    !head.includes('"niFornecedor"'),
  read,
});

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const isUnseen = seenRecords();
  return readEachRecord(files, ({ line, value }, { file, complain, out }) => {
    const wire = tenderWire.safeParse(value).data;
    const id = wire === undefined ? null : tenderIdOf(wire);
    if (wire === undefined || id === null) {
      complain("unusable-record", { line, reason: "no control number, or not the fields of a procurement" });
    } else if (isNew(isUnseen(id, JSON.stringify(value)), line, complain)) {
      const url = pncpTenderPage(id)!;
      const provenance = provenanceOf(context, file, { source: PNCP, sourceId: id, url });
      out.batch.contracts.push({ provenance, ...tenderOf(rowFields(id, line, complain), wire) });
    }
  });
}
