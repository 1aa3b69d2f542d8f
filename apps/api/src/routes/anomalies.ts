import { listAnomalies } from "@cidadao/database/anomalies";
import { severities } from "@cidadao/domain/severity";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { decodeCursor, encodeCursor, presentAnomaly } from "../presenters.ts";
import { anomalySchema, pageQuery, problems } from "../schemas.ts";

export const anomalyRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: "GET",
      url: "/api/v1/anomalies",
      schema: {
        tags: ["anomalies"],
        summary: "Anomalies of all public investigations, newest first",
        querystring: pageQuery.extend({
          detector: z.string().max(60).optional(),
          severityMin: z.enum(severities).optional().meta({ description: "At least this grave" }),
          agencyCode: z
            .string()
            .regex(/^\d{5}$/)
            .optional(),
          supplierTaxId: z.string().max(20).optional(),
        }),
        response: {
          200: z.object({ anomalies: z.array(anomalySchema), nextCursor: z.string().nullable() }),
          ...problems,
        },
      },
      handler: async (request) => {
        const { cursor, ...filter } = request.query;
        const asked = { ...filter, before: decodeCursor(cursor) };
        const found = await listAnomalies(context.store, asked, request.deadline);
        const last = found.length === filter.limit ? found.at(-1) : undefined;
        return { anomalies: found.map(presentAnomaly), nextCursor: last ? encodeCursor(last) : null };
      },
    });
  };
