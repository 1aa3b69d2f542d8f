import { contractAt, type Contracts, keyText } from "./contracts.ts";
import { directAwardKinds, procurementMethods, supplierKinds, type Contract } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { governmentSpheres } from "@cidadao/domain/sanction";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { everyExample } from "../every-example.ts";
import {
  EXAMPLE_CNPJS,
  exampleAmendment,
  exampleContract,
  exampleDataset,
  exampleItem,
  exampleKey,
  exampleRegistration,
  exampleSanction,
} from "../examples.ts";
import { detectInFrame, runDetectors } from "../run-detectors.ts";
import { amendmentsOf, createFrameBuilder, type FrameData, frameOf, openFrame } from "./frame.ts";

const PROPERTY_MS = 120_000;
const SLICES_MAX = 5;

const readAt = fc.constantFrom("2024-10-01T12:00:00Z", "2024-10-02T12:00:00Z", "2024-11-01T00:00:00Z");
const day = fc.option(
  fc.constantFrom("1995-01-01", "2019-05-05", "2022-12-20", "2024-01-31", "2024-02-29", "2024-03-03", "2024-12-30"),
);
const cents = fc.option(fc.oneof(fc.integer({ min: -100, max: 1e12 }), fc.constantFrom(0, 1_000_000, 5_990_000)));
const contractNumbers = fc.integer({ min: 0, max: 29 });

/** Few ids, so that most come more than once, with another content or another time. */
const contract = fc
  .record({
    id: contractNumbers,
    source: fc.constantFrom("exemplo", "outra"),
    retrievedAt: readAt,
    parts: fc.record({
      object: fc.option(fc.constantFrom("Aquisição de mobiliário escolar para o campus", "Obra", "", "ação \u{1F3D7}")),
      procurementMethod: fc.constantFrom(...procurementMethods),
      procurementMethodDetails: fc.option(fc.constantFrom("Pregão", "Dispensa de Licitação", "Sem Informação")),
      directAwardKind: fc.option(fc.constantFrom(...directAwardKinds)),
      legalBasis: fc.option(fc.constantFrom("Art. 75, II", "Art. 74")),
      supplierKind: fc.constantFrom(...supplierKinds),
      supplierTaxId: fc.option(fc.constantFrom(...EXAMPLE_CNPJS)),
      supplierName: fc.constantFrom("Fornecedora de exemplo", "Outra fornecedora"),
      unitCode: fc.constantFrom("150000", "150001"),
      signedOn: day,
      endsOn: day,
      initialValueCents: cents,
      currentValueCents: cents,
    }),
  })
  .map(({ id, source, retrievedAt, parts }) => {
    const one = exampleContract(`c${id}`, parts);
    return { ...one, provenance: { ...one.provenance, source, retrievedAt } };
  });

/** Some of contracts that never come. */
const item = fc
  .record({
    id: fc.integer({ min: 0, max: 40 }),
    contractNumber: fc.integer({ min: 0, max: 35 }),
    retrievedAt: readAt,
    parts: fc.record({
      description: fc.option(fc.constantFrom("PAPEL A4", "CANETA", "OBRAS CIVIS")),
      classificationId: fc.option(fc.constantFrom("150", "151")),
      quantity: fc.option(fc.constantFrom(1, 2.5, 100)),
      unitPriceCents: cents,
    }),
  })
  .map(({ id, contractNumber, retrievedAt, parts }) => {
    const one = exampleItem(`i${id}`, `c${contractNumber}`, parts);
    return { ...one, provenance: { ...one.provenance, retrievedAt } };
  });

const amendment = fc
  .record({
    id: fc.integer({ min: 0, max: 15 }),
    contractNumber: contractNumbers,
    object: fc.option(fc.constantFrom("Acréscimo de 30 %", "Prorrogação do prazo")),
  })
  .map(({ id, contractNumber, object }) => exampleAmendment(`a${id}`, `c${contractNumber}`, object));

const sanction = fc
  .record({ id: fc.integer({ min: 0, max: 4 }), taxId: fc.constantFrom(...EXAMPLE_CNPJS), retrievedAt: readAt })
  .map(({ id, taxId, retrievedAt }) => {
    const one = exampleSanction(`s${id}`, { taxId });
    return { ...one, provenance: { ...one.provenance, retrievedAt } };
  });

