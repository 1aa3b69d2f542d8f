/** Money is a safe integer of centavos of real (BRL). Nothing in the project adds up floating-point reais. */
export type Cents = number;

/** No public contract reaches a trillion reais; a larger amount is a typing error at the source. */
const CENTS_MAX: Cents = 100_000_000_000_000;

/** Converts a JSON number of reais to cents; `null` when it is not a finite amount within `CENTS_MAX`. */
export function centsFromReais(reais: number): Cents | null {
  if (!Number.isFinite(reais)) return null;
  const cents = Math.round(reais * 100);
  return Math.abs(cents) <= CENTS_MAX ? cents : null;
}

const BRAZILIAN_DECIMAL = /^(-?)(\d{1,3}(?:\.\d{3})*|\d+)(?:,(\d{1,6}))?$/;

/** Reads Brazilian decimal text ("1.234,56", "2588,9700") as cents, half up; `null` when it is no such text. */
export function centsFromBrazilianText(text: string): Cents | null {
  const match = BRAZILIAN_DECIMAL.exec(text.trim().replace(/^R\$\s*/u, ""));
  if (!match) return null;
  const [, sign, whole, fraction = ""] = match;
  const digits = fraction.padEnd(3, "0");
  const cents = Number(whole!.replaceAll(".", "")) * 100 + Number(digits.slice(0, 2)) + (digits[2]! >= "5" ? 1 : 0);
  if (cents > CENTS_MAX) return null;
  return sign && cents > 0 ? -cents : cents;
}

const brl = new Intl.NumberFormat("pt-BR", { style: "currency", currency: "BRL" });

/** "R$ 1.234,56", with an ordinary space so that it can be searched for and copied. */
export function formatBrl(cents: Cents): string {
  return brl.format(cents / 100).replaceAll("\u00a0", " ");
}
