import { parseDate, type IsoDate } from "@cidadao/domain/dates";
import { centsFromBrazilianText, centsFromReais, type Cents } from "@cidadao/domain/money";
import { bareTaxId, maskCpf, maskCpfsInText, parseCnpj } from "@cidadao/domain/tax-id";
import type { Complaint } from "../define-source.ts";

/** A published scalar before anyone has decided what it means. */
export type Scalar = string | number | null | undefined;

/** Reads the fields of one record; what makes no sense becomes `null` and a complaint with the field's name. */
export type FieldReader = {
  sourceId: string;
  complaints: Complaint[];
  complain(field: string, reason: string): void;
  text(field: string, value: Scalar): string | null;
  money(field: string, value: Scalar): Cents | null;
  date(field: string, value: Scalar): IsoDate | null;
  quantity(field: string, value: Scalar): number | null;
};

const QUANTITY_MAX = 1_000_000_000_000;
const SHOWN_CHARS_MAX = 60;

export function fieldReader(sourceId: string): FieldReader {
  const complaints: Complaint[] = [];
  const complain = (field: string, reason: string) => void complaints.push({ sourceId, field, reason });

  /** True when there is something to read; a key that is not even sent is a change of the portal's format. */
  const isPublished = (field: string, value: Scalar): value is string | number => {
    if (value === undefined) complain(field, "missing: the field was not sent");
    return value !== undefined && value !== null && !(typeof value === "string" && isAbsent(value));
  };

  return {
    sourceId,
    complaints,
    complain,
    text: (field, value) => (isPublished(field, value) ? safeText(String(value)) : null),
    money(field, value) {
      if (!isPublished(field, value)) return null;
      const cents = typeof value === "number" ? centsFromReais(value) : centsFromBrazilianText(value);
      if (cents === null) complain(field, `not an amount of money: ${shown(value)}`);
      if (cents === null || cents >= 0) return cents === 0 ? 0 : cents;
      complain(field, `negative amount: ${shown(value)}`);
      return null;
    },
    date(field, value) {
      if (!isPublished(field, value)) return null;
      const date = parseDate(String(value));
      if (date === null) complain(field, `not a day between 1988 and 2100: ${shown(value)}`);
      return date;
    },
    quantity(field, value) {
      if (!isPublished(field, value)) return null;
      const quantity = typeof value === "number" ? value : Number(value.replaceAll(".", "").replace(",", "."));
      if (Number.isFinite(quantity) && quantity >= 0 && quantity <= QUANTITY_MAX) return quantity;
      complain(field, `not a quantity: ${shown(value)}`);
      return null;
    },
  };
}

const ABSENT = new Set(["", "-", "sem informação", "sem informacao", "não se aplica", "undefined", "null"]);

/** The portal writes that it knows nothing in several ways, in date fields too. */
export function isAbsent(text: string): boolean {
  return text.length <= 20 && ABSENT.has(text.trim().toLowerCase());
}

/** Trimmed, without control characters (Postgres refuses NUL), CPFs masked. */
export function safeText(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return maskCpfsInText(text.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, " ").trim());
}

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

/** The rows as JSON text to be kept: every CPF masked as the readers mask it, so that both give the same records. */
export function textWithoutCpfs(rows: unknown[]): string {
  return JSON.stringify(rows, (name, value: unknown) => {
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
