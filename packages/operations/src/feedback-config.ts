import { z } from "zod";

/** Read by the worker, which signs links, and by the API, which checks them. */
export const feedbackConfig = z.object({
  FEEDBACK_SECRET: z
    .string()
    .min(32, "use at least 32 random characters, for example from: openssl rand -hex 32")
    .optional()
    .describe("Secret that signs the feedback links in alerts, the same for web and worker; unset: alerts have none"),
});
