/** Where the data is: what is committed here, and a folder with more, where one was named. */
export type EvaluationData = { committed: string; folder: string | null };

/** One part of the page. A figure outside its bound, or a promise not kept, is a failure and ends the run with exit code 1. */
export type Section = { title: string; markdown: string; failures: string[] };

export function tableOf(head: string[], rows: (string | number)[][]): string {
  const line = (cells: (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** What a part says in place of its table when it needs more than the committed data. */
export const NOT_MEASURED = "Não medido: precisa de `--data PASTA`.";
