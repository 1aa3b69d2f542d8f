import {
  amendmentKinds,
  type Contract,
  directAwardKinds,
  procurementMethods,
  supplierKinds,
} from "@cidadao/domain/contract";
import type { Cents } from "@cidadao/domain/money";
import type { Provenance } from "@cidadao/domain/provenance";
import { governmentSpheres, sanctionLists } from "@cidadao/domain/sanction";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";
import { type FieldReader, idText, maskPersonCode, safeText, type Scalar, scalar } from "../reading.ts";
import { identifySupplier, rawText } from "../terms.ts";
import type { Complain } from "./complaints.ts";
import {
  type Batch,
  batchBuilder,
  type BatchBuilder,
  defineFileFormat,
  fileUrl,
  isNew,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import { type JsonRecord, readJsonRecords } from "./json-records.ts";
import type { OpenedFile } from "./open-text.ts";
import { NOT_INFORMED, period } from "../published-fields.ts";
import { seenRecords } from "./seen.ts";

export const canonical = defineFileFormat({
  id: "canonical",
  title: "Registros no formato do Cidadão.AI (JSON, um por linha)",
  description:
    'Um objeto por linha com "kind" (contract, item, amendment, sanction ou registration) e os campos do modelo; ' +
    'valores em centavos, datas AAAA-MM-DD, "id" e "contractId" ligam os registros.',
  attribution: "Arquivo informado",
  recognises: (head) => /"kind"\s*:\s*"(?:contract|item|amendment|sanction|registration)"/.test(head),
  read,
});

const DEFAULT_SOURCE = "arquivo";

const recordWire = z.looseObject({
  kind: z.string(),
  id: scalar,
  provenance: z
    .object({ source: scalar, sourceId: scalar, url: scalar, retrievedAt: scalar, sample: scalar })
    .partial()
    .nullish(),
});
type RecordWire = z.infer<typeof recordWire>;

async function* read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const isUnseen = seenRecords();
  for (const file of files) {
    const complain = out.complainOf(file);
    for await (const records of readJsonRecords(file, complain)) {
      for (const record of records) {
        readRecord(record, { out, context, file, complain, isUnseen });
        if (out.isFull()) yield out.take();
      }
    }
  }
  if (!out.isEmpty()) yield out.take();
}

type Input = {
  out: BatchBuilder;
  context: ReadContext;
  file: OpenedFile;
  complain: Complain;
  isUnseen: ReturnType<typeof seenRecords>;
};

function readRecord({ line, value }: JsonRecord, { out, context, file, complain, isUnseen }: Input): void {
  const unusable = (reason: string) => complain("unusable-record", { line, reason });
  const wire = recordWire.safeParse(value).data;
  if (wire === undefined) return unusable('no "kind", or an id or a provenance of another type');
  // The schema of contracts has a field of this name too; of an amendment it is `amendmentKind`.
  const provenance = provenanceFrom(wire, { context, file, line });
  const reader = recordReader(rowFields(provenance.sourceId, line, complain), wire);
  const read = readers.get(wire.kind);
  if (read === undefined) return unusable(`unknown kind: ${safeText(wire.kind).slice(0, 60)}`);
  const problem = read(reader, provenance);
  if (typeof problem === "string") return unusable(problem);
  const id = `${wire.kind}/${provenance.source}/${provenance.sourceId}`;
  if (isNew(isUnseen(id, JSON.stringify(value)), line, complain)) problem(out.batch);
}

function provenanceFrom(
  { id, provenance }: RecordWire,
  { context, file, line }: { context: ReadContext; file: OpenedFile; line: number },
): Provenance {
  const url = rawText(provenance?.url);
  const given = rawText(provenance?.retrievedAt);
  const time = given === null ? Number.NaN : Date.parse(given);
  return {
    source: idText(provenance?.source) ?? DEFAULT_SOURCE,
    sourceId: idText(provenance?.sourceId) ?? idText(id) ?? `${file.name}#L${line}`,
    url: url !== null && /^https?:\/\/\S+$/.test(url) ? safeText(url) : fileUrl(file, line),
    retrievedAt: Number.isNaN(time) ? context.retrievedAt(file) : new Date(time).toISOString(),
    sample: rawText(provenance?.sample) === null ? context.sample : safeText(String(provenance?.sample)),
  };
}

