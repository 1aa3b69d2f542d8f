import { parse } from "ini";
import type { z } from "zod";
import { indicatorCodes, type CommonSettings, type IndicatorCode } from "./define-indicator.ts";
import { indicators } from "./registry.ts";
import { listSetting, switchSetting, textSetting } from "./setting-types.ts";

export type IndicatorSettings = {
  common: Omit<CommonSettings, "keepsMaps">;
  /** Currency mismatches are for information only. */
  infoCurrencyMismatches: boolean;
  /** What is here runs. */
  indicators: Map<IndicatorCode, unknown>;
  /** What in the file has no effect, and why. */
  notes: string[];
};

/** The settings file is wrong; each problem says where and what to write instead. */
class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: string[];
  constructor(problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Without a file every indicator runs with its defaults; with one, those run that have a section. */
export function defaultSettings(): IndicatorSettings {
  return parseSettings(indicatorCodes.map((code) => `[${code}]`).join("\n"));
}

/** Reads Cardinal's settings file, in which the sections of its other commands have their place too. */
export function parseSettings(text: string): IndicatorSettings {
  const file: Section = parse(text.replace(/^\uFEFF/, ""));
  const problems: string[] = [];
  const top: Section = {};
  for (const [name, value] of Object.entries(file)) {
    if (!isSection(value)) top[name] = value;
    else if (!SECTION_NAMES.includes(name)) {
      problems.push(`[${name}]: unknown section; the sections are ${SECTION_NAMES.join(", ")}`);
    }
  }
  for (const [name, types] of otherSections) readSection(name, sectionIn(file, name), types, problems);
  for (const [name, value] of Object.entries(sectionIn(file, "codelists"))) {
    if (!CODELISTS.includes(name) || !isSection(value)) {
      problems.push(`[codelists.${name}]: unknown section; the codelists are ${CODELISTS.join(", ")}`);
    }
  }
  const common = readSection("", top, commonTypes, problems);
  const exclusions = readSection("exclusions", sectionIn(file, "exclusions"), exclusionTypes, problems);
  const output = readSection("output", sectionIn(file, "output"), outputTypes, problems);
  const chosen = indicators.filter(({ code }) => isSection(file[code]));
  const read = chosen.map(({ code, settings }) => {
    const section = sectionIn(file, code);
    readSection(code, section, settings.shape, problems);
    return [code, problems.length > 0 ? null : settings.parse(section)] as const;
  });
  if (problems.length > 0) throw new SettingsError(problems);
  const allowed = setIn(common, "price_comparison_procurement_methods");
  const denied = setIn(common, "no_price_comparison_procurement_methods");
  const bothLists = "price_comparison_procurement_methods" in top && "no_price_comparison_procurement_methods" in top;
  return {
    common: {
      currency: typeof common["currency"] === "string" ? common["currency"] : null,
      priceComparisonMethods: allowed,
      noPriceComparisonMethods: denied,
      excludedMethodDetails: setIn(exclusions, "procurement_method_details"),
    },
    infoCurrencyMismatches: output["info_currency_mismatches"] === true,
    indicators: new Map(read),
    notes: bothLists
      ? ["no_price_comparison_procurement_methods has no effect when price_comparison_procurement_methods is set"]
      : [],
  };
}

type Section = Record<string, unknown>;
type Types = Record<string, z.ZodType>;

const commonTypes: Types = {
  currency: textSetting,
  no_price_comparison_procurement_methods: listSetting,
  price_comparison_procurement_methods: listSetting,
};
const exclusionTypes: Types = { procurement_method_details: listSetting };
const outputTypes: Types = { info_currency_mismatches: switchSetting };

/** Sections that only the preparation of data reads. */
const otherSections: [string, Types][] = [
  [
    "defaults",
    {
      currency: textSetting,
      item_classification_scheme: textSetting,
      bid_status: textSetting,
      award_status: textSetting,
      party_roles: switchSetting,
    },
  ],
  ["redactions", { amount: textSetting, organization_id: textSetting }],
  ["corrections", { award_status_by_contract_status: switchSetting }],
  [
    "modifications",
    {
      move_auctions: switchSetting,
      prefix_buyer_or_procuring_entity_id: textSetting,
      prefix_tenderer_or_supplier_id: textSetting,
      split_procurement_method_details: textSetting,
    },
  ],
];

const CODELISTS = ["bid_status", "award_status"];

const SECTION_NAMES: readonly string[] = [
  "exclusions",
  "output",
  "codelists",
  ...otherSections.map(([name]) => name),
  ...indicatorCodes,
];

/** The values that are right, each with its type; what is wrong goes to `problems`. */
function readSection(name: string, section: Section, types: Types, problems: string[]): Section {
  const read: Section = {};
  const prefix = name === "" ? "" : `[${name}] `;
  for (const [key, value] of Object.entries(section)) {
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    if (type === undefined) {
      const keys = Object.keys(types);
      const allowed = keys.length > 0 ? `the keys are ${keys.join(", ")}` : "this section takes no keys";
      problems.push(`${prefix}${key}: unknown key; ${allowed}`);
      continue;
    }
    const result = type.safeParse(value);
    if (result.success) read[key] = result.data;
    else {
      const at = result.error.issues[0]!.path.map(String);
      const wrong = at.length > 0 ? sectionIn(section, key)[at[0]!] : value;
      problems.push(
        `${prefix}${[key, ...at].join(".")} = ${JSON.stringify(wrong)}: ${result.error.issues[0]!.message}`,
      );
    }
  }
  return read;
}

function setIn(section: Section, key: string): Set<string> {
  const value = section[key];
  return value instanceof Set ? (value as Set<string>) : new Set();
}

function sectionIn(section: Section, name: string): Section {
  const value = section[name];
  return isSection(value) ? value : {};
}

function isSection(value: unknown): value is Section {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
