import { objectText } from "./frame/contracts.ts";
import { type SanctionList, sanctionLists } from "@cidadao/domain/sanction";
import { contractFields, type ContractField, type Detector, type Need } from "./define-detector.ts";
import { NONE } from "./frame/dictionary.ts";
import type { Frame } from "./frame/frame.ts";
import { itemClassesOf } from "./item-class.ts";
import { detectors } from "./registry.ts";

/** What a dataset can feed, before anything has run. */
export type Coverage = {
  records: Record<Need, number>;
  /** Sanction lists that were read whole. */
  sanctionListsRead: string[];
  /** Contracts that have the field. */
  fields: { field: ContractField; filled: number; total: number }[];
  detectors: DetectorCoverage[];
};

export type DetectorCoverage = {
  detector: string;
  /** `yes`: every contract has what it needs, and every list was read; `partly`: some; `no`: none. */
  feeds: "yes" | "partly" | "no";
  /** Contracts that have all it needs. */
  ready: number;
  total: number;
  /** In Portuguese; `null` when nothing is missing. */
  missing: string | null;
};

/** Contracts and fields are counted as they are; whether groups are large enough is known only after a run. */
export function coverageOf(frame: Frame): Coverage {
  const { contracts, items, amendments, sanctions, registrations } = frame;
  const has = fieldReaders(frame);
  const records: Coverage["records"] = {
    contracts: contracts.size,
    items: items.size,
    amendments: amendments.size,
    sanctions: sanctions.length,
    registrations: registrations.size,
  };
  const count = (isFilled: (row: number) => boolean) => {
    let filled = 0;
    for (let row = 0; row < contracts.size; row++) if (isFilled(row)) filled++;
    return { filled, total: contracts.size };
  };
  return {
    records,
    sanctionListsRead: [...frame.sanctionListsRead],
    fields: contractFields.map((field) => ({ field, ...count(has[field]) })),
    detectors: detectors.map((detector) => coverDetector(detector, { frame, records, has })),
  };
}

type FieldReaders = Record<ContractField, (row: number) => boolean>;

function coverDetector(
  detector: Detector,
  { frame, records, has }: { frame: Frame; records: Coverage["records"]; has: FieldReaders },
): DetectorCoverage {
  const { id, requires } = detector;
  const total = frame.contracts.size;
  const absent = absentRecords(detector, records, frame);
  let ready = 0;
  const gaps = new Map<ContractField, number>();
  for (let row = 0; row < total; row++) {
    const missing = requires.filter((field) => !has[field](row));
    if (missing.length === 0) ready++;
    for (const field of missing) gaps.set(field, (gaps.get(field) ?? 0) + 1);
  }
  if (absent !== null) return { detector: id, feeds: "no", ready: 0, total, missing: absent };
  const unread = detector.needs.includes("sanctions") ? unreadLists(frame) : [];
  const reasons = [
    ...unread.map((list) => `lista não lida: ${list.toUpperCase()}`),
    ...[...gaps]
      .toSorted((a, b) => b[1] - a[1])
      .map(([field, rows]) => `${fieldNames[field]} falta em ${rows} de ${total}`),
  ];
  return {
    detector: id,
    feeds: ready === 0 ? "no" : ready === total && unread.length === 0 ? "yes" : "partly",
    ready,
    total,
    missing: total === 0 ? "nenhum contrato" : reasons.length === 0 ? null : reasons.join("; "),
  };
}

/** Whole kinds of records without which a detector says nothing at all. */
function absentRecords({ needs }: Detector, records: Coverage["records"], frame: Frame): string | null {
  if (needs.includes("sanctions") && unreadLists(frame).length === sanctionLists.length)
    return "nenhuma lista de sanções lida";
  if (needs.includes("registrations") && records.registrations === 0) return "nenhum registro do cadastro CNPJ";
  return null;
}

/** With one list of several a detector finds some, and clears nobody. */
function unreadLists({ sanctionListsRead }: Frame): SanctionList[] {
  return sanctionLists.filter((list) => !sanctionListsRead.includes(list));
}

export const fieldNames: Record<ContractField, string> = {
  initialValue: "valor inicial",
  currentValue: "valor atual",
  estimatedValue: "valor estimado",
  signedOn: "data de assinatura",
  publishedOn: "data de publicação",
  startsOn: "início da vigência",
  endsOn: "fim da vigência",
  supplierTaxId: "CNPJ do fornecedor",
  methodDetails: "modalidade",
  awardKind: "dispensa ou inexigibilidade",
  legalBasis: "fundamento legal",
  object: "objeto",
  itemClass: "classe do item",
  itemPrice: "preço unitário",
};

function fieldReaders(frame: Frame): FieldReaders {
  const { contracts } = frame;
  const classes = itemClassesOf(frame.items).ofContract;
  const given = (column: Int32Array) => (row: number) => column[row] !== NONE;
  const amount = (column: Float64Array) => (row: number) => column[row]! > 0;
  return {
    initialValue: amount(contracts.initialValue),
    currentValue: amount(contracts.currentValue),
    estimatedValue: amount(contracts.estimatedValue),
    signedOn: given(contracts.signedOn),
    publishedOn: given(contracts.publishedOn),
    startsOn: given(contracts.startsOn),
    endsOn: given(contracts.endsOn),
    supplierTaxId: given(contracts.supplierTaxId),
    methodDetails: given(contracts.methodDetails),
    // A contract of another kind says by its method that it is no direct award.
    awardKind: (row) => contracts.awardKind[row] !== 0 || contracts.methodDetails[row] !== NONE,
    legalBasis: given(contracts.legalBasis),
    object: (row) => objectText(contracts, row) !== null,
    itemClass: given(classes),
    itemPrice: (row) => hasPrice(frame, row),
  };
}

function hasPrice({ items }: Frame, row: number): boolean {
  for (let index = items.start[row]!; index < items.start[row + 1]!; index++) {
    if (items.unitPrice[index]! > 0 && items.quantity[index]! > 0) return true;
  }
  return false;
}
