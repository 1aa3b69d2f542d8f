import { mapNames } from "./define-indicator.ts";
import type { IndicatorResult } from "./run-indicators.ts";

export type WriteOptions = { noMeta?: boolean; map?: boolean };

/** The result on one line of JSON, numbers written as the reference writes them. Order is that of the input. */
export function writeResult(result: IndicatorResult, { noMeta = false, map = false }: WriteOptions = {}): string {
  const groups = [...result.groups].map(
    ([group, subjects]) => [group, writeObject(subjects, (values) => writeObject(values, writeNumber))] as const,
  );
  const meta = () => writeObject(result.meta, (values) => writeObject(values, (value) => writeNumber(round4(value))));
  const maps = () =>
    writeObject(new Map(mapNames.map((name) => [name, result.maps.get(name) ?? new Map()])), (organizationsOf) =>
      writeObject(organizationsOf, (one: string | Set<string>) =>
        typeof one === "string" ? JSON.stringify(one) : `[${[...one].map((id) => JSON.stringify(id)).join(",")}]`,
      ),
    );
  return writeObject(
    new Map([...groups, ...(noMeta ? [] : [["Meta", meta()] as const]), ...(map ? [["Maps", maps()] as const] : [])]),
    (text) => text,
  );
}

/** "OCID: 3", a line for each group with results. */
export function countLines(result: IndicatorResult): string[] {
  return [...result.groups].map(([group, subjects]) => `${group}: ${subjects.size}`);
}

/**
 * A double as Rust's serde_json writes it: the shortest digits that read back as the same number, with ".0" on whole
 * ones, and an exponent from 1e16 up and below 1e-5; `null` for what JSON cannot say.
 */
export function writeNumber(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  const sign = value < 0 ? "-" : "";
  const [mantissa = "", exponent = ""] = Math.abs(value).toExponential().split("e");
  const digits = mantissa.replace(".", "");
  const point = Number(exponent) + 1;
  if (point > 16 || point <= -5) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : "";
    return `${sign}${digits[0]}${fraction}e${Number(exponent)}`;
  }
  if (point <= 0) return `${sign}0.${"0".repeat(-point)}${digits}`;
  if (digits.length <= point) return `${sign}${digits.padEnd(point, "0")}.0`;
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Halves away from zero. */
function round4(value: number): number {
  return (Math.sign(value) * Math.round(Math.abs(value) * 10_000)) / 10_000;
}

function writeObject<Value>(members: ReadonlyMap<string, Value>, write: (value: Value) => string): string {
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${write(value)}`).join(",")}}`;
}
