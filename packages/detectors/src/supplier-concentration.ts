import { type Contract, type SupplierKind, supplierKinds } from "@cidadao/domain/contract";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import {
  defineDetector,
  excluded,
  fired,
  type FlagDescription,
  notComputable,
  notFired,
  NOT_FIRED,
  type Verdict,
} from "./define-detector.ts";
import { byRecordKey, contractRecord, fact, inForceOn, RECORDS_MAX } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import { type Contracts, supplierKindCodes } from "./frame/contracts.ts";
import { monthIndexOf, yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { firstRow, type RowGroups, splitGroups } from "./frame/group-rows.ts";
import { agencyGroupsOf, agencySellerGroupsOf } from "./market-groups.ts";
import { herfindahlIndex } from "./statistics.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { formatShare, plural } from "./text.ts";

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
  detect: ({ contracts }, params, answer) => {
    const markets = splitGroups(agencyGroupsOf(contracts), (row) => yearSeen(contracts, row));
    const pairs = splitGroups(agencySellerGroupsOf(contracts), (row) => yearSeen(contracts, row));
    const totals = marketTotals(contracts, markets, pairs);
    const idOf = (pair: number) => {
      const first = firstRow(pairs, pair);
      const year = yearSeen(contracts, first);
      return [
        contracts.supplierText(contracts.supplier[first]!),
        contracts.codeText(contracts.agency[first]!),
        year === UNDATED ? "sem-data" : year,
      ].join("/");
    };
    for (let pair = 0; pair < pairs.count; pair++) {
      const market = totals[markets.groupOf[firstRow(pairs, pair)]!]!;
      answer.groupOf({ groups: pairs, idOf }, pair, judge(contracts, { pairs, pair, market }, params));
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

type Market = {
  valueCents: Cents;
  contracts: number;
  suppliers: number;
  leftOutCents: Cents;
  /** Of each of its companies. */
  amounts: Cents[];
  /** A bit for each month of the year in which its contracts were signed, and one for no date of signature. */
  months: number;
};
type Seller = { pairs: RowGroups; pair: number; market: Market };
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

function judge(contracts: Contracts, seller: Seller, limits: Limits): Verdict {
  const { pairs, pair, market } = seller;
  const first = firstRow(pairs, pair);
  const kind = contracts.supplierKind[first]!;
  if (kind !== supplierKindCodes.company) return LEFT_OUT[kind]!;
  const year = yearSeen(contracts, first);
  if (year === UNDATED) return NO_DATE;
  const valueCents = sumOf(contracts, pairs, pair);
  if (valueCents === 0) return NO_VALUE;
  const isSmall =
    market.contracts < limits.contractsMin ||
    market.suppliers < limits.suppliersMin ||
    market.valueCents < limits.marketValueMinCents;
  if (isSmall) return SMALL_MARKET;
  const share = valueCents / market.valueCents;
  if (share < limits.shareMin || valueCents < limits.supplierValueMinCents) return NOT_FIRED;
  const rows = pairs.rowsOf(pair).filter((row) => contracts.initialValue[row]! > 0);
  if (rows.some((row) => isWithSupportFoundation(contracts, row))) return FOUNDATION;
  const own = Array.from(rows, contracts.at).sort(byRecordKey);
  if (own.length < limits.contractsOfSupplierMin) return ONE_CONTRACT;
  const waivedShare = shareOf(own, ({ directAwardKind }) => directAwardKind === "waived");
  return fired({
    strength: waivedShare >= limits.waivedShareMin ? 0.65 : monthsOf(market) >= WHOLE_YEAR_MONTHS ? 0.3 : 0.1,
    amountAtRiskCents: Math.round(valueCents - limits.shareMin * market.valueCents),
    pValue: null,
    describe: () => describe(market, { year, own, valueCents, share, waivedShare }, limits),
  });
}

function describe(
  market: Market,
  numbers: { year: number; own: Contract[]; valueCents: Cents; share: number; waivedShare: number },
  limits: Limits,
): FlagDescription {
  const { year, own, valueCents, share, waivedShare } = numbers;
  const first = own[0]!;
  return {
    subject: { kind: "supplier", label: `${first.supplierName} em ${first.agencyName}, ${year}` },
    reason:
      `O fornecedor responde por ${formatShare(share)} do valor contratado com empresas pelo órgão em ${year} ` +
      `(${formatBrl(valueCents)} de ${formatBrl(market.valueCents)}), em ` +
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
      fact("market_value", "Valor contratado com empresas pelo órgão", market.valueCents, "cents"),
      fact("share", "Participação", share, "share"),
      fact("share_min", "Participação a partir da qual se aponta", limits.shareMin, "share"),
      fact("supplier_contracts", "Contratos do fornecedor", own.length, "count"),
      fact("market_contracts", "Contratos do órgão com empresas", market.contracts, "count"),
      fact("market_months", "Meses do ano com contratos lidos", monthsOf(market), "count"),
      fact("market_suppliers", "Empresas contratadas", market.suppliers, "count"),
      fact(
        "hhi",
        "Índice de Herfindahl-Hirschman (0 a 10.000)",
        Math.round(herfindahlIndex(market.amounts) ?? 0),
        "count",
      ),
      fact("waived_share", "Parte do fornecedor por dispensa", waivedShare, "share"),
      fact(
        "direct_share",
        "Parte do fornecedor sem licitação",
        shareOf(own, ({ procurementMethod }) => procurementMethod === "direct"),
        "share",
      ),
      fact("left_out", "Valor do órgão com fornecedores fora da conta", market.leftOutCents, "cents"),
    ],
    records: own.slice(0, RECORDS_MAX).map(contractRecord),
    legalBasis: inForceOn(legalBasis, `${year}-12-31`),
  };
}

function marketTotals(contracts: Contracts, markets: RowGroups, pairs: RowGroups): Market[] {
  const totals = Array.from({ length: markets.count }, (): Market => {
    return { valueCents: 0, contracts: 0, suppliers: 0, leftOutCents: 0, amounts: [], months: 0 };
  });
  for (let pair = 0; pair < pairs.count; pair++) {
    const first = firstRow(pairs, pair);
    const market = totals[markets.groupOf[first]!]!;
    let valueCents = 0;
    for (let index = pairs.start[pair]!; index < pairs.start[pair + 1]!; index++) {
      const row = pairs.rows[index]!;
      const value = contracts.initialValue[row]!;
      if (!(value > 0)) continue;
      const day = contracts.signedOn[row]!;
      market.months |= 1 << (day === NONE ? UNSIGNED_BIT : monthIndexOf(day) % 12);
      valueCents += value;
      if (contracts.supplierKind[first] === supplierKindCodes.company) market.contracts++;
    }
    if (contracts.supplierKind[first] !== supplierKindCodes.company) {
      market.leftOutCents += valueCents;
      continue;
    }
    market.valueCents += valueCents;
    if (valueCents > 0) market.suppliers++;
    market.amounts.push(valueCents);
  }
  return totals;
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

/** Year of signature, else of publication. */
function yearSeen({ signedOn, publishedOn }: Contracts, row: number): number {
  const day = signedOn[row] === NONE ? publishedOn[row]! : signedOn[row]!;
  return day === NONE ? UNDATED : yearOf(day);
}

const UNDATED = 0;
/** A reading with contracts of fewer months of the year shows a part of it. */
const WHOLE_YEAR_MONTHS = 6;
function sumOf({ initialValue }: Contracts, { start, rows }: RowGroups, group: number): Cents {
  let sum = 0;
  for (let index = start[group]!; index < start[group + 1]!; index++) {
    const value = initialValue[rows[index]!]!;
    if (value > 0) sum += value;
  }
  return sum;
}

function monthsOf({ months }: Market): number {
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