/** Reads what is there; what is absent is `null` without a complaint, since every field is optional here. */
function recordReader(fields: FieldReader, wire: RecordWire) {
  const at = (field: string): Scalar => {
    const value = wire[field];
    if (typeof value === "string" || typeof value === "number") return value;
    if (value !== undefined && value !== null) fields.complain(field, "neither text nor number");
    return null;
  };
  return {
    fields,
    at,
    list: (field: string): unknown[] => (Array.isArray(wire[field]) ? (wire[field] as unknown[]) : []),
    isTrue: (field: string): boolean => wire[field] === true,
    id: (field: string) => idText(at(field)),
    text: (field: string) => fields.text(field, at(field)),
    date: (field: string) => fields.date(field, at(field)),
    cents: (field: string): Cents | null => {
      const value = at(field);
      if (value === null || value === "") return null;
      const cents = Number(value);
      if (!Number.isFinite(cents)) fields.complain(field, "not a number of cents", "not-an-amount");
      else if (cents < 0) fields.complain(field, `negative amount: ${cents}`, "negative-amount");
      else if (cents > CENTS_MAX) fields.complain(field, `an absurd amount: ${cents}`, "absurd-amount");
      else return Math.round(cents);
      return null;
    },
    quantity: (field: string): number | null => {
      const value = at(field);
      return fields.quantity(field, typeof value === "string" && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : value);
    },
    choice: <const Choice extends string>(field: string, choices: readonly Choice[]): Choice | null => {
      const value = rawText(at(field));
      const found = choices.find((choice) => choice === value);
      if (value !== null && found === undefined) fields.complain(field, `none of ${choices.join(", ")}`);
      return found ?? null;
    },
    expected: (field: string, otherwise: string): string => {
      const text = fields.text(field, at(field));
      if (text === null) fields.complain(field, "missing: nothing is given", "missing-field");
      return text ?? otherwise;
    },
    state: (field: string) => {
      const text = fields.text(field, at(field))?.toUpperCase() ?? null;
      return text !== null && /^[A-Z]{2}$/.test(text) ? text : null;
    },
  };
}
type RecordReader = ReturnType<typeof recordReader>;

/** A trillion reais, as everywhere. */
const CENTS_MAX = 100_000_000_000_000;

/** How to add the record, or why it cannot be one. */
type Reading = ((batch: Batch) => void) | string;

const readers = new Map<string, (reader: RecordReader, provenance: Provenance) => Reading>([
  ["contract", readContract],
  ["item", readItem],
  ["amendment", readAmendment],
  ["sanction", readSanction],
  ["registration", readRegistration],
]);

const USABLE = [
  "number",
  "object",
  "supplierTaxId",
  "supplierName",
  "initialValueCents",
  "currentValueCents",
  "estimatedValueCents",
  "agencyCode",
  "signedOn",
];

function readContract(reader: RecordReader, provenance: Provenance): Reading {
  if (USABLE.every((field) => rawText(reader.at(field)) === null)) return "a contract without a single field";
  const { fields, at, id, text, date, cents, choice, expected } = reader;
  const agencyCode = expected("agencyCode", NOT_INFORMED);
  const unitCode = expected("unitCode", NOT_INFORMED);
  const initialValueCents = cents("initialValueCents");
  if (initialValueCents === 0) fields.complain("initialValueCents", "the value is zero", "zero-amount");
  const end = { field: "endsOn", value: at("endsOn") };
  const contract: Contract = {
    provenance,
    number: id("number") ?? provenance.sourceId,
    object: text("object"),
    procurementMethod: choice("procurementMethod", procurementMethods) ?? "unknown",
    procurementMethodDetails: text("procurementMethodDetails"),
    directAwardKind: choice("directAwardKind", directAwardKinds),
    legalBasis: text("legalBasis"),
    agencyCode,
    agencyName: text("agencyName") ?? `Órgão ${agencyCode}`,
    parentAgencyCode: text("parentAgencyCode"),
    parentAgencyName: text("parentAgencyName"),
    unitCode,
    unitName: text("unitName") ?? `Unidade ${unitCode}`,
    ...supplierOf(reader),
    buyerSphere: choice("buyerSphere", governmentSpheres),
    buyerState: reader.state("buyerState"),
    signedOn: date("signedOn"),
    publishedOn: date("publishedOn"),
    ...period(fields, { field: "startsOn", value: at("startsOn") }, end),
    initialValueCents,
    currentValueCents: cents("currentValueCents"),
    category: text("category"),
    estimatedValueCents: cents("estimatedValueCents"),
  };
  return (batch) => void batch.contracts.push(contract);
}

