import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const pncpConfig = z.object({
  PNCP_CONSULTA_URL: sourceUrl
    .default("https://pncp.gov.br/api/consulta")
    .meta({ description: "Base address of the PNCP consulta API, without /v1" }),
  PNCP_URL: sourceUrl.default("https://pncp.gov.br/api/pncp").meta({
    description: "Base address of the PNCP API that has items, results, terms and each contract, without /v1",
  }),
  PNCP_PER_MINUTE: callsPerMinute
    .default(40)
    .meta({ description: "Calls a minute to the PNCP, of all processes together; it publishes no limit" }),
  PNCP_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(300)
    .default(30)
    .meta({ description: "Seconds the PNCP may take for one answer, to its last byte" }),
  PNCP_PAGE_ROWS: z.coerce
    .number()
    .int()
    .min(10)
    .max(500)
    .default(500)
    .meta({ description: "Rows asked for in one page of the PNCP; where it refuses so many, 50 are asked for" }),
});
