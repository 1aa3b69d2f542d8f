import type { Contract, ContractItem } from "@cidadao/domain/contract";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { recordKey } from "@cidadao/domain/provenance";
import { z } from "zod";
import { defineDetector, excluded, fired, notComputable, notFired, type Verdict } from "./define-detector.ts";
import {
  byRecordKey,
  contractKeyOf,
  contractRecord,
  contractSubject,
  fact,
  inForceOn,
  itemRecord,
  partiesOf,
} from "./evidence.ts";
import { exampleContract, exampleDataset, exampleItem, exampleKey, examplePeers } from "./examples.ts";
import { clamp } from "./score.ts";
import { median, medianAbsoluteDeviation, quantile, robustZ } from "./statistics.ts";
import { fold, formatDecimal, isWithheld } from "./text.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 11, III, e 23", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "arts. 15, V, e 43, IV", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const priceOutlier = defineDetector({
  id: "price-outlier",
  version: 1,
  title: "Valor muito acima dos contratos comparáveis",
  question: "O valor inicial do contrato está muito acima do que o mesmo tipo de contratação costuma custar?",
  subjects: "contratos",
  method:
    "Escore z robusto do logaritmo do valor inicial: z = 0,6745 · (ln V − M) / MAD, em que M é a mediana e MAD " +
    "a dispersão absoluta mediana de ln V no grupo de comparação. O grupo é a modalidade dentro do órgão " +
    "superior, quando tem o mínimo de contratos (peersMin); senão, a modalidade em todos os órgãos. Dispara só " +
    "para cima, com z acima de threshold. Havendo itens, a soma de quantidade × preço unitário é conferida com " +
    "o valor inicial. A força da evidência começa em 0,35 no limiar, cresce 0,1 por unidade de z e não passa de " +
    "0,75, porque o valor total não é preço unitário; no grupo largo, vale quatro quintos disso.",
  legalBasis,
  references: [
    "OCP Red Flags R016",
    "Iglewicz & Hoaglin, How to Detect and Handle Outliers, 1993",
    "Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996 (tipo 8)",
  ],
  exclusions: [
    "Fornecedor ou objeto sob sigilo.",
    "Valor inicial ausente, zero ou abaixo de R$ 10: qualidade do dado.",
    "Soma dos itens igual ao valor inicial vezes uma potência exata de dez: provável erro de digitação.",
  ],
  assumptions: [
    "Valores de contrato são aproximadamente log-normais dentro de uma modalidade.",
    "Modalidade não informada mistura contratações sem relação entre si e por isso não é grupo de comparação.",
    "Registro de preços é modalidade à parte e nunca se mistura com as outras.",
    "Os contratos lidos na análise são a população de comparação; o objeto não entra no grupo.",
  ],
  innocentExplanations: [
    "Objeto maior ou mais longo que o usual: obra de grande porte, contrato plurianual, compra centralizada.",
    "O órgão concentra compras de alto custo, como medicamentos, energia ou tecnologia.",
    "Valor global estimado, ainda não executado.",
  ],
  needs: ["contracts", "items"],
  params: z.strictObject({
    threshold: z.number().positive().default(3.5).describe("z robusto acima do qual o contrato é apontado"),
    peersMin: z.int().min(10).default(30).describe("mínimo de contratos no grupo de comparação"),
    valueMinCents: z.int().positive().default(1_000).describe("valor inicial mínimo, em centavos"),
  }),
  detect: ({ contracts, items }, params) => {
    const itemsOf = Map.groupBy(items, contractKeyOf);
    const checked = contracts.map((contract) => check(contract, itemsOf, params.valueMinCents));
    const candidates = checked.filter((one) => "value" in one);
    const narrow = peerGroups(candidates, ({ contract }) => narrowKey(contract));
    const wide = peerGroups(candidates, ({ contract }) => methodKey(contract));
    return checked.map((one) => {
      if (!("value" in one)) return one;
      const near = narrow.get(narrowKey(one.contract));
      const isNarrow = near !== undefined && near.size >= params.peersMin && near.spread > 0;
      const group = isNarrow ? near : wide.get(methodKey(one.contract));
      return judge(one, group, { ...params, isNarrow });
    });
  },
  examples: [
    {
      title: "aponta o único contrato cem vezes acima dos pares e nenhum dos pares",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(40, 10_000_000),
          exampleContract("alto", { initialValueCents: 100_000_000_000, currentValueCents: 100_000_000_000 }),
        ],
        items: [exampleItem("i1", "alto", { quantity: 1000, unitPriceCents: 100_000_000 })],
      }),
      flags: [exampleKey("alto")],
    },
    {
      title: "não calcula com menos pares que o mínimo, nem com modalidade desconhecida",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(2, 10_000_000),
          exampleContract("sem-modalidade", {
            procurementMethod: "unknown",
            procurementMethodDetails: "Sem Informação",
          }),
        ],
      }),
      flags: [],
      notComputable: [exampleKey("p1"), exampleKey("p2"), exampleKey("sem-modalidade")],
    },
    {
      title: "trata como erro de dado o valor que difere dos itens por potência exata de dez",
      dataset: exampleDataset({
        contracts: [
          ...examplePeers(40, 10_000_000),
          exampleContract("erro", { initialValueCents: 100_000_000_000 }),
          exampleContract("centavos", { initialValueCents: 100 }),
          exampleContract("sigilo", { supplierKind: "secret", supplierTaxId: null }),
        ],
        items: [exampleItem("i1", "erro", { quantity: 10, unitPriceCents: 10_000_000 })],
      }),
      flags: [],
      excluded: [exampleKey("erro"), exampleKey("centavos"), exampleKey("sigilo")],
    },
    {
      title: "não calcula quando todos os pares têm o mesmo valor",
      dataset: exampleDataset({
        contracts: Array.from({ length: 30 }, (_, index) => exampleContract(`c${index}`)),
      }),
      flags: [],
      notComputable: Array.from({ length: 30 }, (_, index) => exampleKey(`c${index}`)),
    },
  ],
});

