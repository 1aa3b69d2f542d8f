import { findCoverageSnapshot } from "@cidadao/database/coverage-snapshots";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import type { ApiContext } from "../context.ts";
import { coverageMap } from "../coverage-map.ts";
import { coverageMapSchema, problems } from "../schemas.ts";

export const transparencyRoutes =
  (context: ApiContext): FastifyPluginAsyncZod =>
  async (app) => {
    app.route({
      method: "GET",
      url: "/api/v1/transparency/coverage/map",
      schema: {
        tags: ["transparency"],
        summary: "Which public sources answer, by state",
        description:
          "As of the last time that the schedule coverage-map asked them, every six hours. Only sources that this " +
          "installation really asks are here. A state has the sources that name it; a state without any is `unhealthy` " +
          "with no `apis`. `total_apis` counts the national ones too.",
        response: { 200: coverageMapSchema, ...problems },
      },
      handler: async (request) => coverageMap(await findCoverageSnapshot(context.store, request.deadline), new Date()),
    });
  };
