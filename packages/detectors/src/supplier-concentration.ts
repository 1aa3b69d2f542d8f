import type { Contract } from "@cidadao/domain/contract";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector, excluded, fired, notComputable, notFired, type Verdict } from "./define-detector.ts";
import { contractRecord, fact, inForceOn, RECORDS_MAX, withoutRepublications } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import { herfindahlIndex } from "./statistics.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { formatShare, plural } from "./text.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 5º (competitividade)", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 3º, §1º, I", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const supplierConcentration = defineDetector({
  id: "supplier-concentration",
  version: 1,
  title: "Fornecedor concentra os contratos de um órgão",
  question: "Um só fornecedor recebe grande parte do valor que um órgão contrata no ano?",
  subjects: "trios órgão, fornecedor e ano de assinatura",
  method:
    "Participação s = valor contratado com o fornecedor ÷ valor contratado pelo órgão com todas as empresas, " +
    "por ano de assinatura. Dispara com s a partir de shareMin, ao menos contractsOfSupplierMin contratos e " +
    "supplierValueMinCents, em mercado com ao menos contractsMin contratos, suppliersMin fornecedores e " +
    "marketValueMinCents. Informa também o índice de Herfindahl-Hirschman (HHI) do mercado. Metade dos órgãos " +
    "concentra assim em um mês qualquer: a força da evidência é 0,3 (contexto) e só sobe, para 0,65, quando o " +
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
  params: z.strictObject({
    shareMin: z.number().min(0).max(1).default(0.4).describe("participação mínima no valor do órgão"),
    contractsMin: z.int().min(2).default(10).describe("mínimo de contratos do órgão no ano"),
    suppliersMin: z.int().min(2).default(5).describe("mínimo de fornecedores do órgão no ano"),
    contractsOfSupplierMin: z.int().min(1).default(2).describe("mínimo de contratos do fornecedor"),
    marketValueMinCents: z.int().min(0).default(5_000_000).describe("valor mínimo do órgão no ano, em centavos"),
    supplierValueMinCents: z.int().min(0).default(1_000_000).describe("valor mínimo do fornecedor, em centavos"),
    waivedShareMin: z.number().min(0).max(1).default(0.5).describe("parte em dispensas que reforça o indício"),
  }),
  detect: ({ contracts }, params) => {
    const verdicts: Verdict[] = [];
    const markets = Map.groupBy(
      withoutRepublications(contracts),
      ({ agencyCode, ...rest }) => `${agencyCode}/${yearOf(rest)}`,
    );
    for (const [marketKey, members] of markets) {
      const pairs = Map.groupBy(members, ({ supplierTaxId, supplierId }) => supplierTaxId ?? supplierId);
      const sellers = [...pairs]
        .filter(([, [first]]) => first!.supplierKind === "company")
        .map(([id, own]) => ({ id, contracts: own.filter(hasValue), valueCents: sumOf(own) }));
      const market: Market = {
        key: marketKey,
        valueCents: sellers.reduce((sum, { valueCents }) => sum + valueCents, 0),
        contracts: sellers.reduce((sum, seller) => sum + seller.contracts.length, 0),
        suppliers: sellers.filter(({ valueCents }) => valueCents > 0).length,
        leftOutCents: sumOf(members.filter(({ supplierKind }) => supplierKind !== "company")),
        index: herfindahlIndex(sellers.map(({ valueCents }) => valueCents)),
      };
      for (const [id, [first]] of pairs) {
        if (first!.supplierKind !== "company") verdicts.push(excluded(`${id}/${marketKey}`, reasonLeftOut(first!)));
      }
      for (const seller of sellers) {
        verdicts.push(
          marketKey.endsWith(UNDATED)
            ? notComputable(`${seller.id}/${marketKey}`, "contratos sem data")
            : judge(seller, market, params),
        );
      }
    }
    return verdicts;
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
  key: string;
  valueCents: Cents;
  contracts: number;
  suppliers: number;
  leftOutCents: Cents;
  index: number | null;
};
type Seller = { id: string; contracts: Contract[]; valueCents: Cents };
type Limits = {
  shareMin: number;
  contractsMin: number;
  suppliersMin: number;
  contractsOfSupplierMin: number;
  marketValueMinCents: Cents;
  supplierValueMinCents: Cents;
  waivedShareMin: number;
};

function judge(seller: Seller, market: Market, limits: Limits): Verdict {
  const id = `${seller.id}/${market.key}`;
  const first = seller.contracts[0];
  if (first === undefined) return notComputable(id, "nenhum contrato do fornecedor tem valor");
  if (seller.contracts.some(isWithSupportFoundation))
    return excluded(id, "fundação de apoio: concentração própria da Lei 8.958");
  const isSmall =
    market.contracts < limits.contractsMin ||
    market.suppliers < limits.suppliersMin ||
    market.valueCents < limits.marketValueMinCents;
  if (isSmall) return notComputable(id, "mercado do órgão pequeno demais no ano");
  const share = seller.valueCents / market.valueCents;
  if (share < limits.shareMin || seller.valueCents < limits.supplierValueMinCents) return notFired(id);
  if (seller.contracts.length < limits.contractsOfSupplierMin) {
    return notFired(id, "participação alta, mas de um único contrato");
  }
  const waivedCents = sumOf(seller.contracts.filter(({ directAwardKind }) => directAwardKind === "waived"));
  const directCents = sumOf(seller.contracts.filter(({ procurementMethod }) => procurementMethod === "direct"));
  const waivedShare = waivedCents / seller.valueCents;
  const isWaived = waivedShare >= limits.waivedShareMin;
  const year = market.key.slice(-4);
  return fired({
    subject: { kind: "supplier", id, label: `${first.supplierName} em ${first.agencyName}, ${year}` },
    reason:
      `O fornecedor responde por ${formatShare(share)} do valor contratado com empresas pelo órgão em ${year} ` +
      `(${formatBrl(seller.valueCents)} de ${formatBrl(market.valueCents)}), em ` +
      `${plural(seller.contracts.length, "contrato", "contratos")}; ${formatShare(waivedShare)} por dispensa.`,
    strength: isWaived ? 0.65 : 0.3,
    amountAtRiskCents: Math.round(seller.valueCents - limits.shareMin * market.valueCents),
    agencyCode: first.agencyCode,
    agencyName: first.agencyName,
    supplierTaxId: first.supplierTaxId,
    supplierName: first.supplierName,
    formula:
      "share = supplier_value / market_value; share ≥ share_min; " +
      "amount_beyond = supplier_value − share_min × market_value",
    facts: [
      fact("supplier_value", "Valor contratado com o fornecedor", seller.valueCents, "cents"),
      fact("market_value", "Valor contratado com empresas pelo órgão", market.valueCents, "cents"),
      fact("share", "Participação", share, "share"),
      fact("share_min", "Participação a partir da qual se aponta", limits.shareMin, "share"),
      fact("supplier_contracts", "Contratos do fornecedor", seller.contracts.length, "count"),
      fact("market_contracts", "Contratos do órgão com empresas", market.contracts, "count"),
      fact("market_suppliers", "Empresas contratadas", market.suppliers, "count"),
      fact("hhi", "Índice de Herfindahl-Hirschman (0 a 10.000)", Math.round(market.index ?? 0), "count"),
      fact("waived_share", "Parte do fornecedor por dispensa", waivedShare, "share"),
      fact("direct_share", "Parte do fornecedor sem licitação", directCents / seller.valueCents, "share"),
      fact("left_out", "Valor do órgão com fornecedores fora da conta", market.leftOutCents, "cents"),
    ],
    records: seller.contracts.slice(0, RECORDS_MAX).map(contractRecord),
    legalBasis: inForceOn(legalBasis, `${year}-12-31`),
  });
}

function reasonLeftOut({ supplierKind }: Contract): string {
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

function yearOf({ signedOn, publishedOn }: Pick<Contract, "signedOn" | "publishedOn">): string {
  return (signedOn ?? publishedOn)?.slice(0, 4) ?? UNDATED;
}

const UNDATED = "sem-data";

function hasValue({ initialValueCents }: Contract): boolean {
  return initialValueCents !== null && initialValueCents > 0;
}

function sumOf(contracts: Contract[]): Cents {
  return contracts.reduce((sum, { initialValueCents }) => sum + Math.max(0, initialValueCents ?? 0), 0);
}

function marketOf(count: number): Contract[] {
  return Array.from({ length: count }, (_, index) => {
    const cnpj = EXAMPLE_CNPJS[1 + (index % 5)]!;
    return exampleContract(`m${index}`, { supplierId: cnpj, supplierTaxId: cnpj, initialValueCents: 10_000_000 });
  });
}
