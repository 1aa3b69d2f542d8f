import { safeText } from "../reading.ts";
import { canonical } from "./canonical.ts";
import { comprasgovContratos } from "./comprasgov-contratos.ts";
import { comprasgovDispensas } from "./comprasgov-dispensas.ts";
import type { FileFormat } from "./define-file-format.ts";
import { licitaconContratos } from "./licitacon-contratos.ts";
import { ocds } from "./ocds.ts";
import { pncpContratacoes } from "./pncp-contratacoes.ts";
import { pncpContratos } from "./pncp-contratos.ts";
import { portalCompras } from "./portal-compras.ts";
import { portalLicitacoes } from "./portal-licitacoes.ts";

/** Every format of a file of contracts, in alphabetical order. */
export const fileFormats = [
  canonical,
  comprasgovContratos,
  comprasgovDispensas,
  licitaconContratos,
  ocds,
  pncpContratacoes,
  pncpContratos,
  portalCompras,
  portalLicitacoes,
] as const;

export type FileFormatId = (typeof fileFormats)[number]["id"];

export function findFormat(id: string): FileFormat | null {
  return fileFormats.find((format) => format.id === id) ?? null;
}

export type Sniff = { format: FileFormat } | { reason: string };

const SEEN_CHARS_MAX = 160;

/** The one format that the first lines look like, or what was seen and what to do about it, in Portuguese. */
export function sniff(head: string): Sniff {
  const found = fileFormats.filter((format) => format.recognises(head));
  if (found.length === 1) return { format: found[0]! };
  const ids = (found.length === 0 ? fileFormats : found).map((format) => format.id).join(", ");
  if (head.startsWith("PK")) return { reason: "é um zip dentro de outro, ou lido de um pipe: descompacte-o antes" };
  const first = head.trimStart().split(/\r?\n/, 1)[0]!.slice(0, SEEN_CHARS_MAX);
  const problem = found.length === 0 ? "formato não reconhecido" : "mais de um formato possível";
  return { reason: `${problem}; começa com «${printable(first)}». Informe o formato: ${ids}` };
}

function printable(text: string): string {
  return safeText(text.replace(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, "·"));
}
