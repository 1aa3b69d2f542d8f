import { keyText } from "@cidadao/detectors/frame/contracts";
import { exampleContract, exampleDataset, exampleItem } from "@cidadao/detectors/examples";
import { dayOf } from "@cidadao/detectors/frame/days";
import { type Frame, frameOf } from "@cidadao/detectors/frame/frame";
import type { Contract } from "@cidadao/domain/contract";
import { createRandom } from "@cidadao/detectors/seeded-random";
import { DRAWS, normal, type NullCase, withContracts, withItems } from "./null-case.ts";

const NOMINAL = 0.05;
const STRUCTURE_SEED = 11;

/** Invented data in which every subject follows the same law as all others. */
export const syntheticCases: readonly NullCase[] = [
  {
    detector: "price-outlier",
    what: "60 classes de 10 a 60 contratos, valores log-normais em torno da mediana da classe",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const classes = Array.from({ length: 60 }, () => ({
        center: 14 + 2 * normal(random),
        count: 10 + random.below(51),
      }));
      const centers = classes.flatMap(({ center, count }) => Array.from({ length: count }, () => center));
      const names = classes.flatMap(({ count }, index) =>
        Array.from({ length: count }, () => `CLASSE ${letters(index)}`),
      );
      const frame = frameOf(
        exampleDataset({
          contracts: centers.map((_, index) => exampleContract(`c${index}`)),
          items: names.map((description, index) =>
            exampleItem(`i${index}`, `c${index}`, { description, quantity: 1, unitPriceCents: 1_000 }),
          ),
        }),
      );
      const centerOf = byRow(frame, centers);
      return (random) =>
        withContracts(frame, {
          initialValue: centerOf.map((center) => Math.round(Math.exp(center + 1.2 * normal(random)))),
        });
    },
  },
  {
    detector: "unit-price-outlier",
    what: "80 classes de 10 a 40 preços, log-normais em torno da mediana da classe",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const names = Array.from({ length: 80 }, (_, index) => `CLASSE ${letters(index)}`).flatMap((name) =>
        Array.from({ length: 10 + random.below(31) }, () => name),
      );
      const frame = frameOf(
        exampleDataset({
          contracts: names.map((_, index) => exampleContract(`c${index}`)),
          items: names.map((description, index) =>
            exampleItem(`i${index}`, `c${index}`, { description, unitOfMeasure: "UN", quantity: 100 }),
          ),
        }),
      );
      return (random) =>
        withItems(frame, {
          unitPrice: frame.items.unitPrice.map(() => Math.round(100_000 * Math.exp(0.5 * normal(random)))),
        });
    },
  },
  {
    detector: "first-digit",
    what: "20 órgãos de 500 a 900 valores, espalhados por igual na escala do logaritmo",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const agencies = Array.from({ length: 20 }, (_, index) =>
        Array.from({ length: 500 + random.below(401) }, () => `${10_000 + index}`),
      ).flat();
      const contracts = agencies.map((agencyCode, index) => exampleContract(`c${index}`, { agencyCode }));
      const frame = frameOf(exampleDataset({ contracts }));
      return (random) =>
        withContracts(frame, {
          initialValue: frame.contracts.initialValue.map(() => Math.round(10 ** random.between(4, 8))),
        });
    },
  },
  {
    detector: "threshold-bunching",
    what: "60 órgãos com 30 a 90 dispensas e 10 a 60 outras contratações, espalhadas por igual dos dois lados do limite",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const kinds = groups(60, () => [
        ...Array.from({ length: 30 + random.below(61) }, () => WAIVED),
        ...Array.from({ length: 10 + random.below(51) }, () => ({})),
      ]);
      const frame = frameOfContracts(kinds);
      return (random) =>
        withContracts(frame, {
          initialValue: frame.contracts.initialValue.map(() => Math.round(LIMIT_2024_CENTS * random.between(0.9, 1.1))),
        });
    },
  },
  {
    detector: "round-number",
    what: "150 pares de 8 a 20 contratos, cada um de valor redondo com a mesma chance, um em cinco",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const frame = frameOfContracts(groups(150, () => Array.from({ length: 8 + random.below(13) }, () => ({}))));
      return (random) =>
        withContracts(frame, {
          initialValue: frame.contracts.initialValue.map(() =>
            random.next() < 0.2 ? (1 + random.below(99)) * 1_000_000 : 1_000_001 + 2 * random.below(50_000_000),
          ),
        });
    },
  },
  {
    detector: "december-rush",
    what: "60 órgãos pequenos, cinco anos de 30 a 60 contratos, datas ao acaso no ano",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const random = createRandom(STRUCTURE_SEED);
      const frame = frameOfContracts(
        groups(60, () =>
          [2019, 2020, 2021, 2022, 2023].flatMap((year) =>
            Array.from({ length: 30 + random.below(31) }, () => ({ signedOn: `${year}-01-01` })),
          ),
        ),
      );
      const { signedOn } = frame.contracts;
      return (random) => withContracts(frame, { signedOn: signedOn.map((first) => first + random.below(365)) });
    },
  },
  {
    detector: "spending-cycle",
    what: "60 órgãos, 240 contratos em quatro anos, datas ao acaso e valores log-normais",
    draws: DRAWS,
    nominal: NOMINAL,
    prepare() {
      const frame = frameOfContracts(groups(60, () => Array.from({ length: 240 }, () => ({}))));
      const { initialValue, signedOn } = frame.contracts;
      return (random) =>
        withContracts(frame, {
          signedOn: signedOn.map(() => dayOf("2020-01-01") + random.below(1461)),
          initialValue: initialValue.map(() => Math.round(Math.exp(16 + 1.5 * normal(random)))),
        });
    },
  },
  {
    detector: "supplier-network",
    what: "4.000 vendas de 800 fornecedores a 300 unidades, cada venda ao acaso, unidades de tamanhos muito diferentes",
    draws: DRAWS,
    nominal: 0.01,
    prepare() {
      const size = { sales: 4_000, suppliers: 800, units: 300 };
      const frame = frameOfContracts(
        Array.from({ length: size.sales }, (_, index) => ({
          ...seller(index % size.suppliers),
          unitCode: unitNamed(index % size.units),
        })),
      );
      const { supplier, unit } = frame.contracts;
      const [sellers, buyers] = [[...new Set(supplier)], [...new Set(unit)]];
      return (random) =>
        withContracts(frame, {
          supplier: supplier.map(() => sellers[Math.floor(sellers.length * random.next() ** 2)]!),
          unit: unit.map(() => buyers[Math.floor(buyers.length * random.next() ** 2)]!),
        });
    },
  },
];

