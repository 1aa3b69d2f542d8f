import type { Amendment } from "@cidadao/domain/contract";
import { fold, isWithheld } from "./text.ts";

const INCREASE = new RegExp(
  [
    "acresc",
    "suplement",
    "adita(mento|r|tivo)? de valor",
    "servicos? adiciona",
    "recursos financeiros adiciona",
    "aument",
    "altera\\w+ d[eo] valor",
    "inclu(ir|sao) (de )?(metas|postos|itens|novos)",
    "novas vagas",
  ].join("|"),
);
const RENEWAL = /prorrog|vigencia|renova|reajust|repactua|revisao de preco|reequilibrio|apostil|dilacao/;
const DECREASE = /supress|suprim|decresc|reduc\w+ (do )?quantitativ|reduzir (o )?(numero|quantitativo)/;
/** Of art. 65 the item II and its §2º, and of art. 124 the item II, are changes by agreement. */
const AGREEMENT =
  /consensual|acordo (entre|das) (as )?partes|(mutuo|comum) acordo|65,? *(inciso +)?ii\b|65,? *§ *2|124,? *(inciso +)?ii\b/;

/** What an amendment says that it does to the value; a withheld or empty text says nothing. */
export type Change = "increase" | "mixed" | "renewal" | "decrease" | "silent";

export function readChange({ object }: Amendment): Change {
  const text = isWithheld(object) ? "" : fold(object ?? "");
  const isRenewal = RENEWAL.test(text);
  if (INCREASE.test(text)) return isRenewal ? "mixed" : "increase";
  if (isRenewal) return "renewal";
  return DECREASE.test(text) ? "decrease" : "silent";
}

export function speaksOfRenewal({ object }: Amendment): boolean {
  return RENEWAL.test(fold(object ?? ""));
}

/** Whether an amendment names an increase in any way. */
export function speaksOfIncrease({ object }: Amendment): boolean {
  return !isWithheld(object) && INCREASE.test(fold(object ?? ""));
}

export function hasAgreement({ object }: Amendment): boolean {
  return AGREEMENT.test(fold(object ?? ""));
}

const STATED_INCREASE = /(?:acresc|aditamento de valor)[^;%]{0,160}?(\d{1,3}(?:,\d{1,4})?)\s*%/g;

/** Sum of the different percentages of increase that each amendment states, as a share; 0 when none does. */
export function statedIncreaseOf(amendments: readonly Amendment[]): number {
  const percents = amendments.flatMap(({ object }) => [
    ...new Set([...fold(object ?? "").matchAll(STATED_INCREASE)].map(([, percent = "0"]) => percent)),
  ]);
  return percents.reduce((sum, percent) => sum + Number(percent.replace(",", ".")), 0) / 100;
}