const registration = fc
  .record({
    cnpj: fc.constantFrom(...EXAMPLE_CNPJS),
    openedOn: fc.constantFrom("2010-01-01", "2024-02-20"),
    phone: fc.option(fc.constant("6133330000")),
  })
  .map(({ cnpj, ...parts }) => exampleRegistration(cnpj, parts));

const anyDataset: fc.Arbitrary<Dataset> = fc.record({
  contracts: fc.array(contract, { maxLength: 80 }),
  items: fc.array(item, { maxLength: 80 }),
  amendments: fc.array(amendment, { maxLength: 20 }),
  sanctions: fc.array(sanction, { maxLength: 8 }),
  sanctionListsRead: fc.subarray<"ceis" | "cnep">(["ceis", "cnep"]),
  registrations: fc.array(registration, { maxLength: 8 }),
});

const seeds = fc.array(fc.nat(), { minLength: 8, maxLength: 64 });

test(
  "gives the same answer byte for byte however the records are sliced and the slices merged",
  () => {
    const count = fc.integer({ min: 1, max: SLICES_MAX });
    fc.assert(
      fc.property(anyDataset, count, seeds, fc.boolean(), (dataset, slices, numbers, crosses) => {
        const expected = JSON.stringify(runDetectors(dataset));
        const parts = slicesOf(dataset, slices, numbers).map(foldSlice);
        const merged = mergeSlices(crosses ? parts.map((part) => structuredClone(part)) : parts, numbers);
        expect(JSON.stringify(detectInFrame(openFrame(merged)))).toBe(expected);
      }),
      { numRuns: 150 },
    );
  },
  PROPERTY_MS,
);

test(
  "gives the same answer for all examples at once, in slices that have crossed to another thread",
  () => {
    const dataset = everyExample();
    const expected = JSON.stringify(runDetectors(dataset));
    fc.assert(
      fc.property(fc.integer({ min: 2, max: SLICES_MAX }), seeds, (slices, numbers) => {
        const parts = slicesOf(dataset, slices, numbers).map((slice) => structuredClone(foldSlice(slice)));
        expect(JSON.stringify(detectInFrame(openFrame(mergeSlices(parts, numbers))))).toBe(expected);
      }),
      { numRuns: 5 },
    );
  },
  PROPERTY_MS,
);

test("merging in pairs, or a slice into itself, changes nothing", () => {
  const dataset = everyExample();
  const [left, right] = slicesOf(dataset, 2, [1, 0, 1, 1, 0]).map(foldSlice) as [FrameData, FrameData];
  const pair = mergeSlices([left, right], [0]);
  const again = mergeSlices([pair, left, pair], [0]);
  const sizes = ({ contracts, items, amendments, sanctions }: ReturnType<typeof openFrame>) =>
    [contracts, items, amendments].map(({ size }) => size).concat(sanctions.length);
  expect(sizes(openFrame(again))).toEqual(sizes(frameOf(dataset)));
  expect(JSON.stringify(detectInFrame(openFrame(again)))).toBe(JSON.stringify(runDetectors(dataset)));
});

