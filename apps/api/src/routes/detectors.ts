import { type DetectorPrecision, listDetectorPrecision } from "@cidadao/database/feedback";
import { detectors } from "@cidadao/detectors/registry";
import type { FastifyPluginAsyncZod } from "fastify-type-provider-zod";
import { z } from "zod";
import type { ApiContext } from "../context.ts";
import { detectorSchema, problems } from "../schemas.ts";

export const detectorRoutes =
  (context: Pick<ApiContext, "store">): FastifyPluginAsyncZod =>
  async (app) => {
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
        summary:
          "Every detector: question, method, law, exclusions, parameters, and how often people said that it was right",
        response: { 200: z.object({ detectors: z.array(detectorSchema) }), ...problems },
      },
      handler: async (request) => {
        const known = await listDetectorPrecision(context.store, request.deadline);
        return { detectors: listed.map((detector) => ({ ...detector, precision: precisionOf(detector, known) })) };
      },
    });
  };

function precisionOf(detector: { id: string; version: number }, known: DetectorPrecision[]) {
  const found = known.find((one) => one.detector === detector.id && one.detectorVersion === detector.version);
  if (!found) return null;
  const { confirmed, falsePositive } = found;
  return { confirmed, falsePositive, share: confirmed / (confirmed + falsePositive) };
}
