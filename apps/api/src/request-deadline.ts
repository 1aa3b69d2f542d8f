import type { FastifyInstance, FastifyRequest } from "fastify";

declare module "fastify" {
  interface FastifyRequest {
    /** Aborts when the request has taken longer than a client should wait. */
    deadline: AbortSignal;
  }
}

const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Gives every request one signal for all it asks of others. The timer goes with the answer: `AbortSignal.timeout` would
 * keep each request in memory until its time is over.
 */
export function useRequestDeadlines(app: FastifyInstance): void {
  const timers = new WeakMap<FastifyRequest, NodeJS.Timeout>();
  const never = new AbortController().signal;
  app.decorateRequest("deadline", { getter: () => never });
  app.addHook("onRequest", async (request) => {
    const controller = new AbortController();
    const late = () => controller.abort(new DOMException("the request took too long", "TimeoutError"));
    timers.set(request, setTimeout(late, REQUEST_TIMEOUT_MS));
    Object.defineProperty(request, "deadline", { value: controller.signal });
  });
  app.addHook("onResponse", async (request) => clearTimeout(timers.get(request)));
}