type Candidate = { contract: Contract; value: Cents; items: ContractItem[]; itemsTotalCents: Cents | null };
type PeerGroup = { size: number; center: number; spread: number; thirdQuartile: number };

function check(contract: Contract, itemsOf: Map<string, ContractItem[]>, valueMinCents: Cents): Candidate | Verdict {
  const id = recordKey(contract.provenance);
  if (contract.supplierKind === "secret" || isWithheld(contract.object)) {
    return excluded(id, "fornecedor ou objeto sob sigilo");
  }
  const value = contract.initialValueCents;
  if (value === null) return excluded(id, "qualidade do dado: sem valor inicial");
  if (value < valueMinCents) {
    return excluded(id, `qualidade do dado: valor inicial abaixo de ${formatBrl(valueMinCents)}`);
  }
  const items = (itemsOf.get(id) ?? []).toSorted(byRecordKey);
  const itemsTotalCents = totalOf(items);
  if (itemsTotalCents !== null && isPowerOfTenApart(itemsTotalCents / value)) {
    return excluded(id, "erro de dado: valor inicial e soma dos itens diferem por potência exata de dez");
  }
  const isUnknown = contract.procurementMethod === "unknown" || contract.procurementMethodDetails === null;
  if (isUnknown) return notComputable(id, "modalidade não informada: não há grupo de comparação");
  return { contract, value, items, itemsTotalCents };
}

