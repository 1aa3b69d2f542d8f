import type { Contract, ContractItem } from "@cidadao/domain/contract";
import { addContracts, changeContracts, isPlainPurchase, keyOf, largestItemClasses, newSeller } from "./plant.ts";
import type { Plant } from "./plant.ts";

const VALUE_MIN_CENTS = 1_000;
/** Nobody would believe more: R$ 500 million. */
const VALUE_MAX_CENTS = 50_000_000_000;
const CLASS_MIN = 10;
const PLANTED_PER_CLASS_MAX = 4;

export const priceOutlier: Plant = {
  detector: "price-outlier",
  unit: "contract",
  what:
    "valor de um contrato de 500 a 2.000 vezes a mediana da sua classe de item, no máximo R$ 500 milhões, em classes " +
    "homogêneas de dez contratos ou mais, no máximo um em cada dez e quatro por classe",
  into: "month",
  plant: (dataset, count, random) => {
    const classOf = largestItemClasses(dataset);
    const groups = Map.groupBy(
      dataset.contracts.filter(
        (one) =>
          one.procurementMethodDetails !== null && (one.initialValueCents ?? 0) > VALUE_MIN_CENTS && classOf.has(one),
      ),
      (one) => `${one.procurementMethodDetails}|${classOf.get(one)}`,
    );
    const fit = [...groups.values()].filter(
      (group) => group.length >= CLASS_MIN && valueSpread(group) < 1.3 && 500 * medianValue(group) < VALUE_MAX_CENTS,
    );
    const medians = new Map(fit.flatMap((group) => group.map((one) => [one, medianValue(group)] as const)));
    const chosen = random
      .shuffled(
        fit.flatMap((group) =>
          random.shuffled(group).slice(0, Math.min(PLANTED_PER_CLASS_MAX, Math.floor(group.length / CLASS_MIN))),
        ),
      )
      .slice(0, count);
    return changeContracts(dataset, chosen, (one) => {
      const median = medians.get(one)!;
      const value = Math.round(median * random.between(500, Math.min(2_000, VALUE_MAX_CENTS / median)));
      return { initialValueCents: value, currentValueCents: value };
    });
  },
};

export const unitPriceOutlier: Plant = {
  detector: "unit-price-outlier",
  unit: "contract",
  what: "preço unitário de um item 100 a 400 vezes a mediana, em classes homogêneas de bens, de doze preços ou mais na mesma ordem de quantidade",
  into: "month",
  plant: (dataset, count, random) => {
    const usable = dataset.items.filter(
      (item) => (item.unitPriceCents ?? 0) >= 10 && (item.quantity ?? 0) > 1 && !SERVICE.test(item.description ?? ""),
    );
    const decade = (item: ContractItem) => Math.floor(Math.log10(item.quantity!));
    const classes = [...Map.groupBy(usable, (item) => `${item.description}|${decade(item)}`).values()].filter(
      (group) =>
        group.length >= 12 && new Set(group.map(({ contractId }) => contractId)).size >= 7 && priceSpread(group) < 0.7,
    );
    const chosen = random.shuffled(classes.flatMap((group) => random.shuffled(group).slice(0, 1))).slice(0, count);
    const median = new Map(classes.flatMap((group) => group.map((item) => [item, medianPrice(group)] as const)));
    const items = dataset.items.map((item) =>
      chosen.includes(item)
        ? { ...item, unitPriceCents: Math.round(median.get(item)! * random.between(100, 400)) }
        : item,
    );
    const byId = new Map(dataset.contracts.map((one) => [one.provenance.sourceId, one]));
    return {
      dataset: { ...dataset, items },
      planted: chosen.map((item) => ({ keys: [keyOf(byId.get(item.contractId)!)] })),
    };
  },
};

/** Services have no unit here, and their prices are compared by nobody; goods by the dozen are mostly of months. */
const SERVICE =
  /servi[cç]o|presta[cç]|manuten|loca[cç]|assist[eê]ncia|segur[oa]|limpeza|vigil|curso|transporte|pagamento|cess[aã]o|projeto|administra|instala|consult|obra|reabilita|impress/i;

export const roundNumber: Plant = {
  detector: "round-number",
  unit: "contract",
  what: "fornecedor com 10 a 16 contratos no órgão, nove em dez de valor redondo",
  into: "month",
  plant: (dataset, count, random) =>
    addContracts(dataset, random, {
      count,
      mark: "30",
      isFit: isPlainPurchase,
      make: (_, serial) =>
        Array.from({ length: 10 + random.below(7) }, () => ({
          ...newSeller("30", serial),
          initialValueCents:
            random.next() < 0.9 ? (1 + random.below(90)) * 10_000_000 : Math.round(random.between(1e7, 9e8)),
        })),
    }),
};

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

function medianValue(group: Contract[]): number {
  return medianOf(group.map((one) => one.initialValueCents!));
}

function medianPrice(group: ContractItem[]): number {
  return medianOf(group.map((item) => item.unitPriceCents!));
}

function valueSpread(group: Contract[]): number {
  return spreadOfLogarithms(group.map((one) => Math.log(one.initialValueCents!)));
}

function priceSpread(group: ContractItem[]): number {
  return spreadOfLogarithms(group.map((item) => Math.log(item.unitPriceCents!)));
}

/** The larger of 1.4826 × MAD and the upper fifth over 0.8416. */
function spreadOfLogarithms(values: number[]): number {
  const middle = medianOf(values);
  const upper = values.toSorted((a, b) => a - b)[Math.floor(0.8 * values.length)]! - middle;
  return Math.max(1.4826 * medianOf(values.map((value) => Math.abs(value - middle))), upper / 0.8416);
}
