import { deleteWatch, listWatches, type Watch } from "@cidadao/database/watches";
import { createWatch } from "@cidadao/operations/create-watch";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { decodeCursor, encodeCursor } from "../presenters.ts";
import { requireSecret, secretSecurity } from "../require-secret.ts";
import { adminProblems, idParams, pageQuery, problems, watchBody, watchSchema } from "../schemas.ts";

const common = { tags: ["watches"], security: secretSecurity };

/** Whoever creates a watch decides where messages go, so it is the operator who does. */
export const watchRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.addHook("preHandler", requireSecret(context.secretKey));

    app.route({
      method: "GET",
      url: "/api/v1/watches",
      schema: {
        ...common,
        summary: "Who watches what, newest first",
        querystring: pageQuery,
        response: {
          200: z.object({ watches: z.array(watchSchema), nextCursor: z.string().nullable() }),
          ...problems,
          ...adminProblems,
        },
      },
      handler: async (request) => {
        const { limit, cursor } = request.query;
        const watches = await listWatches(context.store, { limit, before: decodeCursor(cursor) }, request.deadline);
        const last = watches.length === limit ? watches.at(-1) : undefined;
        return { watches: watches.map(presentWatch), nextCursor: last ? encodeCursor(last) : null };
      },
    });

    app.route({
      method: "POST",
      url: "/api/v1/watches",
      schema: {
        ...common,
        summary: "Send every alert about a supplier, an agency or a detector to an address as well",
        description:
          "An alert covers findings from ALERT_SEVERITY_MIN on; a watch tells of those among them that are about its " +
          "subject. A new contract of a watched supplier or agency is more easily investigated. The same subject at the " +
          "same address again is the same watch, with 200.",
        body: watchBody,
        response: {
          201: watchSchema,
          200: watchSchema.describe("It was there before, and stays as it is"),
          ...problems,
          ...adminProblems,
        },
      },
      handler: async (request, reply) => {
        const { severityMin = null, ownerId = null, ...given } = request.body;
        const { watch, created } = await createWatch(context, { ...given, severityMin, ownerId }, request.deadline);
        return reply.code(created ? 201 : 200).send(presentWatch(watch));
      },
    });

    app.route({
      method: "DELETE",
      url: "/api/v1/watches/:id",
      schema: {
        ...common,
        summary: "Stop watching",
        params: idParams,
        response: { 204: z.null().describe("It is gone"), ...problems, ...adminProblems },
      },
      handler: async (request, reply) => {
        const { id } = request.params;
        if (!(await deleteWatch(context.store, id, request.deadline)))
          throw new AppError("not_found", `Não existe o acompanhamento ${id}.`);
        return reply.code(204).send(null);
      },
    });
  };

function presentWatch({ subjectKind, subjectId, ...watch }: Watch) {
  return { ...watch, kind: subjectKind, subject: subjectId };
}
