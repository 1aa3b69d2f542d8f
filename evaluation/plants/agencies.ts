import type { Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import { addDays } from "@cidadao/domain/dates";
import type { Random } from "@cidadao/detectors/seeded-random";
import { addContracts, isPlainPurchase, keyOf, newSeller, type Plant, type Planting, waived } from "./plant.ts";
import { LAST_YEAR } from "./years.ts";

const AGENCIES_PLANTED = 4;
const RUSH_SHARE = 0.25;

export const decemberRush: Plant = {
  detector: "december-rush",
  unit: "agency",
  what:
    "órgão em que um quarto dos contratos do último ano passou para depois de 20 de dezembro, entre órgãos que assinam " +
    "ali todos os anos de 3 a 25 %, cada um com o seu costume",
  into: "years",
  plant: (dataset, _count, random) => {
    const habits = new Map(agenciesOf(dataset).map((agency) => [agency, random.between(0, 0.22)]));
    const contracts = dataset.contracts.map((one) =>
      random.next() < habits.get(one.agencyCode)! ? { ...one, signedOn: lateDecember(one, random) } : one,
    );
    return changeAgencies({ ...dataset, contracts }, random, (own) =>
      own.map((one) =>
        one.signedOn!.startsWith(LAST_YEAR) && random.next() < RUSH_SHARE
          ? { ...one, signedOn: lateDecember(one, random) }
          : one,
      ),
    );
  },
};

function lateDecember({ signedOn }: Contract, random: Random): string {
  return `${signedOn!.slice(0, 4)}-12-${20 + random.below(12)}`;
}

const LARGE_CENTS = 100_000_000;

export const firstDigit: Plant = {
  detector: "first-digit",
  unit: "agency",
  what:
    "órgão de 800 contratos em que metade dos valores abaixo de R$ 1 milhão foi trocada pelo valor mais próximo que " +
    "começa por 4 ou 5",
  into: "years",
  plant: (dataset, _count, random) =>
    changeAgencies(dataset, random, (own) =>
      own.map((one) => {
        if (one.initialValueCents! >= LARGE_CENTS || random.next() < 0.5) return one;
        const value = nearestFourOrFive(one.initialValueCents!, random);
        return { ...one, initialValueCents: value, currentValueCents: value };
      }),
    ),
};

/** The nearest on a scale of logarithms: amounts as large as before, neither more high ones nor more low ones. */
function nearestFourOrFive(cents: number, random: Random): number {
  const decade = Math.round(Math.log10(cents / 4.9));
  return Math.round(random.between(4, 5.99) * 10 ** decade);
}

export const spendingCycle: Plant = {
  detector: "spending-cycle",
  unit: "agency",
  what:
    "órgão cujos valores maiores caem nos meses de pico de um ciclo de cinco ou sete meses: as mesmas datas e os mesmos " +
    "valores, trocados entre contratos",
  into: "years",
  plant: (dataset, _count, random) =>
    changeAgencies(dataset, random, (own, serial) => {
      const period = serial % 2 === 0 ? 5 : 7;
      const inCycle = own
        .map((one) => ({ one, height: heightOf(one, period) + random.between(-2, 2) }))
        .toSorted((a, b) => a.height - b.height);
      const values = own.map((one) => one.initialValueCents!).toSorted((a, b) => a - b);
      return inCycle.map(({ one }, rank) => ({
        ...one,
        initialValueCents: values[rank]!,
        currentValueCents: values[rank]!,
      }));
    }),
};

/** From −1 to 1. */
function heightOf({ signedOn }: Contract, period: number): number {
  const month = Number(signedOn!.slice(0, 4)) * 12 + Number(signedOn!.slice(5, 7));
  return Math.cos((2 * Math.PI * month) / period);
}

export const thresholdBunching: Plant = {
  detector: "threshold-bunching",
  unit: "agency",
  what:
    "órgão com 40 a 80 dispensas nos 8 % abaixo do limite, e quase nenhuma acima, entre outros tantos órgãos com o mesmo " +
    "número de dispensas dos dois lados do limite",
  into: "month",
  plant: (dataset, count, random) => {
    const limit = directAwardThresholdOn("2024-06-01", "lei-14133")!.otherCents;
    const planted = Math.min(count, 10);
    const planting = addContracts(dataset, random, {
      count: 2 * planted,
      mark: "40",
      isFit: isPlainPurchase,
      apart: (one) => one.agencyCode,
      make: (_, serial) =>
        Array.from({ length: 40 + random.below(40) }, (_, index) => ({
          ...waived(),
          ...newSeller("40", serial * 100 + index),
          signedOn: addDays("2024-01-05", random.below(300)),
          initialValueCents: Math.round(
            limit * (serial < planted ? random.between(0.92, 0.999) : random.between(0.92, 1.08)),
          ),
        })),
    });
    return { dataset: planting.dataset, planted: planting.planted.slice(0, planted) };
  },
};

function changeAgencies(
  dataset: Dataset,
  random: Random,
  change: (own: Contract[], serial: number) => Contract[],
): Planting {
  const agencies = random.shuffled(agenciesOf(dataset)).slice(0, AGENCIES_PLANTED);
  const byAgency = Map.groupBy(dataset.contracts, ({ agencyCode }) => agencyCode);
  for (const [serial, agency] of agencies.entries()) byAgency.set(agency, change(byAgency.get(agency)!, serial));
  return {
    dataset: { ...dataset, contracts: [...byAgency.values()].flat() },
    planted: agencies.map((agency) => ({ keys: byAgency.get(agency)!.map(keyOf) })),
  };
}

function agenciesOf({ contracts }: Dataset): string[] {
  return [...new Set(contracts.map(({ agencyCode }) => agencyCode))];
}