const LIMIT_2024_CENTS = 5_990_602;
const WAIVED: Partial<Contract> = {
  procurementMethod: "direct",
  procurementMethodDetails: "Dispensa de Licitação",
  directAwardKind: "waived",
};

/** Contracts of one agency and one supplier each. */
function groups(count: number, make: (group: number) => Partial<Contract>[]): Partial<Contract>[] {
  return Array.from({ length: count }, (_, group) =>
    make(group).map((parts) => ({
      ...seller(group),
      agencyCode: `${70_000 + group}`,
      unitCode: unitNamed(group),
      ...parts,
    })),
  ).flat();
}

function frameOfContracts(all: Partial<Contract>[]): Frame {
  return frameOf(exampleDataset({ contracts: all.map((parts, index) => exampleContract(`c${index}`, parts)) }));
}

function seller(serial: number): Partial<Contract> {
  const cnpj = `9${String(serial).padStart(7, "0")}000199`;
  return { supplierId: cnpj, supplierTaxId: cnpj };
}

function unitNamed(serial: number): string {
  return `${300_000 + serial}`;
}

/** Values by the number in a contract's id, put in the order of the frame's rows. */
function byRow(frame: Frame, values: number[]): Float64Array {
  return Float64Array.from(
    { length: frame.contracts.size },
    (_, row) => values[Number(keyText(frame.contracts, row).replace(/^.*\/c/, ""))]!,
  );
}

/** Names without a number in common words: "AAB". */
function letters(index: number): string {
  return [26 * 26, 26, 1].map((unit) => String.fromCodePoint(65 + (Math.floor(index / unit) % 26))).join("");
}
