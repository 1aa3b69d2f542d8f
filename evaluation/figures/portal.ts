import path from "node:path";
import { benfordFit, firstDigitsOf } from "@cidadao/detectors/first-digit";
import { detectInFrame } from "@cidadao/detectors/run-detectors";
import { frameOf } from "@cidadao/detectors/frame/frame";
import { herfindahlIndex, median, medianAbsoluteDeviation, quantile, robustZ } from "@cidadao/detectors/statistics";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import { daysBetween } from "@cidadao/domain/dates";
import { cnpjRoot, parseCnpj } from "@cidadao/domain/tax-id";
import { readDataset, readJanuary2024 } from "../sample.ts";
import { type Figure, figure, fixed, reais } from "./figure.ts";
import { cents, day, readRows, type Row } from "./rows.ts";

type Contract = {
  method: string;
  agency: string;
  unit: string;
  number: string;
  supplier: string;
  initial: number;
  final: number;
  signed: string | null;
  published: string | null;
  starts: string | null;
  ends: string | null;
};

const LIMIT_2024_CENTS = 5_990_602;
const WORKS_LIMIT_2024_CENTS = 11_981_202;
const LIMIT_2023_CENTS = 5_720_833;
const VALUE_MIN_CENTS = 1_000;

/** The contracts published in January 2024, with items, amendments and the CEIS of 2020. */
export async function portalFigures(committed: string): Promise<Figure[]> {
  const folder = path.join(committed, "portal-compras-202401");
  const file = (name: string) => path.join(folder, name);
  const rows = (await readRows(file("202401_Compras.csv.gz"))).map(contractOf);
  const items = await readRows(file("202401_ItemCompra.csv.gz"));
  const amendments = await readRows(file("202401_TermoAditivo.csv.gz"));
  const values = rows.filter(({ initial }) => initial >= VALUE_MIN_CENTS);
  const valuesOf = (method: string) => values.filter((one) => one.method === method);
  return [
    ...countFigures(rows),
    ...valueFigures(rows, values),
    benfordFigure("Benford", values, "3782, 0.0104, 59.1"),
    figure("Benford: contagens de 1 a 9", "`firstDigitsOf`", [
      "1070, 600, 463, 351, 282, 318, 288, 199, 211",
      firstDigitsOf(Float64Array.from(values, ({ initial }) => initial)).counts.join(", "),
    ]),
    benfordFigure("Benford, SRP", valuesOf(SRP), "1023, 0.0084, 10.8"),
    benfordFigure("Benford, Pregão", valuesOf("Pregão"), "876, 0.0105, 10.7"),
    benfordFigure("Benford, Dispensa", valuesOf(WAIVED), "660, 0.0131, 10.7"),
    benfordFigure("Benford, Sem Informação", valuesOf("Sem Informação"), "910, 0.0403, 198.6"),
    ...outlierFigures(rows, values),
    ...waivedFigures(rows.filter(({ method }) => method === WAIVED)),
    ...dateFigures(rows),
    ...supplierFigures(rows),
    ...joinFigures(rows, items, amendments),
    ...(await readerFigures(committed)),
    ...(await sanctionFigures(committed, rows)),
  ];
}

const SRP = "Pregão - Registro de Preço";
const WAIVED = "Dispensa de Licitação";

function contractOf(row: Row): Contract {
  return {
    method: row("Modalidade Compra"),
    agency: row("Código Órgão"),
    unit: row("Código UG"),
    number: row("Número do Contrato"),
    supplier: row("Código Contratado"),
    initial: cents(row, "Valor Inicial Compra") ?? 0,
    final: cents(row, "Valor Final Compra") ?? 0,
    signed: day(row, "Data Assinatura Contrato"),
    published: day(row, "Data Publicação DOU"),
    starts: day(row, "Data Início Vigência"),
    ends: day(row, "Data Fim Vigência"),
  };
}

function countFigures(rows: Contract[]): Figure[] {
  const counts = Map.groupBy(rows, ({ method }) => method);
  const distinct = (of: (one: Contract) => string) => new Set(rows.map(of)).size;
  const prefixes = [SRP, "Sem Informação", "Pregão", WAIVED, "Inexigibilidade", "Tomada", "Concorrência", "Convite"];
  const countOf = (name: string) =>
    counts.get(name)?.length ?? rows.filter(({ method }) => method.startsWith(name)).length;
  return [
    figure("tamanho", "linhas do arquivo; órgãos; UGs; códigos de fornecedor", [
      "3810; 197; 893; 2603",
      `${rows.length}; ${distinct(({ agency }) => agency)}; ${distinct(({ unit }) => unit)}; ${distinct(({ supplier }) => supplier)}`,
    ]),
    figure("modalidades", "SRP; Sem Informação; Pregão; Dispensa; Inexigibilidade; Tomada; Concorrência; Convite", [
      "1036; 918; 881; 660; 181; 72; 60; 2",
      prefixes.map(countOf).join("; "),
    ]),
  ];
}

