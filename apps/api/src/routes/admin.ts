import { deadJobKinds, listDeadJobs, redriveDeadJob } from "@cidadao/database/dead-jobs";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { requireSecret, secretSecurity } from "../require-secret.ts";
import { adminProblems, deadJobSchema, PAGE_LIMIT_MAX, problems } from "../schemas.ts";

/** Beyond every moment that a job can have died at. */
const END_OF_TIME = "9999-12-31T00:00:00Z";

export const adminRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook("preHandler", requireSecret(context.secretKey));

    app.route({
      method: "GET",
      url: "/api/v1/admin/dead-jobs",
      schema: {
        tags: ["admin"],
        summary: "What ended for good without its result, newest first",
        description:
          "Investigations whose worker died too often or whose tries are used up, scheduled runs and alerts alike.",
        security: secretSecurity,
        querystring: z.strictObject({
          limit: z.coerce.number().int().min(1).max(PAGE_LIMIT_MAX).default(20),
          before: z.iso
            .datetime({ offset: true })
            .default(END_OF_TIME)
            .meta({ description: "`nextBefore` of the page before" }),
        }),
        response: {
          200: z.object({ deadJobs: z.array(deadJobSchema), nextBefore: z.string().nullable() }),
          ...problems,
          ...adminProblems,
        },
      },
      handler: async (request) => {
        const deadJobs = await listDeadJobs(context.store, request.query, request.deadline);
        const last = deadJobs.length === request.query.limit ? deadJobs.at(-1) : undefined;
        return { deadJobs, nextBefore: last?.diedAt ?? null };
      },
    });

    app.route({
      method: "POST",
      url: "/api/v1/admin/dead-jobs/:kind/:id/redrive",
      schema: {
        tags: ["admin"],
        summary: "Give a dead job another life",
        description: "Its tries and crashes start at zero; it is on its queue within seconds.",
        security: secretSecurity,
        params: z.object({ kind: z.enum(deadJobKinds), id: z.string().min(1).max(120) }),
        response: { 202: z.object({ kind: z.enum(deadJobKinds), id: z.string() }), ...problems, ...adminProblems },
      },
      handler: async (request, reply) => {
        const { kind, id } = request.params;
        if (!(await redriveDeadJob(context.store, { kind, id }, request.deadline)))
          throw new AppError("not_found", `Não há ${kind} ${id} que tenha morrido.`);
        return reply.code(202).send({ kind, id });
      },
    });
  };