describe("a contract in the frame", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 40 });
  const anyCents = fc.option(fc.integer({ min: -(10 ** 15), max: 10 ** 15 }));
  const anyContract: fc.Arbitrary<Contract> = fc.record(
    {
      provenance: fc.record({
        source: text,
        sourceId: text,
        url: text,
        retrievedAt: readAt,
        sample: fc.option(text),
      }),
      number: text,
      object: fc.option(text),
      procurementMethod: fc.constantFrom(...procurementMethods),
      procurementMethodDetails: fc.option(text),
      directAwardKind: fc.option(fc.constantFrom(...directAwardKinds)),
      legalBasis: fc.option(text),
      agencyCode: text,
      agencyName: text,
      parentAgencyCode: fc.option(text),
      parentAgencyName: fc.option(text),
      unitCode: text,
      unitName: text,
      supplierId: text,
      supplierKind: fc.constantFrom(...supplierKinds),
      supplierTaxId: fc.option(text),
      supplierName: text,
      buyerSphere: fc.option(fc.constantFrom(...governmentSpheres)),
      buyerState: fc.option(text),
      signedOn: day,
      publishedOn: day,
      startsOn: day,
      endsOn: day,
      initialValueCents: anyCents,
      currentValueCents: anyCents,
      category: fc.option(text),
      estimatedValueCents: anyCents,
    },
    {
      requiredKeys: [
        "provenance",
        "number",
        "object",
        "procurementMethod",
        "procurementMethodDetails",
        "directAwardKind",
        "legalBasis",
        "agencyCode",
        "agencyName",
        "parentAgencyCode",
        "parentAgencyName",
        "unitCode",
        "unitName",
        "supplierId",
        "supplierKind",
        "supplierTaxId",
        "supplierName",
        "signedOn",
        "publishedOn",
        "startsOn",
        "endsOn",
        "initialValueCents",
        "currentValueCents",
      ],
    },
  );
  const key = ({ provenance: { source, sourceId } }: Contract) => `${source}/${sourceId}`;

  test("comes out as it went in, what is left out as nothing", () => {
    const anyContracts = fc.uniqueArray(anyContract, { selector: key, maxLength: 12 });
    fc.assert(
      fc.property(anyContracts, (contracts) => {
        const opened = openFrame(structuredClone(foldSlice({ contracts }))).contracts;
        expect(opened.size).toBe(contracts.length);
        for (const [row, one] of contracts.entries()) {
          const nothing = { buyerSphere: null, buyerState: null, category: null, estimatedValueCents: null };
          expect(contractAt(opened, row)).toEqual({ ...nothing, ...one });
          expect(rowOf(opened, key(one))).toBe(row);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is known again by its id, whatever letters are in it", () => {
    const ids = [
      "\uFEFFc1",
      "c1",
      " c1",
      "\u00E71",
      "c\u03271",
      "\u{1F3D7}",
      "",
      "x".repeat(5_000),
      `${"x".repeat(4_999)}y`,
    ];
    const contracts = ids.map((id) => exampleContract(id));
    const frame = openFrame(foldSlice({ contracts: [...contracts, ...contracts.toReversed()] }));
    expect(frame.contracts.size).toBe(ids.length);
    expect(contracts.map((one) => rowOf(frame.contracts, exampleKey(one.provenance.sourceId)))).toEqual(
      ids.map((_, row) => row),
    );
  });
});

describe("a record that comes again", () => {
  const later = <T extends { provenance: object }>(record: T): T => ({
    ...record,
    provenance: { ...record.provenance, retrievedAt: "2024-12-01T00:00:00Z" },
  });
  const both = <T>(old: T, young: T) => [
    [old, young],
    [young, old],
    [young, old, young],
  ];

  test.each(
    both(exampleContract("c1"), later(exampleContract("c1", { initialValueCents: 7, object: "outro objeto" }))),
  )("is kept once in its later reading: contracts", (...readings) => {
    for (const frame of foldBothWays({ contracts: readings })) {
      expect(frame.contracts.size).toBe(1);
      expect(contractAt(frame.contracts, 0)).toMatchObject({ initialValueCents: 7, object: "outro objeto" });
    }
  });

  test.each(both(exampleItem("i1", "c1"), later(exampleItem("i1", "c1", { unitPriceCents: 7 }))))(
    "is kept once in its later reading: items",
    (...readings) => {
      for (const frame of foldBothWays({ contracts: [exampleContract("c1")], items: readings })) {
        expect(frame.items.size).toBe(1);
        expect(frame.items.at(0).unitPriceCents).toBe(7);
      }
    },
  );

  test.each(both(exampleAmendment("a1", "c1", "antes"), later(exampleAmendment("a1", "c1", "depois"))))(
    "is kept once in its later reading: amendments",
    (...readings) => {
      for (const frame of foldBothWays({ contracts: [exampleContract("c1")], amendments: readings })) {
        expect(amendmentsOf(frame.amendments, 0).map(({ object }) => object)).toEqual(["depois"]);
      }
    },
  );

  test.each(both(exampleSanction("s1"), later(exampleSanction("s1", { name: "depois" }))))(
    "is kept once in its later reading: sanctions",
    (...readings) => {
      for (const frame of foldBothWays({ sanctions: readings })) {
        expect(frame.sanctions.map(({ name }) => name)).toEqual(["depois"]);
      }
    },
  );

  test.each(
    both(exampleRegistration("11222333000181"), later(exampleRegistration("11222333000181", { name: "depois" }))),
  )("is kept once in its later reading: registrations", (...readings) => {
    for (const frame of foldBothWays({ registrations: readings })) {
      expect(frame.registrations.all.map(({ name }) => name)).toEqual(["depois"]);
    }
  });

  test("the same moment and another content: one of the two, whichever comes first", () => {
    const [one, other] = [exampleContract("c1", { object: "um" }), exampleContract("c1", { object: "outro" })];
    const objects = [...foldBothWays({ contracts: [one, other] }), ...foldBothWays({ contracts: [other, one] })].map(
      ({ contracts }) => contractAt(contracts, 0).object,
    );
    expect(new Set(objects).size).toBe(1);
  });
});

describe("items", () => {
  const items = [exampleItem("i1", "c1"), exampleItem("i2", "c2"), exampleItem("i3", "c2")];

  test("of an unknown contract are left out", () => {
    const { items: known } = openFrame(foldSlice({ items, contracts: [exampleContract("c1")] }));
    expect(Array.from({ length: known.size }, (_, index) => known.at(index).provenance.sourceId)).toEqual(["i1"]);
  });

  test("come in when their contract comes in a later slice", () => {
    const early = foldSlice({ items });
    const late = foldSlice({ contracts: [exampleContract("c2"), exampleContract("c1")] });
    for (const slices of [
      [early, late],
      [late, early],
    ]) {
      const frame = openFrame(mergeSlices(slices, [0]));
      const idsOf = (row: number) =>
        Array.from({ length: frame.items.start[row + 1]! - frame.items.start[row]! }, (_, index) =>
          frame.items.at(frame.items.start[row]! + index),
        ).map(({ provenance }) => provenance.sourceId);
      expect(idsOf(rowOf(frame.contracts, exampleKey("c1")))).toEqual(["i1"]);
      expect(idsOf(rowOf(frame.contracts, exampleKey("c2")))).toEqual(["i2", "i3"]);
    }
  });

  test("of a contract with the same id at another source are not taken for its own", () => {
    const [one] = items;
    const stranger = { ...one!, provenance: { ...one!.provenance, source: "outra" } };
    expect(openFrame(foldSlice({ items: [stranger], contracts: [exampleContract("c1")] })).items.size).toBe(0);
  });
});

test("a frame of nothing, and one of items alone, give a report of every detector and no finding", () => {
  for (const dataset of [exampleDataset({}), exampleDataset({ items: [exampleItem("i1", "c1")] })]) {
    const { findings, findingsTotal, risks, reports } = runDetectors(dataset);
    expect([findings, findingsTotal, risks]).toEqual([[], 0, []]);
    expect(reports.every(({ fired, notFired }) => fired + notFired === 0)).toBe(true);
  }
});

test("a slice of few records crosses to another thread as few bytes", () => {
  const slice = foldSlice({ contracts: [exampleContract("c1")], items: [exampleItem("i1", "c1")] });
  const { contracts, items } = slice;
  const texts = [
    contracts.numbers,
    contracts.objects,
    contracts.urls,
    contracts.keys,
    items.sourceIds,
    items.contractIds,
    items.numbers,
    items.complements,
    items.urls,
  ];
  const bytes = texts.flatMap(({ chunks }) => chunks).reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
  expect(bytes).toBeLessThan(1_000_000);
});

function foldSlice(records: Partial<Dataset>): FrameData {
  const builder = createFrameBuilder();
  builder.add(records);
  return builder.data();
}

/** Adds the records in their order to one builder, and as a slice for each record. */
function foldBothWays(records: Partial<Dataset>) {
  const pieces = (Object.entries(records) as [keyof Dataset, Dataset[keyof Dataset]][]).flatMap(([kind, all]) =>
    all.map((one) => ({ [kind]: [one] })),
  );
  return [foldSlice(records), mergeSlices(pieces.map(foldSlice), [0])].map(openFrame);
}

/** Merges in an order that `numbers` decides. */
function mergeSlices(slices: FrameData[], numbers: number[]): FrameData {
  const rest = [...slices];
  const builder = createFrameBuilder();
  for (let step = 0; rest.length > 0; step++) {
    const [next] = rest.splice(numbers[step % numbers.length]! % rest.length, 1);
    builder.merge(next!);
  }
  return builder.data();
}

/** Every record in the slice that `numbers` decides; neighbours land in different ones. */
function slicesOf(dataset: Dataset, count: number, numbers: number[]): Partial<Dataset>[] {
  const slices = Array.from({ length: count }, () => exampleDataset({}));
  let step = 0;
  for (const kind of Object.keys(dataset) as (keyof Dataset)[]) {
    for (const record of dataset[kind]) {
      const number = numbers[step % numbers.length]! + Math.floor(step / numbers.length);
      (slices[number % count]![kind] as unknown[]).push(record);
      step++;
    }
  }
  return slices;
}

function rowOf(contracts: Contracts, key: string): number {
  return Array.from({ length: contracts.size }, (_, row) => keyText(contracts, row)).indexOf(key);
}
