import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TextDecoder } from "node:util";
import { gunzipSync } from "node:zlib";
import { parse } from "csv-parse/sync";

/** Rows as the API sends them, serialised once: a page is only joined text. */
type ContractRow = { json: string; id: number; startsOn: string; endsOn: string };
type SanctionRow = { json: string; code: string; name: string; body: string };
type AgencyRow = { json: string; code: string; name: string };

export type Sample = {
  contractsByAgency(code: string): ContractRow[];
  contractsBySupplier(code: string): ContractRow[];
  contractsByNumber(number: string): ContractRow[];
  contract(id: number): ContractRow | undefined;
  items(contractId: number): string[];
  amendments(contractId: number): string[];
  sanctions(list: "ceis" | "cnep"): SanctionRow[];
  sanctionsByCode(list: "ceis" | "cnep", code: string): SanctionRow[];
  agencies(): AgencyRow[];
  /** CSV rows left out because they could not be read, so far. */
  skippedRows(): number;
};

/** The bulk file has no ids; the portal's own are far below this. */
const CONTRACT_ID_MIN = 900_000_000;
const SANCTION_ID_MIN = 910_000_000;
const COMPRAS = "portal-compras-202401/202401_";

/** Opens nothing until it is asked; each file is then read once. */
export function openSample(dataFolder: string): Sample {
  let skipped = 0;
  const read = (file: string, format: CsvFormat) => {
    const table = readCsv(join(dataFolder, file), format);
    skipped += table.skipped;
    return table.rows;
  };
  const contracts = lazily(() => loadContracts(read(`${COMPRAS}Compras.csv.gz`, PORTAL_CSV)));
  const items = lazily(() => {
    const rows = read(`${COMPRAS}ItemCompra.csv.gz`, PORTAL_CSV);
    return groupDetails(rows, contracts().idByKey, itemJson);
  });
  const amendments = lazily(() => {
    const rows = read(`${COMPRAS}TermoAditivo.csv.gz`, PORTAL_CSV);
    return groupDetails(rows, contracts().idByKey, amendmentJson);
  });
  const ceis = lazily(() => indexSanctions(read("sancoes/ceis-2020-companies.csv.gz", CEIS_CSV).map(ceisRow)));
  const cnep = lazily(() => indexSanctions(readRecorded(join(dataFolder, "sancoes/cnep-recorded.json"))));
  const listOf = (list: "ceis" | "cnep") => (list === "ceis" ? ceis() : cnep());

  return {
    contractsByAgency: (code) => contracts().byAgency.get(code) ?? [],
    contractsBySupplier: (code) => contracts().bySupplier.get(digitsOf(code)) ?? [],
    contractsByNumber: (number) => contracts().byNumber.get(number) ?? [],
    contract: (id) => contracts().rows[id - CONTRACT_ID_MIN],
    items: (contractId) => items().get(contractId) ?? [],
    amendments: (contractId) => amendments().get(contractId) ?? [],
    sanctions: (list) => listOf(list).rows,
    sanctionsByCode: (list, code) => listOf(list).byCode.get(digitsOf(code)) ?? [],
    agencies: () => contracts().agencies,
    skippedRows: () => skipped,
  };
}

type Row = Record<string, string>;

