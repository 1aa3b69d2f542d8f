import type { EvidenceFact, Finding } from "@cidadao/domain/anomaly";
import { formatDate, parseDate } from "@cidadao/domain/dates";
import { formatBrl } from "@cidadao/domain/money";
import { formatCnpj, maskCpf, parseCnpj } from "@cidadao/domain/tax-id";
import { plainText } from "./plain-text.ts";

const SENTENCE_CHARACTERS_MAX = 700;
/** Shorter than this it is no sentence, and too short to be told apart from other words when it is repeated. */
const SENTENCE_CHARACTERS_MIN = 12;
const NAME_CHARACTERS_MAX = 160;
const INNOCENT_CHARACTERS_MAX = 240;
const INNOCENT_MAX = 6;

/** The words of a finding as they may stand in a text for citizens; the same for prompt, template and refutation. */
export type FindingText = {
  title: string;
  reason: string;
  agency: string | null;
  supplier: string | null;
  innocentExplanations: string[];
  /** What the sample is; `null` when the data are no sample. */
  sample: string | null;
};

export function findingText(finding: Finding, sample: string | null): FindingText {
  return {
    title: sentence(finding.title),
    reason: sentence(finding.reason),
    agency: nameOf(finding.agencyName),
    supplier: nameOf(finding.supplierName),
    innocentExplanations: finding.innocentExplanations
      .slice(0, INNOCENT_MAX)
      .map((text) => sentence(text, INNOCENT_CHARACTERS_MAX))
      .filter((text) => text !== ""),
    sample: sample === null ? null : sentence(sample),
  };
}

/** A CNPJ with its punctuation, a masked CPF, or nothing. */
export function taxIdText(taxId: string | null): string | null {
  if (taxId === null) return null;
  const cnpj = parseCnpj(taxId);
  return cnpj === null ? maskCpf(taxId) : formatCnpj(cnpj);
}

const decimal = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 4 });
const percent = new Intl.NumberFormat("pt-BR", { maximumFractionDigits: 2 });

/** The fact's value as a Brazilian reads it. */
export function factValueText({ value, unit }: EvidenceFact): string {
  if (typeof value === "string") return unit === "date" && parseDate(value) !== null ? formatDate(value) : value;
  if (unit === "cents") return formatBrl(value);
  if (unit === "share") return `${percent.format(value * 100)} %`;
  return decimal.format(value);
}

/** Without its full stop; empty when it is none. */
function sentence(text: string, charactersMax = SENTENCE_CHARACTERS_MAX): string {
  const plain = plainText(text, charactersMax).replace(/[\s.;:]+$/, "");
  return plain.length < SENTENCE_CHARACTERS_MIN ? "" : plain;
}

function nameOf(text: string | null): string | null {
  return text === null ? null : plainText(text, NAME_CHARACTERS_MAX) || null;
}
