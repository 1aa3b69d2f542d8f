import { latestRuns, type ScheduleRun } from "@cidadao/database/schedule-runs";
import { triggerSchedule } from "@cidadao/operations/trigger-schedule";
import { SCHEDULE_ZONE, schedules } from "@cidadao/queue/schedules";
import { describeCatchUp, nextSlot } from "@cidadao/queue/slots";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { requireSecret, secretSecurity } from "../require-secret.ts";
import { adminProblems, problems, scheduleRunSchema, scheduleSchema } from "../schemas.ts";

const tags = ["schedules"];

export const scheduleRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: "GET",
      url: "/api/v1/schedules",
      schema: {
        tags,
        summary: "The timetable: when each schedule runs next, and how it last went",
        response: { 200: z.object({ schedules: z.array(scheduleSchema) }), ...problems },
      },
      handler: async (request) => {
        const ids = schedules.map(({ id }) => id);
        const latest = await latestRuns(context.store, ids, request.deadline);
        const now = new Date();
        return {
          schedules: schedules.map(({ id, summary, cron, catchUp }) => {
            const { run = null, completedAt = null } = latest.get(id) ?? {};
            return {
              id,
              summary,
              cron,
              zone: SCHEDULE_ZONE,
              catchUp: describeCatchUp(catchUp),
              next: nextSlot(cron, now).toISOString(),
              last: run === null ? null : presentRun(run),
              lastCompletedAt: completedAt,
            };
          }),
        };
      },
    });

    app.route({
      method: "POST",
      url: "/api/v1/schedules/:id/run",
      preHandler: requireSecret(context.secretKey),
      schema: {
        tags,
        summary: "Run a schedule's job now",
        description: "Beside its timetable: the next slot comes all the same. 202 means that the run is stored.",
        security: secretSecurity,
        params: z.object({ id: z.string().max(60) }),
        response: { 202: scheduleRunSchema.extend({ scheduleId: z.string() }), ...problems, ...adminProblems },
      },
      handler: async (request, reply) => {
        const run = await triggerSchedule(context, { scheduleId: request.params.id }, request.deadline);
        return reply.code(202).send({ scheduleId: run.scheduleId, ...presentRun(run) });
      },
    });
  };

function presentRun(run: ScheduleRun) {
  const { slot, origin, status, missed, progress, result, problem, startedAt, finishedAt } = run;
  const seconds =
    startedAt === null || finishedAt === null ? null : (Date.parse(finishedAt) - Date.parse(startedAt)) / 1_000;
  return { slot, origin, status, missed, progress, result, problem, startedAt, finishedAt, seconds };
}