function valueFigures(rows: Contract[], values: Contract[]): Figure[] {
  const positive = rows.filter(({ initial }) => initial > 0);
  const ratios = positive.map(({ initial, final }) => final / initial).toSorted((a, b) => b - a);
  const amounts = values.map(({ initial }) => initial);
  const quantiles = [0.25, 0.5, 0.75, 0.99].map((p) => reais(quantile(amounts, p)!));
  const sum = rows.reduce((total, { initial }) => total + initial, 0);
  return [
    figure("valores pequenos", "valor inicial zero; abaixo de R$ 10", [
      "16; 28",
      `${rows.filter(({ initial }) => initial === 0).length}; ${rows.length - values.length}`,
    ]),
    figure("crescimento", "final > 1,25 × inicial; > 1,5 ×; final < inicial", [
      "37; 12; 61",
      `${ratios.filter((ratio) => ratio > 1.25).length}; ${ratios.filter((ratio) => ratio > 1.5).length}; ${rows.filter(({ initial, final }) => final < initial).length}`,
    ]),
    figure("maiores razões", "final ÷ inicial; a primeira é da classe de erro de dado", [
      "142.7; 4.93; 2.51; 2.20; 2.11; 2.00",
      ratios
        .slice(0, 6)
        .map((ratio) => (ratio >= 10 ? fixed(ratio, 1) : fixed(ratio, 2)))
        .join("; "),
    ]),
    figure("máximo e soma", "valor inicial", [
      "5.552.584.000,00; 16.828.199.444,46",
      `${reais(Math.max(...rows.map(({ initial }) => initial)))}; ${reais(sum)}`,
    ]),
    figure("Q1, mediana, Q3, p99", "`quantile` (tipo 8), valor inicial ≥ R$ 10", [
      "34.038,45; 136.968,40; 691.675,68; 40.512.867,67",
      quantiles.join("; "),
    ]),
  ];
}

function benfordFigure(name: string, values: Contract[], expected: string): Figure {
  const { counts, total } = firstDigitsOf(Float64Array.from(values, ({ initial }) => initial));
  const { mad, chiSquare } = benfordFit(counts);
  return figure(name, "N, MAD, χ² (`firstDigitsOf`, `benfordFit`)", [
    expected,
    `${total}, ${fixed(mad, 4)}, ${fixed(chiSquare, 1)}`,
  ]);
}

const ROBUST_Z_MAX = 3.5;

function outlierFigures(rows: Contract[], values: Contract[]): Figure[] {
  const all = robustScores(values);
  const byMethod = [...Map.groupBy(values, ({ method }) => method)]
    .filter(([, group]) => group.length >= 10)
    .map(([method, group]) => ({ method, count: robustScores(group).filter(isFar).length }));
  const countOf = (method: string) => byMethod.find((one) => one.method === method)?.count ?? 0;
  const amounts = rows.map(({ initial }) => initial);
  const mean = amounts.reduce((sum, amount) => sum + amount, 0) / amounts.length;
  const deviation = Math.sqrt(amounts.reduce((sum, amount) => sum + (amount - mean) ** 2, 0) / (amounts.length - 1));
  return [
    figure("z robusto, todos juntos", "`robustZ` de ln valor, acima de 3,5 em módulo; altos", [
      "5; 3",
      `${all.filter(isFar).length}; ${all.filter((z) => z > ROBUST_Z_MAX).length}`,
    ]),
    figure(
      "z robusto em cada modalidade",
      "modalidades com 10 ou mais: total (SRP, Sem Informação, Pregão, Dispensa)",
      [
        "23 (1, 19, 1, 2)",
        `${byMethod.reduce((sum, { count }) => sum + count, 0)} (${[SRP, "Sem Informação", "Pregão", WAIVED].map(countOf).join(", ")})`,
      ],
    ),
    figure("z simples > 3", "valores brutos", [5, amounts.filter((amount) => (amount - mean) / deviation > 3).length]),
  ];
}

function robustScores(group: Contract[]): number[] {
  const logs = group.map(({ initial }) => Math.log(initial));
  const [center, spread] = [median(logs)!, medianAbsoluteDeviation(logs)!];
  return logs.map((log) => robustZ(log, { center, spread }) ?? 0);
}

function isFar(z: number): boolean {
  return Math.abs(z) > ROBUST_Z_MAX;
}

