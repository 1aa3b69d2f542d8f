import { createHash, timingSafeEqual } from "node:crypto";
import { AppError } from "@cidadao/runtime/errors";
import type { FastifyReply, FastifyRequest } from "fastify";

export const securitySchemes = {
  secretKey: { type: "apiKey", in: "header", name: "x-api-key", description: "API_SECRET_KEY" },
  secretBearer: { type: "http", scheme: "bearer", description: "API_SECRET_KEY" },
} as const;

/** What a guarded route says of itself in OpenAPI: either form of the key. */
export const secretSecurity = [{ secretKey: [] }, { secretBearer: [] }];

/**
 * Lets a request pass that carries the key, in a time that says nothing about the key. `Basic` takes it as a password too:
 * what a browser asks a person for, and asks again when it was wrong.
 */
export function requireSecret(
  secretKey: string | null,
  { scheme = "Bearer", what = "Esta rota" }: { scheme?: "Bearer" | "Basic"; what?: string } = {},
) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (secretKey === null) {
      throw new AppError("forbidden", `${what} está desligada: defina API_SECRET_KEY no serviço web para usá-la.`);
    }
    const given = keyOf(request, scheme);
    const isRight = given !== null && timingSafeEqual(digest(given), digest(secretKey));
    if (isRight) return;
    if (given !== null && scheme === "Bearer") throw new AppError("forbidden", "A chave enviada não confere.");
    void reply.header("www-authenticate", `${scheme} realm="cidadao"`);
    throw new AppError("unauthorized", "Envie a chave de API_SECRET_KEY em X-API-Key ou em Authorization: Bearer.");
  };
}

function keyOf({ headers }: FastifyRequest, scheme: "Bearer" | "Basic"): string | null {
  const [, kind = "", credentials = ""] = /^(Bearer|Basic)\s+(.+)$/i.exec(headers.authorization ?? "") ?? [];
  const key = headers["x-api-key"] ?? (/^bearer$/i.test(kind) ? credentials : null);
  if (typeof key === "string" && key !== "") return key;
  if (scheme !== "Basic" || !/^basic$/i.test(kind)) return null;
  return (
    Buffer.from(credentials, "base64")
      .toString("utf8")
      .replace(/^[^:]*:/, "") || null
  );
}

/** Of one length whatever it is the digest of, which timingSafeEqual asks for. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
