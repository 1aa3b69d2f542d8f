import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyReply, FastifyRequest } from "fastify";

export const securitySchemes = {
  secretKey: { type: "apiKey", in: "header", name: "x-api-key", description: "API_SECRET_KEY" },
  secretBearer: { type: "http", scheme: "bearer", description: "API_SECRET_KEY" },
} as const;

/** What a guarded route says of itself in OpenAPI: either form of the key. */
export const secretSecurity = [{ secretKey: [] }, { secretBearer: [] }];

/** Lets a request pass that carries the key, in a time that says nothing about the key. */
export function requireSecret(secretKey: string | null, what = "Esta rota") {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (secretKey === null) {
      throw new AppError("forbidden", `${what} está desligada: defina API_SECRET_KEY no serviço web para usá-la.`);
    }
    const given = keyOf(request);
    if (given === null) {
      void reply.header("www-authenticate", 'Bearer realm="cidadao"');
      throw new AppError("unauthorized", "Envie a chave de API_SECRET_KEY em X-API-Key ou em Authorization: Bearer.");
    }
    if (!timingSafeEqual(digest(given), digest(secretKey)))
      throw new AppError("forbidden", "A chave enviada não confere.");
  };
}

function keyOf({ headers }: FastifyRequest): string | null {
  const [, bearer] = /^Bearer\s+(.+)$/i.exec(headers.authorization ?? "") ?? [];
  const key = headers["x-api-key"] ?? bearer;
  return typeof key === "string" && key !== "" ? key : null;
}

/** Of one length whatever it is the digest of, which timingSafeEqual asks for. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
