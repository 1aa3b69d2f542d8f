import { portalTransparencia } from "./portal-transparencia/source.ts";

/** Every source, in alphabetical order. */
export const sources = [portalTransparencia] as const;
