import { tableOf } from "../section.ts";

/** A published figure beside what our code measures; both as they are shown. */
export type Figure = {
  figure: string;
  /** In Portuguese, with the code that measures it where that is not obvious. */
  definition: string;
  expected: string;
  measured: string;
  note: string;
  /** Another value than the expected one that is right for us; `note` says why. */
  explained: string | null;
};

type Compared = [expected: string | number, measured: string | number];

/** Equal, or a failure. */
export function figure(name: string, definition: string, [expected, measured]: Compared, note = ""): Figure {
  return { figure: name, definition, expected: shown(expected), measured: shown(measured), note, explained: null };
}

/** Where we measure something else on purpose: `explained` is the value that we stand by. */
export function explainedFigure(
  name: string,
  definition: string,
  [expected, measured]: Compared,
  { explained, note }: { explained: string | number; note: string },
): Figure {
  return { ...figure(name, definition, [expected, measured], note), explained: shown(explained) };
}

export function figuresTable(figures: readonly Figure[]): string {
  return tableOf(
    ["figura", "definição", "esperado", "medido", "ok", "nota"],
    figures.map((one) => [one.figure, one.definition, one.expected, one.measured, answerOf(one), one.note]),
  );
}

export function failuresOf(title: string, figures: readonly Figure[]): string[] {
  return figures
    .filter((one) => answerOf(one) === "não")
    .map((one) => `${title}, ${one.figure}: expected ${one.explained ?? one.expected}, measured ${one.measured}`);
}

function answerOf({ expected, measured, explained }: Figure): "sim" | "explicado" | "não" {
  if (measured === expected && explained === null) return "sim";
  return measured === explained ? "explicado" : "não";
}

/** "5.552.584.000,00" from cents. */
export function reais(cents: number): string {
  return new Intl.NumberFormat("pt-BR", { minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(cents / 100);
}

export function fixed(value: number, digits: number): string {
  return value.toFixed(digits);
}

function shown(value: string | number): string {
  return String(value);
}
