import { recordFeedback } from "@cidadao/database/feedback";
import { verdicts } from "@cidadao/domain/anomaly";
import { isFeedbackSigned } from "@cidadao/operations/feedback-link";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { adminProblems, idParams, problems } from "../schemas.ts";

const signed = z.object({ signature: z.string().max(100) });

/**
 * The link in an alert opens a page and changes nothing: whoever looks at links before people do must not vote. The
 * buttons of the page do.
 */
export const feedbackRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    // A form without fields: what it says is in its address.
    app.addContentTypeParser("application/x-www-form-urlencoded", { parseAs: "string" }, (_request, _body, done) =>
      done(null, {}),
    );
    const assertSigned = (anomalyId: string, signature: string) => {
      const secret = context.feedbackSecret;
      if (secret === null) throw new AppError("forbidden", "O retorno está desligado: defina FEEDBACK_SECRET.");
      if (!isFeedbackSigned({ secret, anomalyId, signature })) throw new AppError("forbidden", "O link não confere.");
    };
    const url = "/api/v1/anomalies/:id/feedback";

    app.route({
      method: "GET",
      url,
      schema: {
        tags: ["anomalies"],
        summary: "The page behind the signed link of an alert",
        params: idParams,
        querystring: signed,
        response: { 200: z.string(), ...problems, ...adminProblems },
      },
      handler: async (request, reply) => {
        const { signature } = request.query;
        assertSigned(request.params.id, signature);
        const button = (verdict: string, label: string) =>
          `<form method="post" action="?signature=${encodeURIComponent(signature)}&amp;verdict=${verdict}"><button>${label}</button></form>`;
        const page =
          '<!doctype html><html lang="pt-BR"><meta charset="utf-8"><title>Cidadão.AI</title><h1>Este indício procede?</h1>' +
          button("confirmed", "Sim, procede") +
          button("false_positive", "Não, é um falso positivo");
        return reply.type("text/html; charset=utf-8").serializer(String).send(page);
      },
    });

    app.route({
      method: "POST",
      url,
      schema: {
        tags: ["anomalies"],
        summary: "Say whether a finding is one",
        description: "The newest verdict counts; it becomes the anomaly's status and a labelled example.",
        params: idParams,
        querystring: signed.extend({ verdict: z.enum(verdicts) }),
        response: {
          200: z.object({ anomalyId: z.string(), verdict: z.enum(verdicts), message: z.string() }),
          ...problems,
          ...adminProblems,
        },
      },
      handler: async (request) => {
        const { id: anomalyId } = request.params;
        const { signature, verdict } = request.query;
        assertSigned(anomalyId, signature);
        if (!(await recordFeedback(context.store, { anomalyId, verdict }, request.deadline)))
          throw new AppError("not_found", `Não existe o indício ${anomalyId}.`);
        return { anomalyId, verdict, message: "Obrigado. O seu retorno foi guardado." };
      },
    });
  };
