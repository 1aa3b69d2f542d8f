import cors from "@fastify/cors";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import { fastify, type FastifyInstance } from "fastify";
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from "fastify-type-provider-zod";
import type { ApiContext } from "./context.ts";
import { securitySchemes } from "./require-secret.ts";
import { useProblems } from "./problem.ts";
import { useRequestDeadlines } from "./request-deadline.ts";
import { adminRoutes } from "./routes/admin.ts";
import { alertRoutes } from "./routes/alerts.ts";
import { anomalyRoutes } from "./routes/anomalies.ts";
import { detectorRoutes } from "./routes/detectors.ts";
import { feedbackRoutes } from "./routes/feedback.ts";
import { healthRoutes } from "./routes/health.ts";
import { investigationRoutes } from "./routes/investigations.ts";
import { queueBoardRoutes } from "./routes/queue-board.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { transparencyRoutes } from "./routes/transparency.ts";
import { watchRoutes } from "./routes/watches.ts";

const BODY_BYTES_MAX = 65_536;
/** Railway's edge and nothing else: an address that a client writes into X-Forwarded-For is not believed. */
const PROXIES_BEFORE_US = 1;
const CONNECTIONS_MAX = 5_000;

/** The whole API as a function of its context; `inject` tests it without a socket. */
export async function buildApp(context: ApiContext): Promise<FastifyInstance> {
  const app = fastify({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: 10_000,
    connectionTimeout: 15_000,
    keepAliveTimeout: 5_000,
    http: { headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
    trustProxy: (_address, hop) => hop < PROXIES_BEFORE_US,
    forceCloseConnections: "idle",
    routerOptions: { ignoreTrailingSlash: true },
    logger: false,
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.removeContentTypeParser("text/plain");
  useProblems(app, context.logger);
  useRequestDeadlines(app);

  app.addHook("onResponse", async (request, reply) => {
    const labels = { method: request.method, endpoint: request.routeOptions.url ?? "unmatched" };
    context.telemetry.httpRequests.inc({ ...labels, status_code: String(reply.statusCode) });
    context.telemetry.httpSeconds.observe(labels, reply.elapsedTime / 1000);
  });

  await app.register(helmet);
  await app.register(cors, {
    origin: context.corsOrigins,
    methods: ["GET", "HEAD", "POST", "PUT", "DELETE"],
    exposedHeaders: ["location", "retry-after", "idempotent-replayed"],
  });
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Cidadão.AI",
        version: "1.0.0",
        description:
          "Watches Brazilian public spending and shows where it looks wrong, with the evidence. A red flag is a reason to look, not an accusation.",
      },
      tags: [
        "investigations",
        "anomalies",
        "detectors",
        "transparency",
        "schedules",
        "alerts",
        "watches",
        "admin",
        "health",
      ].map((name) => ({
        name,
      })),
      components: { securitySchemes },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  await app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  await app.register(investigationRoutes(context));
  await app.register(anomalyRoutes(context));
  await app.register(detectorRoutes(context));
  await app.register(transparencyRoutes(context));
  await app.register(scheduleRoutes(context));
  await app.register(alertRoutes(context));
  await app.register(watchRoutes(context));
  await app.register(feedbackRoutes(context));
  await app.register(adminRoutes(context));
  await app.register(queueBoardRoutes(context));
  await app.register(healthRoutes(context));
  app.get("/", { schema: { hide: true } }, async () => ({ name: "Cidadão.AI", docs: "/docs", health: "/health" }));
  return app;
}
