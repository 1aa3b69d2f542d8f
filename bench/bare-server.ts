import { createClient } from "@supabase/supabase-js";
import { fastify } from "fastify";
import {
  chooseBackend,
  postgresConnection,
  postgresQueue,
  producerConnection,
  RedisQueue,
} from "@cidadao/queue/backend";

/** The baseline of `bench api`: a bare Fastify route with the one insert and the one `queue.add` that opening needs. */
const environment = process.env;
const backend = chooseBackend(
  { REDIS_URL: environment["REDIS_URL"], DATABASE_URL: environment["DATABASE_URL"] },
  "bare",
);
const queue =
  backend.kind === "redis"
    ? new RedisQueue("investigations", { connection: producerConnection(backend.url), prefix: "bare" })
    : new postgresQueue("bare", { connection: postgresConnection(backend) });
const store = createClient(environment["SUPABASE_URL"]!, environment["SUPABASE_SERVICE_ROLE_KEY"]!, {
  auth: { persistSession: false, autoRefreshToken: false },
});

const app = fastify();
app.get("/health/ready", async () => ({ status: "ready" }));
app.post("/api/v1/investigations", async (request, reply) => {
  const body = request.body as { scope: unknown };
  const row = { scope: body.scope, origin: "api", request_hash: "bare" };
  const { data, error } = await store.from("investigations").insert(row).select("id").single();
  if (error) throw new Error(error.message);
  await queue.add(
    "run-investigation",
    { investigationId: data.id, fence: 0 },
    { removeOnComplete: true, removeOnFail: true },
  );
  return reply.code(202).send(data);
});
await app.listen({ host: "127.0.0.1", port: Number(environment["PORT"]) });
process.on("disconnect", () => process.exit(0));
