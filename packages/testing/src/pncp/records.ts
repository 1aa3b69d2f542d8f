type Raw = Record<string, unknown>;

/** A record as the PNCP sends it, serialised once: a page is only joined text. */
export type PncpRecord = { json: string; day: string; cnpj: string; method: number | null };

/** The lists of the consulta API, each in the order in which it gives them. */
export type PncpRecords = {
  contracts: PncpRecord[];
  tenders: PncpRecord[];
  priceRegistrations: PncpRecord[];
  /** Bare lists and single records of both APIs, by the path below /v1. */
  details: Record<string, unknown[] | Raw>;
};

export const noRecords: PncpRecords = { contracts: [], tenders: [], priceRegistrations: [], details: {} };

/** Recorded answers, as if all of them had been published on one day. */
export function recordsOf(
  raw: { contracts?: Raw[]; tenders?: Raw[]; priceRegistrations?: Raw[] },
  day: string,
): PncpRecords {
  const read = (rows: Raw[] = []) => rows.map((row) => recordOf(row, day));
  return {
    contracts: read(raw.contracts),
    tenders: read(raw.tenders),
    priceRegistrations: read(raw.priceRegistrations),
    details: {},
  };
}

function recordOf(raw: Raw, day: string): PncpRecord {
  const entity = raw["orgaoEntidade"] as { cnpj?: string } | undefined;
  return {
    json: JSON.stringify(raw),
    day,
    cnpj: entity?.cnpj ?? (raw["cnpjOrgao"] as string | undefined) ?? "",
    method: typeof raw["modalidadeId"] === "number" ? raw["modalidadeId"] : null,
  };
}

const AGENCIES = 300;
const SUPPLIERS = 4_000;

/** So many contracts a day, each of its own; the same numbers give the same records. They are made up. */
export function generateContracts(options: { days: string[]; perDay: number }): PncpRecord[] {
  return options.days.flatMap((day, dayIndex) =>
    Array.from({ length: options.perDay }, (_, index) => {
      const number = dayIndex * options.perDay + index;
      const cnpj = cnpjOf(number % AGENCIES);
      return { json: JSON.stringify(contractRow(cnpj, number, day)), day, cnpj, method: null };
    }),
  );
}

function contractRow(cnpj: string, number: number, day: string): Raw {
  const year = Number(day.slice(0, 4));
  const value = 1_000 + (number % 9_973) * 10.5;
  return {
    numeroControlePNCP: `${cnpj}-2-${String(number + 1).padStart(6, "0")}/${year}`,
    numeroControlePncpCompra: `${cnpj}-1-${String(number + 1).padStart(6, "0")}/${year}`,
    anoContrato: year,
    sequencialContrato: number + 1,
    numeroContratoEmpenho: String(number + 1),
    tipoContrato: { id: 1, nome: "Contrato (termo inicial)" },
    categoriaProcesso: { id: 2, nome: "Compras" },
    objetoContrato: `Registro gerado ${number}: aquisição de material de expediente`,
    receita: false,
    dataAssinatura: day,
    dataVigenciaInicio: day,
    dataVigenciaFim: `${year + 1}${day.slice(4)}`,
    dataPublicacaoPncp: `${day}T00:30:04`,
    dataAtualizacaoGlobal: `${day}T00:30:04`,
    niFornecedor: cnpjOf(AGENCIES + (number % SUPPLIERS)),
    tipoPessoa: "PJ",
    nomeRazaoSocialFornecedor: `FORNECEDOR GERADO ${number % SUPPLIERS}`,
    orgaoEntidade: { cnpj, razaoSocial: `ÓRGÃO GERADO ${number % AGENCIES}`, poderId: "E", esferaId: "M" },
    unidadeOrgao: { codigoUnidade: "1", nomeUnidade: "Unidade gerada", ufSigla: "SP" },
    valorInicial: value,
    valorParcela: value,
    valorGlobal: value,
    numeroParcelas: 1,
  };
}

const WEIGHTS = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];

/** A CNPJ with right check digits. */
function cnpjOf(number: number): string {
  const root = `${String(10_000_000 + number)}0001`;
  const first = checkDigit(root);
  return `${root}${first}${checkDigit(`${root}${first}`)}`;
}

function checkDigit(digits: string): number {
  const weights = WEIGHTS.slice(WEIGHTS.length - digits.length);
  const rest = Array.from(digits).reduce((sum, digit, index) => sum + Number(digit) * weights[index]!, 0) % 11;
  return rest < 2 ? 0 : 11 - rest;
}