function loadContracts(source: Row[]) {
  const rows: ContractRow[] = [];
  const byAgency = new Map<string, ContractRow[]>();
  const bySupplier = new Map<string, ContractRow[]>();
  const byNumber = new Map<string, ContractRow[]>();
  const agencyNames = new Map<string, string>();
  const idByKey = new Map<string, number | null>();
  for (const row of source) {
    const id = CONTRACT_ID_MIN + rows.length;
    const contract = contractRow(row, id);
    rows.push(contract);
    append(byAgency, row["Código Órgão"]!, contract);
    append(bySupplier, digitsOf(row["Código Contratado"]!), contract);
    append(byNumber, row["Número do Contrato"]!, contract);
    agencyNames.set(row["Código Órgão"]!, row["Nome Órgão"]!);
    // Two contracts of one unit may share a number; what the file says of "the" contract is then of neither.
    const key = keyOf(row["Código UG"], row["Número do Contrato"]);
    idByKey.set(key, idByKey.has(key) ? null : id);
  }
  const agencies = [...agencyNames]
    .map(([code, name]) => ({ code, name, json: JSON.stringify({ codigo: code, descricao: name }) }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
  return { rows, byAgency, bySupplier, byNumber, agencies, idByKey };
}

function contractRow(row: Row, id: number): ContractRow {
  const startsOn = isoDate(row["Data Início Vigência"]!);
  const endsOn = isoDate(row["Data Fim Vigência"]!);
  const agency = { codigoSIAFI: row["Código Órgão"], cnpj: "", sigla: "", nome: row["Nome Órgão"] };
  const parent = { codigo: row["Código Órgão Superior"], sigla: "", nome: row["Nome Órgão Superior"] };
  const unit = (codigo: string | undefined, nome: string | undefined) => ({
    codigo,
    nome,
    descricaoPoder: "EXECUTIVO",
    orgaoVinculado: agency,
    orgaoMaximo: parent,
  });
  const json = JSON.stringify({
    id,
    numero: row["Número do Contrato"],
    objeto: row["Objeto"],
    // The portal never fills it here.
    numeroProcesso: "Sem informação",
    fundamentoLegal: row["Fundamento Legal"],
    compra: { numero: row["Número Licitação"], objeto: row["Objeto"], numeroProcesso: null, contatoResponsavel: null },
    situacaoContrato: row["Situação Contrato"],
    modalidadeCompra: row["Modalidade Compra"],
    unidadeGestora: unit(row["Código UG"], row["Nome UG"]),
    unidadeGestoraCompras: unit(row["Código UG Licitação"], row["Nome UG Licitação"]),
    dataAssinatura: isoDate(row["Data Assinatura Contrato"]!) || null,
    dataPublicacaoDOU: isoDate(row["Data Publicação DOU"]!) || null,
    dataInicioVigencia: startsOn || null,
    dataFimVigencia: endsOn || null,
    fornecedor: personOf(row["Código Contratado"]!, row["Nome Contratado"]!),
    valorInicialCompra: reaisOf(row["Valor Inicial Compra"]!),
    valorFinalCompra: reaisOf(row["Valor Final Compra"]!),
  });
  return { json, id, startsOn, endsOn };
}

/** Codes that are neither CPF nor CNPJ (foreign, public body, "-11") have no field of their own in the API. */
function personOf(code: string, nome: string) {
  const isPerson = code.startsWith("***");
  const isCompany = /^\d{14}$/.test(code);
  return {
    id: null,
    cpfFormatado: isPerson ? code : "",
    cnpjFormatado: isPerson ? "" : isCompany ? punctuated(code) : code,
    numeroInscricaoSocial: "",
    nome,
    razaoSocialReceita: isCompany ? nome : "",
    nomeFantasiaReceita: "",
    tipo: isPerson ? "Pessoa Física" : isCompany ? "Pessoa Jurídica" : "",
  };
}

function itemJson(row: Row): string {
  return JSON.stringify({
    numero: row["Código Item Compra"],
    descricao: row["Descrição Item Compra"],
    quantidade: Number(row["Quantidade Item"]),
    valor: withThousands(row["Valor Item"]!),
    descComplementarItemCompra: row["Descrição Complementar Item Compra"],
  });
}

function amendmentJson(row: Row): string {
  return JSON.stringify({
    numero: row["Número Termo Aditivo"],
    dataPublicacao: row["Data Publicação"] || "Sem informação",
    objetoAditivo: row["Objeto"],
  });
}

function groupDetails(rows: Row[], idByKey: Map<string, number | null>, toJson: (row: Row) => string) {
  const groups = new Map<number, string[]>();
  for (const row of rows) {
    const id = idByKey.get(keyOf(row["Código UG"], row["Número Contrato"]));
    if (id !== null && id !== undefined) append(groups, id, toJson(row));
  }
  return groups;
}

function ceisRow(row: Row, index: number): SanctionRow {
  const unknown = "Sem informação";
  const [code, nome] = [row["cnpjcpf"]!, row["nome"]!];
  const json = JSON.stringify({
    id: SANCTION_ID_MIN + index,
    dataReferencia: unknown,
    dataInicioSancao: unknown,
    dataFimSancao: row["data_final"] || unknown,
    dataPublicacaoSancao: unknown,
    dataTransitadoJulgado: unknown,
    dataOrigemInformacao: unknown,
    tipoSancao: { descricaoResumida: row["tipo"], descricaoPortal: row["tipo"] },
    fonteSancao: { nomeExibicao: row["nome_do_orgao"], telefoneContato: "", enderecoContato: "" },
    fundamentacao: [],
    orgaoSancionador: { nome: row["nome_do_orgao"], siglaUf: row["uf"], poder: "", esfera: "" },
    sancionado: { nome, codigoFormatado: code },
    pessoa: { ...personOf(digitsOf(code), nome), tipo: "" },
    textoPublicacao: unknown,
    linkPublicacao: "",
    detalhamentoPublicacao: "",
    numeroProcesso: unknown,
    abrangenciaDefinidaDecisaoJudicial: unknown,
    informacoesAdicionaisDoOrgaoSancionador: "",
  });
  return { json, code: digitsOf(code), name: nome.toUpperCase(), body: row["nome_do_orgao"]!.toUpperCase() };
}

type RecordedSanction = {
  sancionado: { nome: string; codigoFormatado: string };
  orgaoSancionador: { nome: string };
};

function readRecorded(file: string): SanctionRow[] {
  const recorded = JSON.parse(readFileSync(file, "utf8")) as RecordedSanction[];
  return recorded.map((row) => ({
    json: JSON.stringify(row),
    code: digitsOf(row.sancionado.codigoFormatado),
    name: row.sancionado.nome.toUpperCase(),
    body: row.orgaoSancionador.nome.toUpperCase(),
  }));
}

function indexSanctions(rows: SanctionRow[]) {
  const byCode = new Map<string, SanctionRow[]>();
  for (const row of rows) append(byCode, row.code, row);
  return { rows, byCode };
}

type CsvFormat = { charset: string; delimiter: string };
const PORTAL_CSV: CsvFormat = { charset: "windows-1252", delimiter: ";" };
const CEIS_CSV: CsvFormat = { charset: "utf-8", delimiter: "," };

/** A row with the wrong number of fields or a broken quote is left out and counted. */
function readCsv(file: string, format: CsvFormat): { rows: Row[]; skipped: number } {
  const text = new TextDecoder(format.charset).decode(gunzipSync(readFileSync(file)));
  let skipped = 0;
  // Records never span lines in these files, so a broken quote must not swallow the lines after it.
  const lines = text.split(/\r?\n/).filter((line, index) => {
    const isWhole = line.trim() !== "" && line.split('"').length % 2 === 1;
    if (!isWhole && line.trim() !== "" && index > 0) skipped++;
    return isWhole;
  });
  const rows: Row[] = parse(lines.join("\n"), {
    columns: true,
    bom: true,
    delimiter: format.delimiter,
    skip_records_with_error: true,
    on_skip: () => {
      skipped++;
      return undefined;
    },
  });
  return { rows, skipped };
}

function lazily<Value>(load: () => Value): () => Value {
  let loaded: { value: Value } | null = null;
  return () => (loaded ??= { value: load() }).value;
}

function append<Key, Value>(groups: Map<Key, Value[]>, key: Key, value: Value): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

function keyOf(unit: string | undefined, number: string | undefined): string {
  return `${unit}/${number}`;
}

export function digitsOf(code: string): string {
  return code.replaceAll(/[.\-/\s]/g, "").toUpperCase();
}

function punctuated(cnpj: string): string {
  return `${cnpj.slice(0, 2)}.${cnpj.slice(2, 5)}.${cnpj.slice(5, 8)}/${cnpj.slice(8, 12)}-${cnpj.slice(12)}`;
}

/** "31/01/2024" → "2024-01-31"; anything else → "". */
export function isoDate(text: string): string {
  const match = /^(\d{2})\/(\d{2})\/(\d{4})$/.exec(text);
  return match ? `${match[3]}-${match[2]}-${match[1]}` : "";
}

/** "2588,9700" → 2588.97, the JSON number of the API. */
function reaisOf(text: string): number {
  return Math.round(Number(text.replace(",", ".")) * 100) / 100;
}

/** "8044,26" → "8.044,26", the text of the API. */
function withThousands(text: string): string {
  const [whole = "", decimals] = text.split(",");
  const grouped = whole.replaceAll(/\B(?=(\d{3})+(?!\d))/g, ".");
  return decimals === undefined ? grouped : `${grouped},${decimals}`;
}
