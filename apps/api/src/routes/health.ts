import { readDatabaseTime } from "@cidadao/database/schedule-runs";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";

const PROBE_TIMEOUT_MS = 2_000;

const healthSchema = z
  .object({
    status: z.enum(["ready", "degraded", "not_ready"]),
    timestamp: z.string(),
    store: z.enum(["up", "down"]),
    queue: z.enum(["up", "down"]),
  })
  .meta({ id: "Health" });

/** With the queue away the API still accepts work (degraded); without the database it accepts nothing (503). */
export const healthRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    const readiness = async () => {
      const store = await readDatabaseTime(context.store, AbortSignal.timeout(PROBE_TIMEOUT_MS)).then(
        () => "up" as const,
        () => "down" as const,
      );
      const queue = context.queueIsReady() ? ("up" as const) : ("down" as const);
      const usable = store === "up" && !context.stopping.aborted;
      const status = !usable ? ("not_ready" as const) : queue === "up" ? ("ready" as const) : ("degraded" as const);
      return { status, timestamp: new Date().toISOString(), store, queue };
    };
    const tags = ["health"];
    for (const url of ["/health", "/health/ready"]) {
      app.route({
        method: "GET",
        url,
        schema: { tags, summary: "Can it serve?", response: { 200: healthSchema, 503: healthSchema } },
        handler: async (_request, reply) => {
          const health = await readiness();
          return reply.code(health.status === "not_ready" ? 503 : 200).send(health);
        },
      });
    }
    app.route({
      method: "GET",
      url: "/health/live",
      schema: { tags, summary: "Is it running?", response: { 200: z.object({ status: z.literal("live") }) } },
      handler: async () => ({ status: "live" as const }),
    });
    app.route({
      method: "GET",
      url: "/metrics",
      schema: { tags, summary: "Prometheus metrics", response: { 200: z.string() } },
      handler: async (_request, reply) => {
        const depths = await context.queueDepths(PROBE_TIMEOUT_MS);
        for (const [queue, depth] of Object.entries(depths ?? {})) context.telemetry.queueDepth.set({ queue }, depth);
        const { registry } = context.telemetry;
        return reply
          .type(registry.contentType)
          .serializer(String)
          .send(await registry.metrics());
      },
    });
  };
