import { z } from "zod";
import { daysBetween, parseDate } from "./dates.ts";
import { stateOfMunicipality, states } from "./states.ts";
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
const PLACES_MAX = 20;
export const SCOPE_DAYS_MAX = 366;
/** Of a whole state, or of the whole country, the PNCP holds too much for one investigation to read more days. */
export const WIDE_SCOPE_DAYS_MAX = 31;

/** The sources that an investigation can read contracts from. */
export const investigationSources = ["portal-transparencia", "pncp"] as const;
export type InvestigationSource = (typeof investigationSources)[number];

const isoDay = z
  .string()
  .refine(
    (text) => /^\d{4}-\d{2}-\d{2}$/.test(text) && parseDate(text) !== null,
    "use a real day between 1988 and 2100, as YYYY-MM-DD",
  )
  .meta({ format: "date", examples: ["2024-01-01"] });

const cnpj = z.string().transform((text, context) => {
  const parsed = parseCnpj(text);
  if (parsed === null) context.addIssue({ code: "custom", message: "not a CNPJ: its check digits do not match" });
  return parsed ?? z.NEVER;
});

/**
 * Which contracts an investigation looks at: at the Portal, those in force at some time between `from` and `to`; at the
 * PNCP, those published then. Of the named agencies or places, or of all.
 */
export const investigationScope = z
  .strictObject({
    sources: z
      .array(z.enum(investigationSources))
      .min(1, "name at least one source, or leave sources out")
      .transform((list) => [...new Set(list)])
      .optional()
      .meta({
        description:
          "Sources to read; left out: the Portal da Transparência, or, where agencyCnpjs, municipalityCodes or states are named, the PNCP",
      }),
    agencyCodes: z
      .array(z.string().regex(/^\d{5}$/, "a SIAFI organ code has 5 digits"))
      .min(1, "name at least one agency, or leave agencyCodes out to read every agency")
      .max(AGENCIES_MAX)
      .optional()
      .meta({ description: "SIAFI organ codes; left out: every agency the source lists", examples: [["26435"]] }),
    agencyCnpjs: z
      .array(cnpj)
      .min(1)
      .max(AGENCIES_MAX)
      .optional()
      .meta({
        description:
          "CNPJs of agencies of any sphere, for which the PNCP is asked; left out: those of agencyCodes, as far as they are known",
        examples: [["00.394.544/0001-85"]],
      }),
    municipalityCodes: z
      .array(
        z.string().refine((code) => /^\d{7}$/.test(code) && stateOfMunicipality(code) !== null, "use IBGE's 7 digits"),
      )
      .min(1)
      .max(PLACES_MAX)
      .optional()
      .meta({
        description: "Municipalities by IBGE code: procedures published at the PNCP there",
        examples: [["2611606"]],
      }),
    states: z
      .array(z.string().refine((code) => states.some((state) => state.code === code), "use a code such as PE"))
      .min(1)
      .max(states.length)
      .optional()
      .meta({ description: "States (UF): procedures published at the PNCP there", examples: [["PE"]] }),
    supplierCnpj: cnpj
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

/** The sources that a scope is read from. */
export function sourcesOf(scope: InvestigationScope): readonly InvestigationSource[] {
  if (scope.sources) return scope.sources;
  return namesPlaces(scope) ? ["pncp"] : ["portal-transparencia"];
}

/** Whether it names what the PNCP alone can be asked for. */
export function namesPlaces({ agencyCnpjs, municipalityCodes, states: named }: InvestigationScope): boolean {
  return Boolean(agencyCnpjs ?? municipalityCodes ?? named);
}

/** What was asked of a source, what came, and what is missing and why. */
export type SourceCoverage = {
  source: string;
  asked: number;
  answered: number;
  records: number;
  rejected: number;
  missing: { what: string; why: string }[];
  /** Contracts that another source gave too, and that are looked at only once. */
  twins?: number;
  /** Contracts that bear the number of one of another source and differ from it: both are looked at. */
  apart?: { what: string; why: string }[];
};

/** An empty answer of every source is a fact; a source that answered nothing it was asked is not. */
export function outcomeOf(coverage: SourceCoverage[], anomalies: number): InvestigationOutcome {
  const asked = coverage.reduce((sum, source) => sum + source.asked, 0);
  const answered = coverage.reduce((sum, source) => sum + source.answered, 0);
  if (asked > 0 && answered === 0) return "source_unavailable";
  if (coverage.some((source) => source.missing.length > 0)) return "partial";
  return anomalies > 0 ? "anomalies_found" : "no_anomalies";
}
