import { civilFromDays, dayOf, monthIndexOf } from "@cidadao/detectors/frame/days";
import { type Frame, frameOf } from "@cidadao/detectors/frame/frame";
import { directAwardThresholdOn } from "@cidadao/detectors/thresholds";
import type { Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import type { Random } from "@cidadao/detectors/seeded-random";
import { DRAWS, type NullCase, rowsOf, withContracts, withItems } from "./null-case.ts";

/** Real data in which exactly what a detector looks for was destroyed by shuffling. */
export const permutedCases: readonly NullCase[] = [
  {
    detector: "price-outlier",
    what: "valores de janeiro de 2024 embaralhados entre todos os contratos",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ month }) {
      const frame = frameOf(month);
      return (random) =>
        withContracts(frame, { initialValue: Float64Array.from(random.shuffled([...frame.contracts.initialValue])) });
    },
  },
  {
    detector: "unit-price-outlier",
    what: "preços unitários de janeiro de 2024 embaralhados entre todos os itens",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ month }) {
      const frame = frameOf(month);
      return (random) =>
        withItems(frame, { unitPrice: Float64Array.from(random.shuffled([...frame.items.unitPrice])) });
    },
  },
  {
    detector: "threshold-bunching",
    what:
      "compras sem licitação de dois serviços a até 10 % do limite, de 1998 a 2018: valores e datas embaralhados entre os " +
      "pares de órgão e dispensa ou inexigibilidade",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ month, directAwards }) {
      const frame = frameOf(nearLimit(directAwards, month));
      return (random) => withShuffledPrices(frame, random);
    },
  },
  {
    detector: "round-number",
    what: "valores de janeiro de 2024 embaralhados entre os pares de órgão e fornecedor",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ month }) {
      const frame = frameOf({ ...month, items: [] });
      return (random) =>
        withContracts(frame, { initialValue: Float64Array.from(random.shuffled([...frame.contracts.initialValue])) });
    },
  },
  {
    detector: "december-rush",
    what: "contratos reamostrados em doze órgãos e seis anos, datas embaralhadas dentro de cada órgão",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ years }) {
      const frame = frameOf(years);
      return (random) => withContracts(frame, { signedOn: shuffledWithin(frame, frame.contracts.signedOn, random) });
    },
  },
  {
    detector: "spending-cycle",
    what: "contratos reamostrados em doze órgãos e seis anos, meses inteiros embaralhados dentro de cada órgão",
    draws: DRAWS,
    nominal: 0.05,
    prepare({ years }) {
      const frame = frameOf(years);
      return (random) => withContracts(frame, { signedOn: withShuffledMonths(frame, random) });
    },
  },
  {
    detector: "supplier-network",
    what: "fornecedores de janeiro de 2024 embaralhados entre todos os contratos",
    draws: DRAWS,
    nominal: 0.01,
    prepare({ month }) {
      const frame = frameOf({ ...month, items: [] });
      const { supplier, supplierId, supplierKind, supplierName, supplierTaxId } = frame.contracts;
      return (random) => {
        const order = random.shuffled(rowsOf(frame));
        return withContracts(frame, {
          supplier: supplier.map((_, row) => supplier[order[row]!]!),
          supplierId: supplierId.map((_, row) => supplierId[order[row]!]!),
          supplierKind: supplierKind.map((_, row) => supplierKind[order[row]!]!),
          supplierName: supplierName.map((_, row) => supplierName[order[row]!]!),
          supplierTaxId: supplierTaxId.map((_, row) => supplierTaxId[order[row]!]!),
        });
      };
    },
  },
];

/** Values go with their days, for the limit is that of the day. */
function withShuffledPrices(frame: Frame, random: Random): Frame {
  const { initialValue, signedOn } = frame.contracts;
  const order = random.shuffled(rowsOf(frame));
  return withContracts(frame, {
    initialValue: initialValue.map((_, row) => initialValue[order[row]!]!),
    signedOn: signedOn.map((_, row) => signedOn[order[row]!]!),
  });
}

/** A column shuffled among the contracts of each agency. */
function shuffledWithin<Column extends Int32Array | Uint8Array>(frame: Frame, column: Column, random: Random): Column {
  const shuffled = column.slice() as Column;
  for (const rows of Map.groupBy(rowsOf(frame), (row) => frame.contracts.agency[row]!).values()) {
    for (const [index, from] of random.shuffled(rows).entries()) shuffled[rows[index]!] = column[from]!;
  }
  return shuffled;
}

function withShuffledMonths(frame: Frame, random: Random): Int32Array {
  const { agency, signedOn } = frame.contracts;
  const shuffled = signedOn.slice();
  for (const rows of Map.groupBy(rowsOf(frame), (row) => agency[row]!).values()) {
    const months = [...new Set(rows.map((row) => monthIndexOf(signedOn[row]!)))];
    const target = new Map(random.shuffled(months).map((month, index) => [months[index]!, month]));
    for (const row of rows) {
      const { dayOfMonth } = civilFromDays(signedOn[row]!);
      shuffled[row] = firstDayOf(target.get(monthIndexOf(signedOn[row]!))!) + Math.min(dayOfMonth, 28) - 1;
    }
  }
  return shuffled;
}

function firstDayOf(month: number): number {
  return dayOf(`${Math.floor(month / 12)}-${String((month % 12) + 1).padStart(2, "0")}-01`);
}

const BAND = 0.1;
const RESAMPLED = 3_000;
const RESAMPLED_AGENCIES = 30;

/** Contracts so near to the limit of their day that they are counted. */
function nearLimit(directAwards: Dataset | null, month: Dataset): Dataset {
  const isNear = (one: Contract) => {
    const limit = directAwardThresholdOn(one.signedOn ?? "1990-01-01", directAwards ? "lei-8666" : "lei-14133");
    return limit !== null && Math.abs((one.initialValueCents ?? 0) / limit.otherCents - 1) <= BAND;
  };
  const near = (directAwards ?? month).contracts.filter(isNear);
  const contracts = directAwards
    ? near
    : Array.from({ length: RESAMPLED }, (_, index): Contract => {
        const agencyCode = `8${String(index % RESAMPLED_AGENCIES).padStart(4, "0")}`;
        const one = near[index % near.length]!;
        const provenance = { ...one.provenance, sourceId: `limite-${index}` };
        return { ...one, provenance, number: String(index), agencyCode };
      });
  return { ...month, contracts, items: [], amendments: [] };
}
