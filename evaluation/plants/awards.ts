import { addDays } from "@cidadao/domain/dates";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import type { Random } from "@cidadao/detectors/seeded-random";
import {
  addContracts,
  addGroups,
  addItems,
  hasValue,
  isPlainPurchase,
  largestItemClasses,
  newSeller,
  type Plant,
  waived,
} from "./plant.ts";

export const contractSplitting: Plant = {
  detector: "contract-splitting",
  unit: "contract",
  what: "3 a 5 dispensas de 45 a 99 % do limite ao mesmo fornecedor no mesmo ano",
  into: "month",
  plant: (dataset, count, random) => {
    const limit = directAwardThresholdOn("2024-06-01", "lei-14133")!.otherCents;
    return addContracts(dataset, random, {
      count,
      mark: "90",
      isFit: isPlainPurchase,
      make: (_, serial) =>
        Array.from({ length: 3 + random.below(3) }, () => ({
          ...waived(),
          ...newSeller("90", serial),
          signedOn: dayOf2024(random),
          initialValueCents: Math.round(limit * random.between(0.45, 0.99)),
        })),
    });
  },
};

export const emergencyRecontracting: Plant = {
  detector: "emergency-recontracting",
  unit: "contract",
  what: "2 ou 3 dispensas emergenciais de mesmo objeto ao mesmo fornecedor, em dois anos",
  into: "month",
  plant: (dataset, count, random) =>
    addContracts(dataset, random, {
      count,
      mark: "50",
      isFit: isPlainPurchase,
      make: (template, serial) =>
        Array.from({ length: 2 + random.below(2) }, (_, index) => ({
          ...waived(),
          ...newSeller("50", serial),
          legalBasis: "Lei 14.133/2021, art. 75, VIII",
          object: `CONTRATAÇÃO EMERGENCIAL: ${template.object}`,
          signedOn: addDays("2024-01-05", index * 200 + random.below(60)),
          initialValueCents: Math.round(random.between(10_000_000, 200_000_000)),
        })),
    }),
};

export const repeatedNoCompetition: Plant = {
  detector: "repeated-no-competition",
  unit: "contract",
  what: "4 a 6 inexigibilidades no ano ao mesmo fornecedor, de classe que outros vendem",
  into: "month",
  plant: (dataset, count, random) => {
    const classOf = largestItemClasses(dataset);
    const sellers = Map.groupBy(
      dataset.contracts.filter((one) => classOf.has(one)),
      (one) => classOf.get(one)!,
    );
    const contested = new Set(
      [...sellers].filter(([, group]) => new Set(group.map((one) => one.supplierId)).size >= 4).map(([name]) => name),
    );
    const planting = addContracts(dataset, random, {
      count,
      mark: "60",
      isFit: (one) => isPlainPurchase(one) && contested.has(classOf.get(one) ?? ""),
      make: (_, serial) =>
        Array.from({ length: 4 + random.below(3) }, () => ({
          ...newSeller("60", serial),
          procurementMethod: "direct",
          procurementMethodDetails: "Inexigibilidade de Licitação",
          directAwardKind: "no_competition",
          signedOn: dayOf2024(random),
          initialValueCents: Math.round(random.between(5_000_000, 60_000_000)),
        })),
    });
    return addItems(planting, (template) => classOf.get(template)!);
  },
};

export const supplierConcentration: Plant = {
  detector: "supplier-concentration",
  unit: "contract",
  what: "fornecedor novo com 3 dispensas que somam 55 a 80 % do valor de um órgão no ano",
  into: "month",
  plant: (dataset, count, random) => {
    const markets = [
      ...Map.groupBy(
        dataset.contracts.filter((one) => one.supplierKind === "company" && hasValue(one)),
        (one) => `${one.agencyCode}/${one.signedOn?.slice(0, 4)}`,
      ).values(),
    ].filter((group) => group.length >= 10 && new Set(group.map((one) => one.supplierTaxId)).size >= 5);
    const groups = random
      .shuffled(markets)
      .slice(0, count)
      .map((group, serial) => {
        const total = group.reduce((sum, one) => sum + one.initialValueCents!, 0);
        const share = random.between(0.55, 0.8);
        return Array.from({ length: 3 }, (_, index) => ({
          template: group[0]!,
          parts: {
            ...waived(),
            ...newSeller("70", serial),
            object: "AQUISIÇÃO DE EQUIPAMENTOS",
            initialValueCents: Math.round((total * share) / (1 - share) / 3) + index,
          },
        }));
      });
    return addGroups(dataset, groups, "70");
  },
};

function dayOf2024(random: Random): string {
  return addDays("2024-01-05", random.below(300));
}
