import { asAppError, type ErrorCode, errorCatalogue } from "@cidadao/runtime/errors";
import type { Logger } from "@cidadao/runtime/logger";
import type { FastifyError, FastifyInstance, FastifyReply } from "fastify";
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from "fastify-type-provider-zod";
import { z } from "zod";

/** RFC 9457. `detail` is one Portuguese or English sentence that says what to do; `code` is from the error catalogue. */
export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.enum(Object.keys(errorCatalogue) as [ErrorCode, ...ErrorCode[]]),
    instance: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem details" });

type Issue = { path: string; message: string };

function sendProblem(
  reply: FastifyReply,
  problem: { code: ErrorCode; detail: string; retryAfterSeconds?: number | null; errors?: Issue[] },
): FastifyReply {
  const { status, title } = errorCatalogue[problem.code];
  if (problem.retryAfterSeconds) void reply.header("retry-after", String(Math.ceil(problem.retryAfterSeconds)));
  const body = {
    type: `urn:cidadao-ai:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    instance: reply.request.url,
    ...(problem.errors ? { errors: problem.errors } : {}),
  };
  return reply.code(status).type("application/problem+json").serializer(JSON.stringify).send(body);
}

/** Every failure of every route leaves as problem+json; a bug is logged whole and answered without its insides. */
export function useProblems(app: FastifyInstance, logger: Logger): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, { code: "not_found", detail: `Não há nada em ${request.method} ${request.url}. Veja /docs.` }),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (hasZodFastifySchemaValidationErrors(error)) {
      const where = error.validationContext ?? "request";
      const errors = error.validation.map((issue) => ({
        path: [where, ...issue.instancePath.split("/").filter(Boolean)].join("."),
        message: issue.message ?? "invalid",
      }));
      const detail = errors.map(({ path, message }) => `${path}: ${message}`).join("; ");
      return sendProblem(reply, { code: "invalid_request", detail, errors });
    }
    const own = codeOfFastify(error);
    if (own) return sendProblem(reply, { code: own, detail: error.message });
    const known = asAppError(error);
    if (known.code === "internal" || isResponseSerializationError(error)) {
      logger.error(
        { method: request.method, endpoint: request.routeOptions.url, error: error.message, stack: error.stack },
        "request failed",
      );
      return sendProblem(reply, { code: "internal", detail: "Erro interno; o registro do erro foi guardado." });
    }
    return sendProblem(reply, { code: known.code, detail: known.message, retryAfterSeconds: known.retryAfterSeconds });
  });
}

function codeOfFastify(error: FastifyError): ErrorCode | null {
  switch (error.code) {
    case "FST_ERR_CTP_BODY_TOO_LARGE":
      return "body_too_large";
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
      return "unsupported_media_type";
    case "FST_ERR_CTP_INVALID_JSON_BODY":
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
    case "FST_ERR_BAD_URL":
      return "invalid_request";
    default:
      return error.statusCode === 400 ? "invalid_request" : null;
  }
}
