import { detectors } from "@cidadao/detectors/registry";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import { detectorSchema } from "../schemas.ts";

export const detectorRoutes: FastifyPluginAsyncZod = async (app) => {
  const listed = detectors.map(({ params, needs, ...detector }) => ({
    ...detector,
    needs: [...needs],
    params: z.toJSONSchema(params, { io: "input" }) as Record<string, unknown>,
  }));
  app.route({
    method: "GET",
    url: "/api/v1/detectors",
    schema: {
      tags: ["detectors"],
      summary: "Every detector: question, method, law, exclusions, parameters",
      response: { 200: z.object({ detectors: z.array(detectorSchema) }) },
    },
    handler: async () => ({ detectors: listed }),
  });
};