function judge(
  { contract, value, items, itemsTotalCents }: Candidate,
  group: PeerGroup | undefined,
  { threshold, peersMin, isNarrow }: { threshold: number; peersMin: number; isNarrow: boolean },
): Verdict {
  const id = recordKey(contract.provenance);
  if (group === undefined || group.size < peersMin) {
    return notComputable(id, `menos de ${peersMin} contratos comparáveis`);
  }
  const z = robustZ(Math.log(value), group);
  if (z === null) return notComputable(id, "mais da metade dos contratos comparáveis tem o mesmo valor");
  if (z <= threshold) return notFired(id);
  const medianCents = Math.round(Math.exp(group.center));
  const largest = items.toSorted((a, b) => lineCents(b) - lineCents(a))[0];
  const peers = isNarrow
    ? `${contract.procurementMethodDetails} — ${contract.parentAgencyName ?? contract.parentAgencyCode}`
    : `${contract.procurementMethodDetails} — todos os órgãos`;
  return fired({
    subject: contractSubject(contract),
    reason:
      `O valor inicial, ${formatBrl(value)}, é ${formatDecimal(value / medianCents)} vezes a mediana de ` +
      `${formatBrl(medianCents)} dos ${group.size} contratos comparáveis (${peers}); z robusto ${formatDecimal(z)}.`,
    strength: clamp(0.35 + 0.1 * (z - threshold), 0.35, 0.75) * (isNarrow ? 1 : 0.8),
    amountAtRiskCents: value - medianCents,
    ...partiesOf(contract),
    formula: "z = 0.6745 × (ln(value) − ln_median) / ln_mad; z > threshold",
    facts: [
      fact("value", "Valor inicial", value, "cents"),
      fact("peer_group", "Grupo de comparação", peers, "text"),
      fact("peers", "Contratos no grupo", group.size, "count"),
      fact("median", "Mediana do grupo", medianCents, "cents"),
      fact("third_quartile", "Terceiro quartil do grupo", Math.round(Math.exp(group.thirdQuartile)), "cents"),
      fact("ln_median", "Mediana do logaritmo do valor em centavos", group.center, "score"),
      fact("ln_mad", "Dispersão absoluta mediana do logaritmo (MAD)", group.spread, "score"),
      fact("z", "Escore z robusto", z, "score"),
      fact("threshold", "Limiar", threshold, "score"),
      ...(itemsTotalCents === null
        ? []
        : [fact("items_total", "Soma dos itens (quantidade × preço unitário)", itemsTotalCents, "cents")]),
      ...(largest === undefined
        ? []
        : [fact("largest_item", "Maior item", largest.description ?? "sem descrição", "text")]),
    ],
    records: [contractRecord(contract), ...(largest === undefined ? [] : [itemRecord(largest)])],
    legalBasis: inForceOn(legalBasis, contract.signedOn),
  });
}

function peerGroups(candidates: Candidate[], keyOf: (candidate: Candidate) => string): Map<string, PeerGroup> {
  const groups = new Map<string, PeerGroup>();
  for (const [key, members] of Map.groupBy(candidates, keyOf)) {
    const logarithms = members.map(({ value }) => Math.log(value));
    const center = median(logarithms)!;
    const spread = medianAbsoluteDeviation(logarithms)!;
    // Equal values can leave a rest of rounding behind; a spread below a millionth is none.
    const usableSpread = spread < 1e-6 ? 0 : spread;
    groups.set(key, {
      size: members.length,
      center,
      spread: usableSpread,
      thirdQuartile: quantile(logarithms, 0.75)!,
    });
  }
  return groups;
}

function methodKey(contract: Contract): string {
  return fold(contract.procurementMethodDetails ?? "");
}

function narrowKey(contract: Contract): string {
  return `${methodKey(contract)}|${contract.parentAgencyCode ?? contract.agencyCode}`;
}

function lineCents(item: ContractItem): Cents {
  return Math.round((item.quantity ?? 0) * (item.unitPriceCents ?? 0));
}

function totalOf(items: ContractItem[]): Cents | null {
  const isComplete = items.length > 0 && items.every((item) => item.quantity !== null && item.unitPriceCents !== null);
  return isComplete ? items.reduce((sum, item) => sum + lineCents(item), 0) : null;
}

const POWER_OF_TEN_TOLERANCE = 0.0005;

function isPowerOfTenApart(ratio: number): boolean {
  if (ratio <= 0) return false;
  const exponent = Math.round(Math.log10(ratio));
  return exponent !== 0 && Math.abs(ratio / 10 ** exponent - 1) <= POWER_OF_TEN_TOLERANCE;
}
