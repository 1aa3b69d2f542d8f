import { pncp } from "./pncp/source.ts";
import { portalTransparencia } from "./portal-transparencia/source.ts";

/** Every source, in alphabetical order. */
export const sources = [pncp, portalTransparencia] as const;
