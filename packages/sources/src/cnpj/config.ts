import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const cnpjConfig = z.object({
  OPENCNPJ_URL: sourceUrl
    .default("https://api.opencnpj.org")
    .meta({ description: "Base address of OpenCNPJ, the first register of companies that is asked" }),
  MINHARECEITA_URL: sourceUrl
    .default("https://minhareceita.org")
    .meta({ description: "Base address of Minha Receita, the second register; it can be a server of one's own" }),
  BRASILAPI_URL: sourceUrl
    .default("https://brasilapi.com.br/api/cnpj/v1")
    .meta({ description: "Base address of BrasilAPI's CNPJ service, the last register, which itself asks the second" }),
  CNPJ_PER_MINUTE: callsPerMinute
    .default(20)
    .meta({ description: "Calls a minute to each register of companies, of all processes together" }),
  CNPJ_TIMEOUT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(120)
    .default(15)
    .meta({ description: "Seconds a register of companies may take for one answer; then the next is asked" }),
});
