import { deadJobKinds } from "@cidadao/database/dead-jobs";
import { alertKinds, alertStatuses, channelIds, deliveryStatuses } from "@cidadao/domain/alert";
import { evidenceUnits, anomalyStatuses, subjectKinds } from "@cidadao/domain/anomaly";
import {
  investigationOrigins,
  investigationOutcomes,
  investigationPhases,
  investigationPriorities,
  investigationScope,
  investigationSources,
  investigationStatuses,
} from "@cidadao/domain/investigation";
import { apiStatuses } from "@cidadao/domain/coverage";
import { severities } from "@cidadao/domain/severity";
import { watchKinds } from "@cidadao/domain/watch";
import { z } from "zod";
import { stateStatuses } from "./coverage-map.ts";
import { problemSchema } from "./problem.ts";

const timestamp = z.string().meta({ format: "date-time", examples: ["2026-11-20T12:00:00.000Z"] });

export const PAGE_LIMIT_MAX = 100;

/** Opaque to clients: where the next page of a newest-first list goes on. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(20),
  cursor: z.string().max(200).optional().meta({ description: "`nextCursor` of the page before" }),
});

export const idParams = z.object({ id: z.uuid("the id of an investigation is a UUID") });

export const openBody = z
  .strictObject({
    query: z
      .string()
      .trim()
      .min(1)
      .max(2_000)
      .optional()
      .meta({
        description:
          "The question in words; kept with the investigation and shown in its report. Without a scope it is read by rules: names of federal agencies, CNPJs, states, municipalities, days",
        examples: ["Há contratos fora do comum no IFRN em janeiro de 2024?"],
      }),
    scope: investigationScope
      .optional()
      .meta({ description: "Which contracts to look at; left out: what the query asks for" }),
    detectors: z
      .array(z.string().max(60))
      .min(1, "name at least one detector, or leave detectors out to run all")
      .max(50)
      .optional()
      .meta({ description: "Ids of GET /api/v1/detectors; left out: all", examples: [["price-outlier"]] }),
    priority: z
      .enum(investigationPriorities)
      .default("default")
      .meta({ description: "high and critical ask for API_SECRET_KEY" }),
  })
  .refine(({ query, scope }) => query !== undefined || scope !== undefined, {
    path: ["scope"],
    message: "name a scope, or a query that says which contracts",
  })
  .meta({
    id: "OpenInvestigation",
    examples: [{ query: "Contratos do IFRN", scope: { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-01-31" } }],
  });

const coverageSchema = z
  .object({
    source: z.string(),
    asked: z.int(),
    answered: z.int(),
    records: z.int(),
    rejected: z.int(),
    missing: z.array(z.object({ what: z.string(), why: z.string() })),
    twins: z.int().optional().meta({ description: "Contracts that another source gave too" }),
    apart: z
      .array(z.object({ what: z.string(), why: z.string() }))
      .optional()
      .meta({ description: "Contracts with the number of one of another source that are not the same" }),
  })
  .meta({ id: "SourceCoverage", description: "What was asked of a source, what came, and what is missing and why" });

export const investigationSchema = z
  .object({
    id: z.uuid(),
    query: z.string().nullable(),
    scope: z.object({
      sources: z.array(z.enum(investigationSources)).optional(),
      agencyCodes: z.array(z.string()).optional(),
      agencyCnpjs: z.array(z.string()).optional(),
      municipalityCodes: z.array(z.string()).optional(),
      states: z.array(z.string()).optional(),
      supplierCnpj: z.string().optional(),
      storedSource: z
        .string()
        .optional()
        .meta({ description: "Contracts of this source, as a scheduled reading had stored them" }),
      from: z.string(),
      to: z.string(),
    }),
    detectors: z.array(z.string()).nullable(),
    origin: z.enum(investigationOrigins),
    priority: z.enum(investigationPriorities),
    status: z.enum(investigationStatuses),
    outcome: z.enum(investigationOutcomes).nullable(),
    phase: z.enum(investigationPhases),
    progress: z.number().min(0).max(1),
    records: z.int().meta({ description: "Contracts analysed" }),
    anomalies: z.int(),
    coverage: z.array(coverageSchema),
    sample: z.string().nullable().meta({ description: "What the recording is, when the data is a recorded sample" }),
    failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    createdAt: timestamp,
    startedAt: timestamp.nullable(),
    completedAt: timestamp.nullable(),
    links: z.object({ self: z.string(), anomalies: z.string(), report: z.string(), events: z.string() }),
  })
  .meta({ id: "Investigation" });

const evidenceSchema = z
  .object({
    formula: z.string(),
    facts: z.array(
      z.object({
        name: z.string(),
        label: z.string(),
        value: z.union([z.number(), z.string()]),
        unit: z.enum(evidenceUnits),
      }),
    ),
    records: z.array(
      z.object({ kind: z.string(), id: z.string(), label: z.string(), url: z.string(), retrievedAt: timestamp }),
    ),
    baseRate: z.object({ tested: z.int(), fired: z.int() }),
  })
  .meta({ id: "Evidence", description: "The numbers put into the formula and the records they come from" });

export const anomalySchema = z
  .object({
    id: z.uuid(),
    investigationId: z.uuid(),
    rank: z.int(),
    fingerprint: z.string(),
    detector: z.string(),
    detectorVersion: z.int(),
    subject: z.object({ kind: z.enum(subjectKinds), id: z.string(), label: z.string() }),
    title: z.string(),
    reason: z.string(),
    score: z.number().min(0).max(1),
    severity: z.enum(severities),
    amountAtRiskCents: z.int(),
    agencyCode: z.string().nullable(),
    agencyName: z.string().nullable(),
    supplierTaxId: z.string().nullable(),
    supplierName: z.string().nullable(),
    evidence: evidenceSchema,
    legalBasis: z.array(
      z.object({ norm: z.string(), article: z.string(), validFrom: z.string(), validTo: z.string().nullable() }),
    ),
    innocentExplanations: z.array(z.string()),
    explanation: z
      .object({ text: z.string(), source: z.enum(["model", "template"]), model: z.string().nullable() })
      .nullable(),
    status: z.enum(anomalyStatuses),
    sample: z.string().nullable(),
    createdAt: timestamp,
  })
  .meta({ id: "Anomaly", description: "A red flag: a reason to look, never an accusation" });

const reasonSchema = z.object({ reason: z.string(), count: z.int() });

export const reportSchema = z
  .object({
    investigationId: z.uuid(),
    title: z.string(),
    markdown: z.string(),
    totals: z.record(z.string(), z.unknown()),
    detectors: z.array(
      z.looseObject({
        detector: z.string(),
        version: z.int(),
        fired: z.int(),
        notFired: z.int(),
        notComputable: z.array(reasonSchema),
        excluded: z.array(reasonSchema),
      }),
    ),
    coverage: z.array(coverageSchema),
    sample: z.string().nullable(),
    createdAt: timestamp,
  })
  .meta({ id: "Report" });

export const detectorSchema = z
  .object({
    id: z.string(),
    version: z.int(),
    title: z.string(),
    question: z.string(),
    method: z.string(),
    legalBasis: z.array(
      z.object({ norm: z.string(), article: z.string(), validFrom: z.string(), validTo: z.string().nullable() }),
    ),
    references: z.array(z.string()),
    exclusions: z.array(z.string()),
    assumptions: z.array(z.string()),
    innocentExplanations: z.array(z.string()),
    needs: z.array(z.string()),
    params: z
      .record(z.string(), z.unknown())
      .meta({ description: "JSON Schema of the parameters, with their defaults" }),
    precision: z
      .object({ confirmed: z.int(), falsePositive: z.int(), share: z.number() })
      .nullable()
      .meta({ description: "What people said of its findings, counted once a week; null: nothing yet" }),
  })
  .meta({ id: "Detector" });

export const scheduleRunSchema = z
  .object({
    slot: timestamp.meta({ description: "The moment of the timetable that the run is for" }),
    origin: z.enum(["schedule", "manual"]),
    status: z.enum(["pending", "running", "completed", "failed"]),
    missed: z.int().meta({ description: "Slots that passed unseen and that this run stands for" }),
    progress: z.record(z.string(), z.unknown()).nullable(),
    result: z.record(z.string(), z.unknown()).nullable(),
    problem: z.string().nullable().meta({ description: "Why it failed" }),
    startedAt: timestamp.nullable(),
    finishedAt: timestamp.nullable(),
    seconds: z.number().nullable(),
  })
  .meta({ id: "ScheduleRun" });

export const scheduleSchema = z
  .object({
    id: z.string(),
    summary: z.string(),
    cron: z.string(),
    zone: z.string(),
    catchUp: z.string().meta({ description: "latest, cursor, or each with its bound" }),
    next: timestamp,
    last: scheduleRunSchema.nullable(),
    lastCompletedAt: timestamp.nullable(),
  })
  .meta({ id: "Schedule" });

export const alertSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(alertKinds),
    investigationId: z.uuid().nullable(),
    severity: z.enum(severities),
    findings: z.int(),
    status: z.enum(alertStatuses),
    createdAt: timestamp,
    settledAt: timestamp.nullable(),
    acknowledgedAt: timestamp.nullable(),
    deliveries: z.array(
      z.object({
        id: z.uuid(),
        channel: z.enum(channelIds),
        target: z.string().meta({ description: "Names the target without its secret address" }),
        status: z.enum(deliveryStatuses),
        attempts: z.int(),
        problem: z.string().nullable(),
        settledAt: timestamp.nullable(),
      }),
    ),
  })
  .meta({ id: "Alert" });

export const watchBody = z
  .strictObject({
    kind: z.enum(watchKinds),
    subject: z.string().trim().min(1).max(60).meta({
      description: "A supplier's CNPJ; an agency's SIAFI code or CNPJ, as its source numbers it; a detector's id",
    }),
    channel: z.enum(channelIds),
    address: z.string().trim().min(1).max(500).meta({
      description:
        "An e-mail address, a Discord webhook, or an https address of a host in ALERT_SIGNED_WEBHOOK_HOSTS; never shown again",
    }),
    severityMin: z.enum(severities).optional().meta({ description: "Only of findings at least this grave" }),
    ownerId: z.uuid().optional().meta({ description: "The signed-in person who may read it; left out: nobody" }),
  })
  .meta({
    id: "NewWatch",
    examples: [{ kind: "supplier", subject: "15.195.707/0001-78", channel: "email", address: "voce@exemplo.org" }],
  });

export const watchSchema = z
  .object({
    id: z.uuid(),
    ownerId: z.uuid().nullable(),
    kind: z.enum(watchKinds),
    subject: z.string(),
    channel: z.enum(channelIds),
    target: z.string().meta({ description: "Names the target without its address" }),
    severityMin: z.enum(severities).nullable(),
    createdAt: timestamp,
  })
  .meta({ id: "Watch", description: "A subject whose alerts go to one more address" });

const mappedApiSchema = z
  .object({
    name: z.string(),
    url: z.string(),
    endpoints: z.int().meta({ description: "Resources of it that are read" }),
    status: z.enum(apiStatuses),
    response_time_ms: z.int().meta({ description: "Waiting for this system's own turn included" }),
    error: z.string().optional(),
  })
  .meta({ id: "MappedApi" });

export const coverageMapSchema = z
  .object({
    last_update: timestamp.optional().meta({ description: "Left out before the first snapshot" }),
    summary: z.object({
      total_states: z.int(),
      states_with_apis: z.int(),
      states_working: z.int().meta({ description: "States with at least one operational source of their own" }),
      overall_coverage_percentage: z.number().min(0).max(100).meta({ description: "Working states of all" }),
      total_apis: z.int(),
      total_endpoints: z.int(),
    }),
    states: z
      .record(z.string(), z.object({ name: z.string(), status: z.enum(stateStatuses), apis: z.array(mappedApiSchema) }))
      .meta({ description: "By UF" }),
    national: z.array(mappedApiSchema).meta({ description: "Sources of the whole country" }),
    cache_info: z.object({
      cached: z.boolean().meta({ description: "Whether there is a snapshot" }),
      last_update: timestamp.optional(),
      age_minutes: z.int(),
      note: z.string().optional(),
    }),
  })
  .meta({ id: "CoverageMap" });

export const deadJobSchema = z
  .object({
    kind: z.enum(deadJobKinds),
    id: z.string(),
    name: z.string(),
    reason: z.string(),
    attempts: z.int(),
    crashes: z.int(),
    diedAt: timestamp,
  })
  .meta({ id: "DeadJob" });

export const adminProblems = {
  401: problemSchema.describe("No key was sent"),
  403: problemSchema.describe("The key is wrong, or API_SECRET_KEY is not set and these routes are off"),
} as const;

export const problems = {
  400: problemSchema.describe("The request does not fit; `errors` names each field"),
  404: problemSchema.describe("There is no such thing"),
  503: problemSchema.describe("A dependency is away; Retry-After says when to come back"),
} as const;
export { problemSchema };
