import { parseDate, type IsoDate } from "@cidadao/domain/dates";
import { centsFromBrazilianText, centsFromReais, type Cents } from "@cidadao/domain/money";
import { bareTaxId, maskCpf, maskCpfsInText, parseCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";

/** A field that was there and made no sense, or was missing: the record is kept without it, and this says so. */
export type Complaint = { sourceId: string; field: string; reason: string };

/** A published scalar before anyone has decided what it means. */
export type Scalar = string | number | null | undefined;

// Not z.number(): JSON can hold 1e999, an absurd amount in an otherwise good record.
const number = z.custom<number>((value) => typeof value === "number", "expected number");
/** A `Scalar` in a schema of what is sent. */
export const scalar = z.union([z.string(), number]).nullish();

/** What can be wrong with a field, for those who count. */
export const fieldComplaintKinds = [
  "absurd-amount",
  "cpf-masked",
  "digit-shift",
  "ends-before-start",
  "impossible-date",
  "invalid-cnpj",
  "missing-field",
  "negative-amount",
  "not-a-quantity",
  "not-an-amount",
  "odd-field",
  "unknown-method",
  "unknown-supplier-code",
  "zero-amount",
] as const;
export type FieldComplaintKind = (typeof fieldComplaintKinds)[number];
export type FieldComplaintListener = (kind: FieldComplaintKind, field: string, reason: string) => void;

/** Reads the fields of one record; what makes no sense becomes `null` and a complaint with the field's name. */
export type FieldReader = {
  sourceId: string;
  complaints: Complaint[];
  /** Hears what is worth counting and is no complaint about a record of a well-behaved source. */
  listen: FieldComplaintListener | undefined;
  complain(field: string, reason: string, kind?: FieldComplaintKind): void;
  text(field: string, value: Scalar): string | null;
  money(field: string, value: Scalar): Cents | null;
  date(field: string, value: Scalar): IsoDate | null;
  quantity(field: string, value: Scalar): number | null;
};

const QUANTITY_MAX = 1_000_000_000_000;
const SHOWN_CHARS_MAX = 60;

export function fieldReader(sourceId: string, listen?: FieldComplaintListener): FieldReader {
  const complaints: Complaint[] = [];
  const complain = (field: string, reason: string, kind: FieldComplaintKind = "odd-field") => {
    complaints.push({ sourceId, field, reason });
    listen?.(kind, field, reason);
  };

  /** True when there is something to read; a key that is not even sent is a change of the portal's format. */
  const isPublished = (field: string, value: Scalar): value is string | number => {
    if (value === undefined) complain(field, "missing: the field was not sent", "missing-field");
    return value !== undefined && value !== null && !(typeof value === "string" && isAbsent(value));
  };

  return {
    sourceId,
    complaints,
    listen,
    complain,
    text: (field, value) => (isPublished(field, value) ? safeText(String(value)) : null),
    money(field, value) {
      if (!isPublished(field, value)) return null;
      const cents = typeof value === "number" ? centsFromReais(value) : centsFromBrazilianText(value);
      if (cents === null) complain(field, `not an amount of money: ${shown(value)}`, amountComplaint(value));
      if (cents === null || cents >= 0) return cents === 0 ? 0 : cents;
      complain(field, `negative amount: ${shown(value)}`, "negative-amount");
      return null;
    },
    date(field, value) {
      if (!isPublished(field, value)) return null;
      const date = parseDate(String(value));
      if (date === null) complain(field, `not a day between 1988 and 2100: ${shown(value)}`, "impossible-date");
      return date;
    },
    quantity(field, value) {
      if (!isPublished(field, value)) return null;
      const quantity = typeof value === "number" ? value : Number(value.replaceAll(".", "").replace(",", "."));
      if (Number.isFinite(quantity) && quantity >= 0 && quantity <= QUANTITY_MAX) return quantity;
      complain(field, `not a quantity: ${shown(value)}`, "not-a-quantity");
      return null;
    },
  };
}

function amountComplaint(value: string | number): FieldComplaintKind {
  const isNumeral =
    typeof value === "number" || /^(?:R\$\s*)?-?(?:\d{1,3}(?:\.\d{3})*|\d+)(?:,\d{1,6})?$/.test(value.trim());
  return isNumeral ? "absurd-amount" : "not-an-amount";
}

const ABSENT = new Set(["", "-", "sem informação", "sem informacao", "não se aplica", "undefined", "null"]);

/** The portal writes that it knows nothing in several ways, in date fields too. */
export function isAbsent(text: string): boolean {
  return text.length <= 20 && ABSENT.has(text.trim().toLowerCase());
}

/** Trimmed, well-formed, without control characters (Postgres refuses NUL), CPFs masked. */
export function safeText(text: string): string {
  const plain = text.toWellFormed().replace(CONTROL_CHARACTERS, " ").trim();
  return plain.length < CPF_DIGITS ? plain : maskCpfsInText(plain);
}

// oxlint-disable-next-line no-control-regex
const CONTROL_CHARACTERS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;
const CPF_DIGITS = 11;

function shown(value: string | number): string {
  return JSON.stringify(maskRaw(value)).slice(0, SHOWN_CHARS_MAX);
}

const RAW_TEXT_CHARS_MAX = 500;
const RAW_ENTRIES_MAX = 60;
const RAW_DEPTH_MAX = 6;

/** A copy for the eyes of whoever looks into a reject: bounded, and without a single CPF. */
export function maskRaw(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return maskWhole(value);
  if (typeof value === "number") {
    const masked = maskWhole(String(value));
    return masked === String(value) ? value : masked;
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth >= RAW_DEPTH_MAX) return "…";
  if (Array.isArray(value)) return value.slice(0, RAW_ENTRIES_MAX).map((entry) => maskRaw(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, RAW_ENTRIES_MAX)
      .map(([name, entry]) => [maskWhole(name), /cpf/i.test(name) ? maskCpfField(entry) : maskRaw(entry, depth + 1)]),
  );
}

function maskWhole(text: string): string {
  return maskCpf(text) ?? safeText(text).slice(0, RAW_TEXT_CHARS_MAX);
}

/** A published code that names a person, masked; `null` for every other code. */
export function maskPersonCode(code: string): string | null {
  return maskCpf(code) ?? cpfInDigits(bareTaxId(code));
}

/** CPFs travel without their leading zeros, and padded to the 14 digits of a CNPJ. */
function cpfInDigits(digits: string): string | null {
  if (!/^(?:\d{8,10}|000\d{11})$/.test(digits)) return null;
  const padded = digits.padStart(11, "0").slice(-11);
  return maskCpfsInText(padded) === padded ? null : maskCpf(padded);
}

const CODE_FIELD = /cpf|cnpj|codigoFormatado|numeroInscricaoSocial/i;

/** An answer as JSON text to be kept: every CPF masked as the readers mask it, so that both give the same records. */
export function textWithoutCpfs(answer: unknown): string {
  return JSON.stringify(answer, (name, value: unknown) => {
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    const isCode = CODE_FIELD.test(name) && (typeof value === "string" || typeof value === "number");
    if (isCode && parseCnpj(String(value)) === null) {
      const masked = maskPersonCode(String(value));
      if (masked !== null) return masked;
    }
    return typeof value === "string" ? maskCpfsInText(value) : value;
  });
}

function maskCpfField(value: unknown): unknown {
  if (value === null || value === undefined || value === "") return value;
  return (typeof value === "string" ? maskCpf(value) : null) ?? "***";
}

/** A code or number that names something; `null` when nothing is named. */
export function idText(value: Scalar): string | null {
  if (value === null || value === undefined) return null;
  const text = safeText(String(value));
  return isAbsent(text) || text.length > 100 ? null : text;
}

/** The portal repeats the field's name inside the text: "Objeto: …". */
export function withoutLabel(text: string | null, label: string): string | null {
  if (text === null) return null;
  const rest = text.startsWith(`${label}:`) ? text.slice(label.length + 1).trim() : text;
  return isAbsent(rest) ? null : rest;
}