function supplierOf({
  fields,
  at,
  text,
  choice,
}: RecordReader): Pick<Contract, "supplierId" | "supplierKind" | "supplierTaxId" | "supplierName"> {
  const given = choice("supplierKind", supplierKinds);
  const name = text("supplierName");
  const code = rawText(at("supplierTaxId"));
  const cpfField = given === "person" ? code : null;
  const supplier =
    code === null
      ? { kind: "unknown" as const, taxId: null }
      : identifySupplier(fields, "supplierTaxId", code, cpfField);
  if (code === null && name === null) fields.complain("supplierName", "no supplier is given", "missing-field");
  const id = rawText(at("supplierId"));
  const own = supplier.kind === "person" ? [supplier.taxId, name].filter(Boolean).join(" ") : supplier.taxId;
  return {
    supplierId: id === null ? (own ?? name ?? "unknown") : (maskPersonCode(id) ?? safeText(id)),
    supplierKind: supplier.kind === "unknown" ? (given ?? "unknown") : supplier.kind,
    supplierTaxId: supplier.taxId,
    supplierName: name ?? "Não informado",
  };
}

function readItem(reader: RecordReader, provenance: Provenance): Reading {
  const { id, text } = reader;
  const contractId = id("contractId");
  if (contractId === null) return "an item without contractId";
  const item = {
    provenance,
    contractId,
    number: id("number") ?? provenance.sourceId,
    description: text("description"),
    complement: text("complement"),
    quantity: reader.quantity("quantity"),
    classificationScheme: text("classificationScheme"),
    classificationId: id("classificationId"),
    unitOfMeasure: text("unitOfMeasure"),
    unitPriceCents: reader.cents("unitPriceCents"),
  };
  return (batch) => void batch.items.push(item);
}

function readAmendment(reader: RecordReader, provenance: Provenance): Reading {
  const { id, text, date, cents } = reader;
  const contractId = id("contractId");
  if (contractId === null) return "an amendment without contractId";
  const amendment = {
    provenance,
    contractId,
    number: id("number") ?? provenance.sourceId,
    publishedOn: date("publishedOn"),
    object: text("object"),
    // "kind" says here what the record is.
    kind: reader.choice("amendmentKind", amendmentKinds),
    signedOn: date("signedOn"),
    increaseCents: cents("increaseCents"),
    decreaseCents: cents("decreaseCents"),
    valueAfterCents: cents("valueAfterCents"),
  };
  return (batch) => void batch.amendments.push(amendment);
}

function readSanction(reader: RecordReader, provenance: Provenance): Reading {
  const { fields, at, text } = reader;
  const list = reader.choice("list", sanctionLists);
  if (list === null) return `a sanction without list (${sanctionLists.join(", ")})`;
  const { kind, taxId } = identifySupplier(fields, "taxId", rawText(at("taxId")), null);
  const name = text("name");
  if (taxId === null && name === null) return "a sanction of nobody: no taxId and no name";
  const end = { field: "endsOn", value: at("endsOn") };
  const dates = period(fields, { field: "startsOn", value: at("startsOn") }, end);
  const sanction = {
    provenance,
    list,
    supplierKind: kind === "company" || kind === "person" ? kind : ("unknown" as const),
    taxId,
    name: name ?? "Não informado",
    kind: text("sanctionKind") ?? "Não informada",
    legalBasis: reader.list("legalBasis").flatMap((basis) => (typeof basis === "string" ? [safeText(basis)] : [])),
    ...dates,
    endKnown: dates.endsOn !== null || reader.isTrue("endKnown"),
    sanctioningBody: text("sanctioningBody") ?? "Não informado",
    bodySphere: reader.choice("bodySphere", governmentSpheres) ?? "unknown",
    bodyState: reader.state("bodyState"),
    scope: text("scope"),
  };
  return (batch) => void batch.sanctions.push(sanction);
}

function readRegistration(reader: RecordReader, provenance: Provenance): Reading {
  const { at, text, date } = reader;
  const cnpj = parseCnpj(rawText(at("cnpj")) ?? "");
  if (cnpj === null) return "a registration without a valid cnpj";
  const registration = {
    provenance,
    cnpj,
    name: text("name") ?? "Não informado",
    openedOn: date("openedOn"),
    status: text("status"),
    statusSince: date("statusSince"),
    mainActivity: text("mainActivity"),
    capitalCents: reader.cents("capitalCents"),
    address: text("address"),
    phone: text("phone"),
    email: text("email"),
    partners: reader.list("partners").flatMap((entry) => {
      const partner = partnerWire.safeParse(entry).data;
      const name = rawText(partner?.name);
      const taxId = rawText(partner?.taxId);
      if (name === null) return [];
      return [{ name: safeText(name), taxId: taxId === null ? null : (parseCnpj(taxId) ?? maskPersonCode(taxId)) }];
    }),
  };
  return (batch) => void batch.registrations.push(registration);
}

const partnerWire = z.object({ taxId: scalar, name: scalar });