function waivedFigures(waived: Contract[]): Figure[] {
  const within = waived.filter(({ initial }) => initial <= LIMIT_2024_CENTS).length;
  const bins = (limitOf: (one: Contract) => number | null) => {
    const shares = waived.flatMap((one) => {
      const limit = limitOf(one);
      return limit === null ? [] : [one.initial / limit];
    });
    const below = shares.filter((share) => share >= 0.9 && share <= 1).length;
    return `${below} / ${shares.filter((share) => share > 1 && share <= 1.1).length}`;
  };
  const byYear = ({ signed }: Contract) =>
    signed === null ? null : (directAwardThresholdOn(signed, "lei-14133")?.otherCents ?? null);
  const pairs = (group: Contract[]) =>
    [...Map.groupBy(group, ({ unit, supplier }) => `${unit}/${supplier}`).values()].filter(({ length }) => length >= 2);
  const companies = waived.filter(({ supplier }) => supplier.length === 14 && !supplier.includes("*"));
  const split = pairs(companies).filter(
    (group) =>
      group.every(({ initial }) => initial <= LIMIT_2024_CENTS) &&
      group.reduce((sum, { initial }) => sum + initial, 0) > LIMIT_2024_CENTS,
  );
  return [
    figure("dispensas e o limite", "≤ 59.906,02; acima; > 119.812,02", [
      "362; 298; 235",
      `${within}; ${waived.length - within}; ${waived.filter(({ initial }) => initial > WORKS_LIMIT_2024_CENTS).length}`,
    ]),
    figure("dispensas em [0,9T, T] e (T, 1,1T]", "T = 59.906,02; 57.208,33; 119.812,02; T do ano da assinatura", [
      "8 / 9; 3 / 12; 7 / 2; 7 / 10",
      [() => LIMIT_2024_CENTS, () => LIMIT_2023_CENTS, () => WORKS_LIMIT_2024_CENTS, byYear].map(bins).join("; "),
    ]),
    figure("pares UG e fornecedor com duas dispensas ou mais", "todos os códigos; só CNPJ", [
      "44; 42",
      `${pairs(waived).length}; ${pairs(companies).length}`,
    ]),
    figure("… todas ≤ 59.906,02 e soma acima", "só CNPJ", [0, split.length]),
  ];
}

/** The longest a year can be: a term that ends on its anniversary is no longer than its years. */
const YEAR_DAYS = 366;

function dateFigures(rows: Contract[]): Figure[] {
  const count = (isOdd: (one: Contract) => boolean) => rows.filter(isOdd).length;
  const before = (a: string | null, b: string | null) => a !== null && b !== null && a < b;
  const lags = rows.flatMap(({ signed, published }) => (signed && published ? [daysBetween(signed, published)] : []));
  const terms = rows.flatMap(({ starts, ends }) => (starts && ends ? [daysBetween(starts, ends) / YEAR_DAYS] : []));
  return [
    figure("datas trocadas", "fim < início; início < assinatura; publicação < assinatura", [
      "0; 1; 1",
      `${count((one) => before(one.ends, one.starts))}; ${count((one) => before(one.starts, one.signed))}; ${count((one) => before(one.published, one.signed))}`,
    ]),
    figure("atraso da publicação em dias corridos", "mediana; p90; máximo", [
      "6; 33; 3580",
      `${median(lags)}; ${fixed(quantile(lags, 0.9)!, 0)}; ${Math.max(...lags)}`,
    ]),
    figure("atraso da publicação", "> 20 dias; > 28; > 365", [
      "686; 463; 32",
      [20, 28, 365].map((days) => lags.filter((lag) => lag > days).length).join("; "),
    ]),
    figure(
      "prazo",
      `linhas com data de fim; > 5 anos; > 10 anos (de ${YEAR_DAYS} dias, para que o dia do aniversário caiba)`,
      [
        "3773; 11; 5",
        `${count(({ ends }) => ends !== null)}; ${terms.filter((years) => years > 5).length}; ${terms.filter((years) => years > 10).length}`,
      ],
    ),
  ];
}

function supplierFigures(rows: Contract[]): Figure[] {
  const agencies = [...Map.groupBy(rows, ({ agency }) => agency).values()].filter(({ length }) => length >= 10);
  const totals = agencies.map((group) =>
    [...Map.groupBy(group, ({ supplier }) => supplier).values()].map((own) =>
      own.reduce((sum, { initial }) => sum + initial, 0),
    ),
  );
  const sumOf = (amounts: number[]) => amounts.reduce((sum, amount) => sum + amount, 0);
  const codes = rows.map(({ supplier }) => supplier).filter((code) => code.length === 14 && !code.includes("*"));
  return [
    figure(
      "órgãos com 10 contratos ou mais",
      "todos; maior fornecedor ≥ 50 % do valor; HHI ≥ 2.500 (`herfindahlIndex`)",
      [
        "81; 31; 44",
        `${agencies.length}; ${totals.filter((amounts) => Math.max(...amounts) >= 0.5 * sumOf(amounts)).length}; ${totals.filter((amounts) => (herfindahlIndex(amounts) ?? 0) >= 2_500).length}`,
      ],
    ),
    figure("dígitos do CNPJ", "códigos de 14 caracteres válidos (`parseCnpj`)", [
      "3395 / 3395",
      `${codes.filter((code) => parseCnpj(code) !== null).length} / ${codes.length}`,
    ]),
    figure("fornecedores especiais", "pessoas físicas; sigilosos; códigos EX…", [
      "326; 74; 9",
      [/^\*/, /^-11$/, /^EX/].map((pattern) => rows.filter(({ supplier }) => pattern.test(supplier)).length).join("; "),
    ]),
  ];
}

