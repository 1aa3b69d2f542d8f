import { listAnomaliesOf } from "@cidadao/database/anomalies";
import {
  cancelInvestigation,
  findInvestigation,
  type Investigation,
  listInvestigations,
} from "@cidadao/database/investigations";
import { findReport } from "@cidadao/database/reports";
import { investigationStatuses, isFinal } from "@cidadao/domain/investigation";
import { openInvestigation } from "@cidadao/operations/open-investigation";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyRequest } from "fastify";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { requireSecret } from "../require-secret.ts";
import { decodeCursor, encodeCursor, presentAnomaly, presentInvestigation } from "../presenters.ts";
import {
  anomalySchema,
  idParams,
  investigationSchema,
  openBody,
  PAGE_LIMIT_MAX,
  pageQuery,
  problems,
  problemSchema,
  reportSchema,
} from "../schemas.ts";
import { streamEvents } from "../event-stream.ts";

const tags = ["investigations"];

export const investigationRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    const requireOperator = requireSecret(context.secretKey, { what: "Esta prioridade" });

    app.route({
      method: "POST",
      url: "/api/v1/investigations",
      schema: {
        tags,
        summary: "Open an investigation",
        description:
          "Stores the investigation and puts it on the queue. 202 means that it is stored and will run, whatever fails next. " +
          "Repeat the call with the same Idempotency-Key and you get the same investigation. The priorities high and critical " +
          "overtake everybody else's work and ask for API_SECRET_KEY, in X-API-Key or Authorization: Bearer.",
        headers: z.object({
          "idempotency-key": z
            .string()
            .min(1)
            .max(255)
            .optional()
            .meta({ description: "Any text of yours that names this request, for example a UUID" }),
        }),
        body: openBody,
        response: {
          202: investigationSchema,
          ...problems,
          413: problemSchema,
          415: problemSchema,
          422: problemSchema.describe("The Idempotency-Key was used with another body"),
          401: problemSchema.describe("priority high or critical without the key"),
          403: problemSchema.describe("priority high or critical with another key, or none is set in the service"),
          429: problemSchema.describe("Too many wait already; Retry-After says when to come back"),
        },
      },
      handler: async (request, reply) => {
        const { query = null, scope = null, detectors = null, priority } = request.body;
        // What overtakes everybody else's work is for operators.
        if (priority === "critical" || priority === "high") await requireOperator(request, reply);
        const asked = {
          query,
          scope,
          detectors,
          priority,
          origin: "api" as const,
          idempotencyKey: request.headers["idempotency-key"] ?? null,
        };
        const { investigation, created } = await openInvestigation(context, asked, request.deadline);
        const shown = presentInvestigation(investigation);
        void reply.header("location", shown.links.self).header("idempotent-replayed", String(!created));
        return reply.code(202).send(shown);
      },
    });

    app.route({
      method: "GET",
      url: "/api/v1/investigations",
      schema: {
        tags,
        summary: "List public investigations, newest first",
        querystring: pageQuery.extend({ status: z.enum(investigationStatuses).optional() }),
        response: {
          200: z.object({ investigations: z.array(investigationSchema), nextCursor: z.string().nullable() }),
          ...problems,
        },
      },
      handler: async (request) => {
        const { limit, cursor, status } = request.query;
        const filter = { limit, status, before: decodeCursor(cursor) };
        const found = await listInvestigations(context.store, filter, request.deadline);
        const last = found.length === limit ? found.at(-1) : undefined;
        return { investigations: found.map(presentInvestigation), nextCursor: last ? encodeCursor(last) : null };
      },
    });

    app.route({
      method: "GET",
      url: "/api/v1/investigations/:id",
      schema: {
        tags,
        summary: "One investigation: status, progress, outcome",
        params: idParams,
        response: { 200: investigationSchema, ...problems },
      },
      handler: async (request) => presentInvestigation(await publicInvestigation(context, request)),
    });

    app.route({
      method: "GET",
      url: "/api/v1/investigations/:id/anomalies",
      schema: {
        tags,
        summary: "What an investigation found, gravest first",
        params: idParams,
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(20),
          afterRank: z.coerce.number().int().min(0).default(0),
        }),
        response: {
          200: z.object({ anomalies: z.array(anomalySchema), total: z.int(), nextAfterRank: z.int().nullable() }),
          ...problems,
          409: problemSchema.describe("It has not finished yet"),
        },
      },
      handler: async (request) => {
        const investigation = await publicInvestigation(context, request);
        assertFinished(investigation);
        const { limit, afterRank } = request.query;
        const found = await listAnomaliesOf(context.store, investigation.id, { afterRank, limit }, request.deadline);
        return {
          anomalies: found.map(presentAnomaly),
          total: investigation.anomalies,
          nextAfterRank: found.length === limit ? found.at(-1)!.rank : null,
        };
      },
    });

    app.route({
      method: "GET",
      url: "/api/v1/investigations/:id/report",
      schema: {
        tags,
        summary: "The report of a completed investigation",
        params: idParams,
        response: { 200: reportSchema, ...problems, 409: problemSchema.describe("It has not finished yet") },
      },
      handler: async (request) => {
        const investigation = await publicInvestigation(context, request);
        assertFinished(investigation);
        const report = await findReport(context.store, investigation.id, request.deadline);
        if (report) return report;
        throw new AppError("not_found", `A investigação terminou como "${investigation.status}" e não tem relatório.`);
      },
    });

    app.route({
      method: "GET",
      url: "/api/v1/investigations/:id/events",
      schema: {
        tags,
        summary: "Progress as server-sent events",
        description:
          "Every event from the first, or from after Last-Event-ID, then those to come; the stream ends with the event " +
          "whose phase is `finished`.",
        params: idParams,
        headers: z.object({ "last-event-id": z.coerce.number().int().min(0).optional() }),
        produces: ["text/event-stream"],
        response: problems,
      },
      handler: async (request, reply) => {
        const { id } = await publicInvestigation(context, request);
        return streamEvents(context, reply, { investigationId: id, afterSeq: request.headers["last-event-id"] ?? 0 });
      },
    });

    app.route({
      method: "DELETE",
      url: "/api/v1/investigations/:id",
      schema: {
        tags,
        summary: "Cancel an investigation",
        description: "A running one stops at its next step and stores no result. Cancelling twice is not an error.",
        params: idParams,
        response: {
          200: investigationSchema,
          ...problems,
          409: problemSchema.describe("It has ended, or it belongs to the schedule"),
        },
      },
      handler: async (request) => {
        const investigation = await publicInvestigation(context, request);
        if (investigation.origin === "schedule") {
          throw new AppError("already_final", "Investigações abertas pela agenda não são canceladas por aqui.");
        }
        const outcome = await cancelInvestigation(context.store, investigation.id, request.deadline);
        if (outcome === "final") {
          throw new AppError("already_final", "A investigação já terminou; não há o que cancelar.");
        }
        return presentInvestigation(await publicInvestigation(context, request));
      },
    });
  };

async function publicInvestigation(
  context: ApiContext,
  request: FastifyRequest<{ Params: { id: string } }>,
): Promise<Investigation> {
  const { id } = request.params;
  const found = await findInvestigation(context.store, id, request.deadline);
  // Somebody's private investigation looks like one that does not exist.
  if (found?.visibility === "public") return found;
  throw new AppError("not_found", `Não existe investigação ${id}.`);
}

function assertFinished(investigation: Investigation): void {
  if (isFinal(investigation.status)) return;
  throw new AppError("not_ready", `A investigação está em andamento (${investigation.status}); acompanhe em /events.`);
}
