import { AppError, asAppError, errorCatalogue } from "@cidadao/runtime/errors";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import type { ApiContext } from "../context.ts";
import { requireSecret } from "../require-secret.ts";

const PREFIX = "/api/v1/admin/queues";
/** Everything comes from this server: the pages name fonts of another one, which then are left out. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; object-src 'none'; " +
  "base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/**
 * Bull Board over the queues, for looking only: what is tried again is a row, by the routes for dead jobs. In a browser
 * the key is the password of any user name.
 */
export const queueBoardRoutes =
  (context: ApiContext): FastifyPluginAsync =>
  async (app) => {
    // Off without the key, and not even loaded.
    if (context.secretKey === null) return;
    app.addHook("onRequest", requireSecret(context.secretKey, { scheme: "Basic" }));
    app.addHook("onRequest", async (request, reply) => {
      void reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
      if (request.method !== "GET" && request.method !== "HEAD")
        throw new AppError("method_not_allowed", "Este painel só mostra; veja /api/v1/admin/dead-jobs.");
    });
    await registerBoard(app, context);
  };

async function registerBoard(app: FastifyInstance, context: ApiContext): Promise<void> {
  const [{ createBullBoard }, { BullMQAdapter }, { FastifyAdapter }] = await Promise.all([
    import("@bull-board/api"),
    import("@bull-board/api/bullMQAdapter"),
    import("@bull-board/fastify"),
  ]);
  const serverAdapter = new FastifyAdapter().setBasePath(PREFIX);
  const uiConfig = { boardTitle: "Cidadão.AI" };
  const board = createBullBoard({ queues: [], serverAdapter, options: { uiConfig } });
  // Its own would answer every refusal as a failure of the server.
  serverAdapter.setErrorHandler((error) => {
    const { code, message } = asAppError(error);
    const detail = code === "internal" ? "A fila não respondeu." : message;
    // The adapter passes on any status; its type names the few that it sends by itself.
    return { status: errorCatalogue[code].status as 500, body: { code, detail } };
  });
  let shown: ReturnType<ApiContext["queues"]> = null;
  app.addHook("onRequest", async () => {
    const queues = context.queues();
    if (queues === null) throw new AppError("queue_unavailable", "A fila não responde.");
    if (queues === shown) return;
    board.replaceQueues(queues.map((queue) => new BullMQAdapter(queue as never, { readOnlyMode: true })));
    shown = queues;
  });
  await app.register(serverAdapter.registerPlugin(), { prefix: PREFIX });
}
