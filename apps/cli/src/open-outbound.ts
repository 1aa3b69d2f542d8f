import { once } from "node:events";
import { createStoredCache } from "@cidadao/database/source-responses";
import { openStore, type Store } from "@cidadao/database/store";
import { chooseBackend, producerConnection } from "@cidadao/queue/backend";
import { parseConfig } from "@cidadao/runtime/config";
import { createHttpClient, type HttpClient } from "@cidadao/runtime/http-client";
import { observedCache } from "@cidadao/runtime/response-cache";
import { openSharedLimits, type SharedLimits } from "@cidadao/runtime/shared-limits";
import type { Outbound } from "@cidadao/sources/outbound";
import { ingestEnvironment } from "./config.ts";

const REDIS_TIMEOUT_MS = 5_000;

/** What a command needs to ask sources and store what they say, within the limits that it shares with the services. */
export async function openOutbound(
  environment: Record<string, string | undefined>,
  resources: AsyncDisposableStack,
): Promise<{ store: Store; http: HttpClient; outbound: Outbound; limits: SharedLimits }> {
  const config = parseConfig(ingestEnvironment, environment);
  const store = openStore(config);
  const http = resources.use(createHttpClient({ userAgent: "cidadao-ai/0.1 (public spending watch; command line)" }));
  const limits = openSharedLimits(await sharedRedis());
  const outbound: Outbound = {
    http,
    limiter: limits.limiter,
    pauses: limits.pauses,
    cache: observedCache(createStoredCache(store), () => {}),
    cacheTtlSeconds: config.CACHE_TTL,
  };
  return { store, http, outbound, limits };

  async function sharedRedis() {
    const backend = chooseBackend(config);
    if (backend.kind !== "redis") return null;
    const redis = producerConnection(backend.url);
    redis.on("error", () => {}); // the limits go on in memory
    resources.defer(() => redis.disconnect());
    // Before it is ready this process would count for itself alone.
    await once(redis, "ready", { signal: AbortSignal.timeout(REDIS_TIMEOUT_MS) });
    return { redis, keyPrefix: backend.prefix };
  }
}