function joinFigures(rows: Contract[], items: Row[], amendments: Row[]): Figure[] {
  const keys = Map.groupBy(rows, ({ unit, number }) => `${unit}/${number}`);
  const repeated = [...keys.values()].filter(({ length }) => length > 1);
  const keyOf = (row: Row) => `${row("Código UG")}/${row("Número Contrato")}`;
  const withItems = new Set(items.map(keyOf));
  return [
    figure("número e UG repetidos", "chaves; linhas a mais", [
      "12; 14",
      `${repeated.length}; ${repeated.reduce((sum, { length }) => sum + length - 1, 0)}`,
    ]),
    figure("itens", "ligados a um contrato; contratos (linhas) com itens", [
      "11989 de 11989; 3796",
      `${items.filter((row) => keys.has(keyOf(row))).length} de ${items.length}; ${[...keys.keys()].filter((key) => withItems.has(key)).length}`,
    ]),
    figure("termos aditivos", "ligados; o objeto diz “acrésc”", [
      "674 de 674; 171",
      `${amendments.filter((row) => keys.has(keyOf(row))).length} de ${amendments.length}; ${amendments.filter((row) => /acr[eé]sc/i.test(row("Objeto"))).length}`,
    ]),
  ];
}

async function readerFigures(committed: string): Promise<Figure[]> {
  const frame = frameOf(await readJanuary2024(committed));
  const { reports } = detectInFrame(frame, { detectors: ["contract-splitting", "threshold-bunching"] });
  const fired = (id: string) => reports.find(({ detector }) => detector === id)!.fired;
  return [
    figure(
      "nosso leitor",
      "contratos",
      [3808, frame.contracts.size],
      "3.810 linhas menos duas que se repetem por inteiro",
    ),
    figure("`contract-splitting`", "grupos apontados neste mês", [0, fired("contract-splitting")]),
    figure("`threshold-bunching`", "órgãos apontados neste mês", [0, fired("threshold-bunching")]),
  ];
}

async function sanctionFigures(committed: string, rows: Contract[]): Promise<Figure[]> {
  const list = path.join(committed, "sancoes", "ceis-2020-companies.csv.gz");
  const { sanctions } = await readDataset([], [list]);
  const companies = sanctions.filter(({ taxId, supplierKind }) => supplierKind === "company" && taxId !== null);
  const exact = new Map(companies.map((one) => [one.taxId!, one]));
  const roots = new Set(companies.map(({ taxId }) => cnpjRoot(taxId!)));
  const bought = rows.filter(({ supplier }) => parseCnpj(supplier) !== null);
  const matched = bought.filter(({ supplier }) => exact.has(supplier));
  const byRoot = bought.filter(({ supplier }) => roots.has(cnpjRoot(supplier)));
  const inForce = byRoot.filter(({ supplier, signed }) =>
    companies.some(
      ({ taxId, endsOn }) =>
        cnpjRoot(taxId!) === cnpjRoot(supplier) && endsOn !== null && signed !== null && endsOn >= signed,
    ),
  );
  const openEnded = byRoot.filter(({ supplier }) =>
    companies.some(({ taxId, endsOn }) => cnpjRoot(taxId!) === cnpjRoot(supplier) && endsOn === null),
  );
  return [
    figure("CEIS 2020, CNPJ exato", "fornecedores; contratos", [
      "15; 32",
      `${new Set(matched.map(({ supplier }) => supplier)).size}; ${matched.length}`,
    ]),
    figure("CEIS 2020, raiz do CNPJ", "raízes; contratos", [
      "17; 35",
      `${new Set(byRoot.map(({ supplier }) => cnpjRoot(supplier))).size}; ${byRoot.length}`,
    ]),
    figure(
      "… ainda vigentes na assinatura",
      "contratos cuja sanção tem fim igual ou posterior à assinatura",
      [0, inForce.length],
      `contratos com sanção sem data de fim na lista de 2020, que não diz se ela acabou: ${openEnded.length}`,
    ),
  ];
}
