import { parseArgs } from "node:util";
import { detectors } from "@cidadao/detectors/registry";
import type { FileFormatId } from "@cidadao/sources/files/formats";
import { asUsage } from "./command.ts";
import { fileFormatOf } from "./file-format.ts";

const SHOWN_DEFAULT = 20;

export type Analysis = {
  paths: string[];
  format: FileFormatId | undefined;
  sanctions: string[];
  detectors: string[] | undefined;
  params: Record<string, Record<string, unknown>>;
  json: boolean;
  shown: number;
};

export function readAnalysis(args: string[]): Analysis {
  return asUsage(() => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        format: { type: "string" },
        detectors: { type: "string" },
        sanctions: { type: "string", multiple: true, default: [] },
        param: { type: "string", multiple: true, default: [] },
        top: { type: "string", default: String(SHOWN_DEFAULT) },
        json: { type: "boolean", default: false },
      },
    });
    if (positionals.length === 0) throw new Error("name at least one file, or - for the standard input");
    const shown = Number(values.top);
    if (!Number.isInteger(shown) || shown < 1) throw new Error("--top takes a whole number from 1");
    return {
      paths: positionals,
      format: values.format === undefined ? undefined : fileFormatOf(values.format),
      sanctions: values.sanctions,
      detectors: values.detectors === undefined ? undefined : detectorsOf(values.detectors),
      params: paramsOf(values.param),
      json: values.json,
      shown,
    };
  });
}

function detectorsOf(list: string): string[] {
  const ids = list.split(",").filter(Boolean);
  if (ids.length === 0) throw new Error("--detectors takes ids, separated by commas; npx cidadao detectors lists them");
  return ids.map(detectorOf);
}

function detectorOf(id: string): string {
  if (!detectors.some((one) => one.id === id)) throw new Error(`no detector ${id}; npx cidadao detectors lists them`);
  return id;
}

/** "price-outlier.threshold=4" as a value of the detector's own schema; the schema says what is wrong. */
function paramsOf(given: string[]): Analysis["params"] {
  const params: Analysis["params"] = {};
  for (const text of given) {
    const match = /^([a-z0-9-]+)\.(\w+)=(.+)$/.exec(text);
    if (!match) throw new Error(`--param takes DETECTOR.NAME=VALUE, not ${text}`);
    const [, id, name, value] = match;
    const own = (params[detectorOf(id!)] ??= {});
    own[name!] = /^-?\d+(\.\d+)?$/.test(value!) ? Number(value) : value!;
  }
  for (const [id, own] of Object.entries(params)) {
    const schema = detectors.find((one) => one.id === id)!.params;
    const names = Object.keys(schema.shape);
    const unknown = Object.keys(own).find((name) => !names.includes(name));
    if (unknown !== undefined) {
      const known = names.length === 0 ? "it has none" : `there are ${names.join(", ")}`;
      throw new Error(`no parameter ${id}.${unknown}; ${known}`);
    }
    const parsed = schema.safeParse(own);
    if (!parsed.success) {
      throw new Error(parsed.error.issues.map(({ path, message }) => `${id}.${path.join(".")}: ${message}`).join("\n"));
    }
  }
  return params;
}
