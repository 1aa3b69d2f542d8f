import { z } from "zod";

export const localConfig = z.object({
  PORT: z.coerce.number().int().min(1).max(65_535).optional().describe("Port of the API; default 8000, or a free one"),
  DATA_FOLDER: z.string().default(".data").describe("Where the embedded services keep their data"),
  PATH: z.string().default("/usr/bin:/bin"),
  REDIS_URL: z.string().optional(),
  TRANSPARENCY_API_KEY: z.string().optional(),
  npm_lifecycle_event: z.string().optional(),
});
export type LocalConfig = z.infer<typeof localConfig>;
