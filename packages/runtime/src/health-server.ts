import http from "node:http";
import { z } from "zod";
import type { Telemetry } from "./telemetry.ts";

export const healthConfig = z.object({
  HOST: z.string().default("0.0.0.0").describe("Address to listen on"),
  HEALTH_PORT: z.coerce
    .number()
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .describe("Port of /health and /metrics of worker and scheduler; unset: none"),
});

/**
 * `/health/live`, `/health/ready` and `/metrics` for a process that serves no API. Live means that the event loop
 * turns; `ready` answers what it knows without calling anything outside.
 */
export async function serveHealth(options: {
  port: number;
  host: string;
  telemetry: Telemetry;
  ready: () => { ok: boolean; detail: Record<string, unknown> };
}): Promise<AsyncDisposable> {
  const server = http.createServer((request, response) => {
    const answer = (status: number, type: string, body: string) =>
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    switch (request.url ?? "") {
      case "/health/live":
        answer(200, "application/json", '{"status":"live"}');
        return;
      case "/health/ready": {
        const { ok, detail } = options.ready();
        answer(ok ? 200 : 503, "application/json", JSON.stringify({ status: ok ? "ready" : "not_ready", ...detail }));
        return;
      }
      case "/metrics":
        options.telemetry.registry.metrics().then(
          (text) => answer(200, options.telemetry.registry.contentType, text),
          () => answer(500, "text/plain", "metrics are not available"),
        );
        return;
      default:
        answer(404, "application/json", '{"status":"no such path"}');
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(options.port, options.host, resolve);
  });
  return {
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
