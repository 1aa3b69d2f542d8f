import { z } from "zod";
import { callsPerMinute, sourceUrl } from "../config.ts";

export const tcePeConfig = z.object({
  TCE_PE_URL: sourceUrl
    .default("https://sistemas.tce.pe.gov.br/DadosAbertos")
    .meta({ description: "Base address of the open data of the audit court of Pernambuco" }),
  TCE_PE_PER_MINUTE: callsPerMinute
    .default(30)
    .meta({ description: "Calls a minute to the audit court of Pernambuco, of all processes together" }),
});
