import { z } from "zod";
import { cnpj } from "./cnpj/source.ts";
import type { Source } from "./define-source.ts";
import { pncp } from "./pncp/source.ts";
import { portalTransparencia } from "./portal-transparencia/source.ts";

/** Every source, in alphabetical order. */
export const sources: readonly Source[] = [cnpj, pncp, portalTransparencia];

/** The variables of all of them. */
export const sourcesConfig: z.ZodObject = sources.reduce(
  (all: z.ZodObject, source) => all.extend(source.config.shape),
  z.object({}),
);
