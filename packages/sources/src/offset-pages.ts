import type { CacheParams } from "@cidadao/runtime/response-cache";
import type { Answer, Position } from "./define-source.ts";
import { ask, digestOf, type Door, invalid } from "./outbound.ts";

export type OffsetQuestion = {
  path: string;
  params: CacheParams;
  /** Rows a page. */
  size: number;
  /** How the source calls where a page begins, and how long it is. */
  pageParams: (offset: number, size: number) => CacheParams;
  /** The rows of an answer; `null` for an answer of another shape. */
  rowsIn: (body: unknown) => unknown[] | null;
};

/** Many times the longest list of one question. */
const ROWS_MAX = 1_000_000;

/** Every page of a list that is asked for by offset, in order. Ends at a page that is not full. */
export async function* askByOffset(
  door: Door,
  question: OffsetQuestion,
  from: Position | null,
  signal: AbortSignal,
): AsyncGenerator<Answer, void, void> {
  const { path, size, rowsIn } = question;
  // Kept with the position, so that whoever goes on notices a page that was given before.
  let previous = String(from?.["previous"] ?? "");
  for (let offset = Number(from?.["offset"] ?? 0); offset < ROWS_MAX; offset += size) {
    const params = { ...question.params, ...question.pageParams(offset, size) };
    const { body, ...answered } = await ask(door, { path, params }, signal, (found, text) => {
      const rows = rowsIn(found);
      if (rows === null) throw invalid(door, `${path} não respondeu uma lista`);
      if (rows.length > size) throw invalid(door, `${path} respondeu ${rows.length} linhas a quem pediu ${size}`);
      if (rows.length > 0 && digestOf(text) === previous)
        throw invalid(door, `${path} repetiu em ${offset} a página anterior`);
      previous = digestOf(text);
    });
    const rows = rowsIn(body) ?? [];
    const isLast = rows.length < size;
    yield { ...answered, rows, next: isLast ? null : { offset: offset + size, previous } };
    if (isLast) return;
  }
  throw invalid(door, `${path} passou de ${ROWS_MAX} linhas; nada além delas foi lido`);
}

/** The list under one of these names in an object. */
export function listNamed(body: unknown, names: readonly string[]): unknown[] | null {
  if (typeof body !== "object" || body === null || Array.isArray(body)) return null;
  const entries = Object.entries(body);
  const found = names.map((name) => entries.find(([key]) => key === name)?.[1] as unknown).find(Array.isArray);
  return (found as unknown[] | undefined) ?? null;
}
