import { acknowledgeAlert, findAlertById, listAlerts, resendAlert } from "@cidadao/database/alerts";
import { alertStatuses } from "@cidadao/domain/alert";
import { enqueueDelivery } from "@cidadao/operations/sweep-stuck";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { decodeCursor, encodeCursor } from "../presenters.ts";
import { requireSecret, secretSecurity } from "../require-secret.ts";
import { adminProblems, alertSchema, idParams, pageQuery, problems } from "../schemas.ts";

const common = { tags: ["alerts"], security: secretSecurity };

/** Alerts name their targets and their troubles: they are the operator's. */
export const alertRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook("preHandler", requireSecret(context.secretKey));
    const found = async (id: string, signal: AbortSignal) => {
      const alert = await findAlertById(context.store, id, signal);
      if (!alert) throw new AppError("not_found", `Não existe o alerta ${id}.`);
      return alert;
    };

    app.route({
      method: "GET",
      url: "/api/v1/alerts",
      schema: {
        ...common,
        summary: "Alerts with their deliveries, newest first",
        querystring: pageQuery.extend({ status: z.enum(alertStatuses).optional() }),
        response: {
          200: z.object({ alerts: z.array(alertSchema), nextCursor: z.string().nullable() }),
          ...problems,
          ...adminProblems,
        },
      },
      handler: async (request) => {
        const { limit, cursor, status } = request.query;
        const alerts = await listAlerts(
          context.store,
          { limit, status, before: decodeCursor(cursor) },
          request.deadline,
        );
        const last = alerts.length === limit ? alerts.at(-1) : undefined;
        return { alerts, nextCursor: last ? encodeCursor(last) : null };
      },
    });

    app.route({
      method: "POST",
      url: "/api/v1/alerts/:id/acknowledge",
      schema: {
        ...common,
        summary: "Say that somebody has seen it",
        params: idParams,
        response: { 200: alertSchema, ...problems, ...adminProblems },
      },
      handler: async (request) => {
        const { id } = request.params;
        if (!(await acknowledgeAlert(context.store, id, request.deadline)))
          throw new AppError("not_found", `Não existe o alerta ${id}.`);
        return found(id, request.deadline);
      },
    });

    app.route({
      method: "POST",
      url: "/api/v1/alerts/:id/resend",
      schema: {
        ...common,
        summary: "Send again what failed or may not have arrived",
        description:
          "What is unknown may then arrive twice: that is for a person to decide. What was sent stays as it is.",
        params: idParams,
        response: { 202: alertSchema, ...problems, ...adminProblems },
      },
      handler: async (request, reply) => {
        const { id } = request.params;
        await found(id, request.deadline);
        const deliveries = await resendAlert(context.store, id, request.deadline);
        await Promise.all(deliveries.map((delivery) => enqueueDelivery(context, delivery)));
        return reply.code(202).send(await found(id, request.deadline));
      },
    });
  };
