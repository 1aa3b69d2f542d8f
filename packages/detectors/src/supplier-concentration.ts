import { type Contract, type SupplierKind, supplierKinds } from "@cidadao/domain/contract";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { byRecordKey, contractRecord, fact, inForceOn, RECORDS_MAX } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import { codeText, contractAt, type Contracts, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { monthIndexOf, yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { firstRow, groupOfRows, groupRows, pairKey, type RowGroups, rowsOf, splitGroups } from "./frame/group-rows.ts";
import { agencySellerGroupsOf } from "./market-groups.ts";
import { herfindahlIndex } from "./statistics.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { formatShare, plural } from "./text.ts";
import { answerOneOf } from "./tally.ts";
import { excluded, fired, type FlagDescription, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 5º (competitividade)", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 3º, §1º, I", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const supplierConcentration = defineDetector({
  id: "supplier-concentration",
  version: 2,
  title: "Fornecedor concentra os contratos de um órgão",
  question: "Um só fornecedor recebe grande parte do valor que um órgão contrata no ano?",
  subjects: "trios órgão, fornecedor e ano de assinatura",
  method:
    "Participação s = valor contratado com o fornecedor ÷ valor contratado pelo órgão com todas as empresas, " +
    "por ano de assinatura. Dispara com s a partir de shareMin, ao menos contractsOfSupplierMin contratos e " +
    "supplierValueMinCents, em mercado com ao menos contractsMin contratos, suppliersMin fornecedores e " +
    "marketValueMinCents. Informa também o índice de Herfindahl-Hirschman (HHI) do mercado. Metade dos órgãos " +
    "concentra assim em um mês qualquer: a força da evidência é 0,3 (contexto), ou 0,1 quando os contratos lidos são de menos de " +
    "seis meses do ano, e só sobe, para 0,65, quando o " +
    "valor do fornecedor vem de dispensas na parte waivedShareMin ou mais.",
  legalBasis,
  references: ["OCP Red Flags R040, R050 e R051"],
  exclusions: [
    "Fornecedor sem CNPJ publicado: sigiloso, estrangeiro, órgão público, pessoa física ou código desconhecido.",
    "Fundação de apoio a universidade ou instituto, contratada com amparo na Lei 8.958/1994; conta no valor do órgão.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: [
    "Os contratos lidos representam o que o órgão contratou no ano; uma leitura parcial exagera a concentração.",
    "O mercado é o órgão inteiro, porque a fonte não classifica o objeto.",
    "Cada CNPJ é um fornecedor; filiais não são somadas.",
  ],
  innocentExplanations: [
    "Monopólio natural ou legal: energia, água, correios, passagens, combustível.",
    "Uma única obra ou projeto de grande porte.",
    "Unidade pequena, com poucos contratos no período.",
    "Parceria para o desenvolvimento produtivo ou outra dispensa prevista em lei própria.",
  ],
  needs: ["contracts"],
  requires: ["initialValue", "supplierTaxId"],
  concerns: ["supplier", "agency"],
  params: z.strictObject({
    shareMin: z.number().min(0).max(1).default(0.4).describe("participação mínima no valor do órgão"),
    contractsMin: z.int().min(2).default(10).describe("mínimo de contratos do órgão no ano"),
    suppliersMin: z.int().min(2).default(5).describe("mínimo de fornecedores do órgão no ano"),
    contractsOfSupplierMin: z.int().min(1).default(2).describe("mínimo de contratos do fornecedor"),
    marketValueMinCents: z.int().min(0).default(5_000_000).describe("valor mínimo do órgão no ano, em centavos"),
    supplierValueMinCents: z.int().min(0).default(1_000_000).describe("valor mínimo do fornecedor, em centavos"),
    waivedShareMin: z.number().min(0).max(1).default(0.5).describe("parte em dispensas que reforça o indício"),
  }),
  detect: ({ contracts }, params, tally) => {
    const years = yearsSeen(contracts);
    const pairs = splitGroups(agencySellerGroupsOf(contracts), years);
    const markets = readMarkets(contracts, pairs, years);
    const idOf = (pair: number) => {
      const first = firstRow(pairs, pair);
      const year = years[first]!;
      return [
        supplierText(contracts, contracts.supplier[first]!),
        codeText(contracts, contracts.agency[first]!),
        year === UNDATED ? "sem-data" : year,
      ].join("/");
    };
    for (let pair = 0; pair < pairs.count; pair++) {
      answerOneOf(tally, { groups: pairs, idOf }, pair, judge(contracts, markets, pair, params));
    }
  },
  examples: [
    {
      title: "aponta quem vende quase tudo por dispensa e deixa em paz os demais fornecedores do órgão",
      dataset: exampleDataset({
        contracts: [
          ...marketOf(8),
          ...[1, 2, 3].map((index) =>
            exampleContract(`d${index}`, {
              initialValueCents: 80_000_000,
              procurementMethod: "direct",
              procurementMethodDetails: "Dispensa de Licitação",
              directAwardKind: "waived",
            }),
          ),
          exampleContract("s1", { supplierKind: "secret", supplierTaxId: null, supplierId: "-11" }),
        ],
      }),
      flags: [`${EXAMPLE_CNPJS[0]}/26000/2024`],
      excluded: ["-11/26000/2024"],
    },
    {
      title: "não calcula em mercado pequeno demais",
      dataset: exampleDataset({
        contracts: [exampleContract("c1"), exampleContract("c2", { signedOn: "2023-05-01" })],
      }),
      flags: [],
      notComputable: [`${EXAMPLE_CNPJS[0]}/26000/2023`, `${EXAMPLE_CNPJS[0]}/26000/2024`],
    },
    {
      title: "não aponta um único contrato grande",
      dataset: exampleDataset({
        contracts: [...marketOf(12), exampleContract("obra", { initialValueCents: 9_000_000_000 })],
      }),
      flags: [],
    },
  ],
});

/** Agencies' years by number: what each bought, and of whom. */
type Markets = {
  /** By row. */
  years: Int32Array;
  /** A supplier in a market, and what it sold there. */
  pairs: RowGroups;
  soldCents: Float64Array;
  byMarket: RowGroups;
  /** Of companies alone, but for what is left out. */
  valueCents: Float64Array;
  contracts: Int32Array;
  suppliers: Int32Array;
  leftOutCents: Float64Array;
  /** A bit for each month of the year in which its contracts were signed, and one for no date of signature. */
  months: Int32Array;
};
type Limits = {
  shareMin: number;
  contractsMin: number;
  suppliersMin: number;
  contractsOfSupplierMin: number;
  marketValueMinCents: Cents;
  supplierValueMinCents: Cents;
  waivedShareMin: number;
};

const NO_VALUE = notComputable("nenhum contrato do fornecedor tem valor");
const NO_DATE = notComputable("contratos sem data");
const SMALL_MARKET = notComputable("mercado do órgão pequeno demais no ano");
const ONE_CONTRACT = notFired("participação alta, mas de um único contrato");
const FOUNDATION = excluded("fundação de apoio: concentração própria da Lei 8.958");

function judge(contracts: Contracts, markets: Markets, pair: number, limits: Limits): Verdict {
  const { pairs } = markets;
  const first = firstRow(pairs, pair);
  const kind = contracts.supplierKind[first]!;
  if (kind !== supplierKindCodes.company) return LEFT_OUT[kind]!;
  const year = markets.years[first]!;
  if (year === UNDATED) return NO_DATE;
  const market = groupOfRows(markets.byMarket)[pair]!;
  const valueCents = markets.soldCents[pair]!;
  if (valueCents === 0) return NO_VALUE;
  const isSmall =
    markets.contracts[market]! < limits.contractsMin ||
    markets.suppliers[market]! < limits.suppliersMin ||
    markets.valueCents[market]! < limits.marketValueMinCents;
  if (isSmall) return SMALL_MARKET;
  const marketCents = markets.valueCents[market]!;
  const share = valueCents / marketCents;
  if (share < limits.shareMin || valueCents < limits.supplierValueMinCents) return NOT_FIRED;
  const rows = rowsOf(pairs, pair).filter((row) => contracts.initialValue[row]! > 0);
  if (rows.some((row) => isWithSupportFoundation(contracts, row))) return FOUNDATION;
  const own = Array.from(rows, (row) => contractAt(contracts, row)).sort(byRecordKey);
  if (own.length < limits.contractsOfSupplierMin) return ONE_CONTRACT;
  const waivedShare = shareOf(own, ({ directAwardKind }) => directAwardKind === "waived");
  return fired({
    strength:
      waivedShare >= limits.waivedShareMin ? 0.65 : monthsOf(markets.months[market]!) >= WHOLE_YEAR_MONTHS ? 0.3 : 0.1,
    amountAtRiskCents: Math.round(valueCents - limits.shareMin * marketCents),
    pValue: null,
    describe: () => describe(contracts, markets, { market, year, own, valueCents, share, waivedShare }, limits),
  });
}

function describe(
  contracts: Contracts,
  markets: Markets,
  numbers: { market: number; year: number; own: Contract[]; valueCents: Cents; share: number; waivedShare: number },
  limits: Limits,
): FlagDescription {
  const { market, year, own, valueCents, share, waivedShare } = numbers;
  const marketCents = markets.valueCents[market]!;
  const first = own[0]!;
  return {
    subject: { kind: "supplier", label: `${first.supplierName} em ${first.agencyName}, ${year}` },
    reason:
      `O fornecedor responde por ${formatShare(share)} do valor contratado com empresas pelo órgão em ${year} ` +
      `(${formatBrl(valueCents)} de ${formatBrl(marketCents)}), em ` +
      `${plural(own.length, "contrato", "contratos")}; ${formatShare(waivedShare)} por dispensa.`,
    agencyCode: first.agencyCode,
    agencyName: first.agencyName,
    supplierTaxId: first.supplierTaxId,
    supplierName: first.supplierName,
    formula:
      "share = supplier_value / market_value; share ≥ share_min; " +
      "amount_beyond = supplier_value − share_min × market_value",
    facts: [
      fact("supplier_value", "Valor contratado com o fornecedor", valueCents, "cents"),
      fact("market_value", "Valor contratado com empresas pelo órgão", marketCents, "cents"),
      fact("share", "Participação", share, "share"),
      fact("share_min", "Participação a partir da qual se aponta", limits.shareMin, "share"),
      fact("supplier_contracts", "Contratos do fornecedor", own.length, "count"),
      fact("market_contracts", "Contratos do órgão com empresas", markets.contracts[market]!, "count"),
      fact("market_months", "Meses do ano com contratos lidos", monthsOf(markets.months[market]!), "count"),
      fact("market_suppliers", "Empresas contratadas", markets.suppliers[market]!, "count"),
      fact(
        "hhi",
        "Índice de Herfindahl-Hirschman (0 a 10.000)",
        Math.round(herfindahlIndex(amountsIn(contracts, markets, market)) ?? 0),
        "count",
      ),
      fact("waived_share", "Parte do fornecedor por dispensa", waivedShare, "share"),
      fact(
        "direct_share",
        "Parte do fornecedor sem licitação",
        shareOf(own, ({ procurementMethod }) => procurementMethod === "direct"),
        "share",
      ),
      fact("left_out", "Valor do órgão com fornecedores fora da conta", markets.leftOutCents[market]!, "cents"),
    ],
    records: own.slice(0, RECORDS_MAX).map(contractRecord),
    legalBasis: inForceOn(legalBasis, `${year}-12-31`),
  };
}

function readMarkets(contracts: Contracts, pairs: RowGroups, years: Int32Array): Markets {
  const { agency, supplierKind, signedOn, initialValue } = contracts;
  const keys = new Float64Array(pairs.count);
  for (let pair = 0; pair < pairs.count; pair++) {
    const first = firstRow(pairs, pair);
    keys[pair] = pairKey(agency[first]!, years[first]!);
  }
  const byMarket = groupRows(keys);
  const { count } = byMarket;
  const marketOf = groupOfRows(byMarket);
  const soldCents = new Float64Array(pairs.count);
  const [valueCents, leftOutCents] = [new Float64Array(count), new Float64Array(count)];
  const [sold, suppliers, months] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  for (let pair = 0; pair < pairs.count; pair++) {
    const market = marketOf[pair]!;
    let [sumCents, contractsSold, bits] = [0, 0, 0];
    for (let index = pairs.start[pair]!; index < pairs.start[pair + 1]!; index++) {
      const row = pairs.rows[index]!;
      const value = initialValue[row]!;
      if (!(value > 0)) continue;
      const day = signedOn[row]!;
      bits |= 1 << (day === NONE ? UNSIGNED_BIT : monthIndexOf(day) % 12);
      sumCents += value;
      contractsSold++;
    }
    soldCents[pair] = sumCents;
    months[market]! |= bits;
    if (supplierKind[firstRow(pairs, pair)] !== supplierKindCodes.company) {
      leftOutCents[market]! += sumCents;
      continue;
    }
    valueCents[market]! += sumCents;
    sold[market]! += contractsSold;
    if (sumCents > 0) suppliers[market]!++;
  }
  return { years, pairs, soldCents, byMarket, valueCents, contracts: sold, suppliers, leftOutCents, months };
}

/** What each company of a market sold. */
function amountsIn({ supplierKind }: Contracts, { pairs, soldCents, byMarket }: Markets, market: number): Cents[] {
  const isCompany = (pair: number) => supplierKind[firstRow(pairs, pair)] === supplierKindCodes.company;
  return Array.from(rowsOf(byMarket, market).filter(isCompany), (pair) => soldCents[pair]!);
}

/** The verdict for each kind of supplier that has no CNPJ, by code. */
const LEFT_OUT: readonly Verdict[] = [
  excluded("código de fornecedor desconhecido"),
  ...supplierKinds.map((kind) => excluded(reasonLeftOut(kind))),
];

function reasonLeftOut(supplierKind: SupplierKind): string {
  switch (supplierKind) {
    case "secret":
      return "fornecedor sob sigilo";
    case "foreign":
      return "fornecedor estrangeiro";
    case "public_body":
      return "fornecedor é órgão público";
    case "person":
      return "pessoa física";
    case "company":
    case "unknown":
      return "código de fornecedor desconhecido";
  }
}

/** By row: the year of signature, else of publication. */
function yearsSeen({ size, signedOn, publishedOn }: Contracts): Int32Array {
  const years = new Int32Array(size);
  for (let row = 0; row < size; row++) {
    const day = signedOn[row] === NONE ? publishedOn[row]! : signedOn[row]!;
    years[row] = day === NONE ? UNDATED : yearOf(day);
  }
  return years;
}

const UNDATED = 0;
/** A reading with contracts of fewer months of the year shows a part of it. */
const WHOLE_YEAR_MONTHS = 6;

function monthsOf(months: number): number {
  let count = 0;
  for (let bits = months; bits !== 0; bits &= bits - 1) count++;
  return count;
}

const UNSIGNED_BIT = 12;

function shareOf(contracts: Contract[], isCounted: (contract: Contract) => boolean): number {
  const total = (counted: Contract[]) => counted.reduce((sum, { initialValueCents }) => sum + initialValueCents!, 0);
  return total(contracts.filter(isCounted)) / total(contracts);
}

function marketOf(count: number): Contract[] {
  return Array.from({ length: count }, (_, index) => {
    const cnpj = EXAMPLE_CNPJS[1 + (index % 5)]!;
    return exampleContract(`m${index}`, { supplierId: cnpj, supplierTaxId: cnpj, initialValueCents: 10_000_000 });
  });
}
