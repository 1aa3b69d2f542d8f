import { parseCnpj, formatCnpj } from "@cidadao/domain/tax-id";
import type { Sanction } from "@cidadao/domain/sanction";
import { AppError } from "@cidadao/runtime/errors";
import { defineSource, type IngestScope, type Position, type SourcePage } from "../define-source.ts";
import { askByOffset, listNamed } from "../offset-pages.ts";
import { ask, type Door, openDoor, uncached } from "../outbound.ts";
import { readPages } from "../read-rows.ts";
import { tcuConfig } from "./config.ts";
import { debarredWire, readDebarred, TCU } from "./wire.ts";

type TcuContext = { door: Door };

const PATH = "/condenacao/consulta/inidoneos";
/** The most that the server gives at once. */
const PAGE_ROWS = 500;
const rowsIn = (body: unknown) => listNamed(body, ["items"]);

/** All, or those of one company: the court compares texts, and writes a CNPJ with its punctuation. */
function debarred(
  { door }: TcuContext,
  cnpj: string | null,
  from: Position | null,
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Sanction>, void, void> {
  const params = cnpj === null ? {} : { q: JSON.stringify({ cpf_cnpj: formatCnpj(cnpj) }) };
  const pageParams = (offset: number, limit: number) => ({ offset, limit });
  return readPages(
    askByOffset(door, { path: PATH, params, size: PAGE_ROWS, pageParams, rowsIn }, from, signal),
    readDebarred(),
  );
}

function debarredSlices({ company }: IngestScope) {
  const cnpj = company === undefined ? null : parseCnpj(company);
  if (company !== undefined && cnpj === null)
    throw new AppError("invalid_request", "name a company by its CNPJ, or nobody");
  return [
    {
      name: `inidoneos ${cnpj ?? "*"}`,
      what: cnpj === null ? "lista de inidôneos do TCU" : `inidoneidade de ${formatCnpj(cnpj)} no TCU`,
      lastDay: null,
      pages: (context: TcuContext, from: Position | null, signal: AbortSignal) => debarred(context, cnpj, from, signal),
    },
  ];
}

export const tcu = defineSource({
  id: TCU,
  name: "TCU",
  publisher: "Tribunal de Contas da União (TCU)",
  homepage: "https://contas.tcu.gov.br",
  attribution: "TCU, licitantes inidôneos",
  licence: "Dados públicos, uso livre com citação da fonte",
  coverage: { spheres: ["federal"], states: "all" },
  cadence: "diária",
  config: tcuConfig,
  baseUrls: ["TCU_URL"],
  perMinute: "TCU_PER_MINUTE",
  needs: [],
  auth: "ninguém precisa se identificar",
  described: {
    by: "public notes of those who ask it: the filter, the fields of an item, and 90 to 94 companies in 2026",
    lacks: "people barred from office (inabilitados) and accounts judged irregular, which bar nobody from contracting",
  },
  open: (config, outbound): TcuContext => ({
    door: openDoor(outbound, {
      source: TCU,
      name: "TCU",
      baseUrl: config.TCU_URL,
      rate: { perMinute: config.TCU_PER_MINUTE },
      callsAtOnce: 1,
    }),
  }),
  probeRecordsMin: 1,
  async probe({ door }, signal) {
    const { body } = await ask(uncached(door), { path: PATH, params: { offset: 0, limit: 1 } }, signal);
    return { records: rowsIn(body)?.length ?? 0, sample: null };
  },
  resources: {
    debarred: {
      title: "Licitantes declarados inidôneos, todos ou de um CNPJ (`--company`); valem para compras federais",
      path: PATH,
      kind: "sanctions",
      cadence: "diária",
      wire: debarredWire,
      read: readDebarred(),
      slices: debarredSlices,
    },
  },
  fixtures: ["derived-inidoneos.json"],
});
