import { ConfigError } from "@cidadao/runtime/config";
import type { z } from "zod";
import { cnpj } from "./cnpj/source.ts";
import { outboundConfig } from "./config.ts";
import { comprasgovContratos } from "./comprasgov-contratos/source.ts";
import type { Source } from "./define-source.ts";
import { ibge } from "./ibge/source.ts";
import { katanaScan } from "./katana-scan/source.ts";
import { pncp } from "./pncp/source.ts";
import { portalTransparencia } from "./portal-transparencia/source.ts";
import { queridoDiario } from "./querido-diario/source.ts";
import { tceCe } from "./tce-ce/source.ts";
import { tcePe } from "./tce-pe/source.ts";
import { tceRj } from "./tce-rj/source.ts";
import { tceSp } from "./tce-sp/source.ts";
import { tcu } from "./tcu/source.ts";

/** Every source, in alphabetical order. */
export const sources: readonly Source[] = [
  cnpj,
  comprasgovContratos,
  ibge,
  katanaScan,
  pncp,
  portalTransparencia,
  queridoDiario,
  tceCe,
  tcePe,
  tceRj,
  tceSp,
  tcu,
];

/**
 * What holds for every source, and the variables of each. Whoever needs the values of one extends this by that one's own
 * schema.
 */
export const sourcesConfig = sources.reduce(
  // It takes more variables than its type tells.
  (all, source) => all.extend(source.config.shape) as z.ZodObject as typeof outboundConfig,
  outboundConfig,
);

/** Those of `ids`, or all that were recorded; a source whose key is missing is off. Throws a `ConfigError` for an id that names none. */
export function sourcesInUse(
  ids: readonly string[] | undefined,
  environment: Record<string, string | undefined>,
): Source[] {
  const unknown = (ids ?? []).filter((id) => !sources.some((source) => source.id === id));
  if (unknown.length > 0) {
    const known = sources.map(({ id }) => id).join(", ");
    throw new ConfigError(`SOURCES: there is no source ${unknown.join(", ")}; there are ${known}`);
  }
  const isNamed = (source: Source) => ids?.includes(source.id) ?? source.described === undefined;
  return sources.filter((source) => isNamed(source) && source.missing(environment).length === 0);
}
