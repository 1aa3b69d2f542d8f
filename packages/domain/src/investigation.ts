import { z } from "zod";
import { daysBetween, parseDate } from "./dates.ts";
import { parseCnpj } from "./tax-id.ts";

export const investigationStatuses = ["pending", "running", "completed", "failed", "cancelled"] as const;
export type InvestigationStatus = (typeof investigationStatuses)[number];

/** What a completed investigation found. An unreachable source is never `no_anomalies`. */
export const investigationOutcomes = ["anomalies_found", "no_anomalies", "partial", "source_unavailable"] as const;
export type InvestigationOutcome = (typeof investigationOutcomes)[number];

export const investigationOrigins = ["api", "schedule", "cli"] as const;
export type InvestigationOrigin = (typeof investigationOrigins)[number];

export const investigationPriorities = ["critical", "high", "default", "low"] as const;
export type InvestigationPriority = (typeof investigationPriorities)[number];

export const investigationPhases = [
  "opened",
  "claimed",
  "reading",
  "detecting",
  "explaining",
  "storing",
  "finished",
] as const;
export type InvestigationPhase = (typeof investigationPhases)[number];

const finalStatuses: ReadonlySet<InvestigationStatus> = new Set(["completed", "failed", "cancelled"]);

export function isFinal(status: InvestigationStatus): boolean {
  return finalStatuses.has(status);
}

export const AGENCIES_MAX = 400;
export const SCOPE_DAYS_MAX = 366;

const isoDay = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && parseDate(text) !== null,
    "use a real day between 1988 and 2100, as YYYY-MM-DD",
  )
  .meta({ format: "date", examples: ["2024-01-01"] });

/** Which contracts an investigation looks at: in force at some time between `from` and `to`, of the named agencies or of all. */
export const investigationScope = z
  .strictObject({
    agencyCodes: z
      .array(z.string().regex(/^\d{5}$/, "a SIAFI organ code has 5 digits"))
      .min(1, "name at least one agency, or leave agencyCodes out to read every agency")
      .max(AGENCIES_MAX)
      .optional()
      .meta({ description: "SIAFI organ codes; left out: every agency the source lists", examples: [["26435"]] }),
    supplierCnpj: z
      .string()
      .transform((text, context) => {
        const cnpj = parseCnpj(text);
        if (cnpj === null) context.addIssue({ code: "custom", message: "not a CNPJ: its check digits do not match" });
        return cnpj ?? z.NEVER;
      })
      .optional()
      .meta({ description: "Only contracts of this supplier", examples: ["15.195.707/0001-78"] }),
    from: isoDay,
    to: isoDay,
  })
  .refine((scope) => scope.from <= scope.to, { path: ["to"], message: "ends before it begins" })
  .refine((scope) => daysBetween(scope.from, scope.to) <= SCOPE_DAYS_MAX, {
    path: ["to"],
    message: `spans more than ${SCOPE_DAYS_MAX} days`,
  });
export type InvestigationScope = z.infer<typeof investigationScope> & {
  /** Only contracts of this source, as they are stored; left out: they are brought from the Portal first. */
  storedSource?: string;
};

/** What was asked of a source, what came, and what is missing and why. */
export type SourceCoverage = {
  source: string;
  asked: number;
  answered: number;
  records: number;
  rejected: number;
  missing: { what: string; why: string }[];
};

/** An empty answer of every source is a fact; a source that answered nothing it was asked is not. */
export function outcomeOf(coverage: SourceCoverage[], anomalies: number): InvestigationOutcome {
  const asked = coverage.reduce((sum, source) => sum + source.asked, 0);
  const answered = coverage.reduce((sum, source) => sum + source.answered, 0);
  if (asked > 0 && answered === 0) return "source_unavailable";
  if (coverage.some((source) => source.missing.length > 0)) return "partial";
  return anomalies > 0 ? "anomalies_found" : "no_anomalies";
}
