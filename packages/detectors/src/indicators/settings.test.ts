import { describe, expect, test } from "vitest";
import { indicatorCodes } from "./define-indicator.ts";
import { defaultSettings, parseSettings } from "./settings.ts";

describe("a settings file", () => {
  test("runs the indicators that have a section, with the defaults of what is not said", () => {
    const { indicators, common } = parseSettings("currency = BRL\n; note\n[R025]\npercentile = 90\n[R038]\n[R035]\n");
    expect([...indicators]).toEqual([
      ["R025", { percentile: 90 }],
      ["R035", { threshold: 1 }],
      ["R038", { minimum_submitted_bids: 2, minimum_contracting_processes: 2 }],
    ]);
    expect(common.currency).toBe("BRL");
  });

  test("left out, runs all eleven; empty, runs none", () => {
    expect([...defaultSettings().indicators.keys()]).toEqual([...indicatorCodes]);
    expect(parseSettings("").indicators.size).toBe(0);
  });

  test("may hold names with spaces, accents and dots, and lists with bars", () => {
    const { indicators, common } = parseSettings(
      "price_comparison_procurement_methods = Pregão Eletrônico|Concorrência\n" +
        "[R003.procurement_method_details]\nPregão Eletrônico = 5\nLei 14.133 = -2\n" +
        "[R003]\nprocurement_methods = open|selective|\n[exclusions]\nprocurement_method_details = A|B C\n",
    );
    expect(indicators.get("R003")).toEqual({
      threshold: 15,
      procurement_methods: new Set(["open", "selective"]),
      procurement_method_details: new Map([
        ["Pregão Eletrônico", 5],
        ["Lei 14.133", -2],
      ]),
    });
    expect(common.priceComparisonMethods).toEqual(new Set(["Pregão Eletrônico", "Concorrência"]));
    expect(common.excludedMethodDetails).toEqual(new Set(["A", "B C"]));
  });

  test("may use one threshold name in many sections", () => {
    const { indicators } = parseSettings("[R024]\nthreshold = 0.05\n[R058]\nthreshold = .5\n[R048]\nthreshold=3");
    expect(indicators.get("R024")).toEqual({ threshold: 0.05 });
    expect(indicators.get("R058")).toEqual({ threshold: 0.5 });
    expect(indicators.get("R048")).toMatchObject({ threshold: 3 });
  });

  test("may hold what the other commands read", () => {
    const { indicators, infoCurrencyMismatches } = parseSettings(
      "[defaults]\ncurrency = BRL\nitem_classification_scheme = CATMAT\nbid_status = valid\naward_status = active\n" +
        "party_roles = true\n[redactions]\namount = 0|1\norganization_id = -\n[codelists.bid_status]\nQualified = valid\n" +
        "[codelists.award_status]\nActive = active\n[corrections]\naward_status_by_contract_status = true\n" +
        "[modifications]\nmove_auctions = true\nprefix_buyer_or_procuring_entity_id = BR-\n" +
        "prefix_tenderer_or_supplier_id = BR-\nsplit_procurement_method_details = -\n" +
        "[output]\ninfo_currency_mismatches = true\n",
    );
    expect(indicators.size).toBe(0);
    expect(infoCurrencyMismatches).toBe(true);
  });

  test("is told when a list has no effect", () => {
    const lists = "no_price_comparison_procurement_methods = A\nprice_comparison_procurement_methods = B\n";
    expect(parseSettings(lists).notes).toHaveLength(1);
  });
});

test.each([
  ["unheard_of = 1", "unheard_of: unknown key; the keys are currency, no_price_comparison_procurement_methods"],
  ["[R999]", "[R999]: unknown section; the sections are exclusions, output"],
  ["[R028]\nthreshold = 1", "[R028] threshold: unknown key; this section takes no keys"],
  ["[R024]\nthreshold = low", '[R024] threshold = "low": must be a number'],
  ["[R024]\nthreshold = 0,05", '[R024] threshold = "0,05": must be a number with a decimal point'],
  ["[R024]\nthreshold =", '[R024] threshold = "": must be a number'],
  ["[R024]\nthreshold", "[R024] threshold = true: must be a number"],
  ["[R003]\nthreshold = 1.5", '[R003] threshold = "1.5": must be a whole number'],
  ["[R038]\nminimum_submitted_bids = -1", '[R038] minimum_submitted_bids = "-1": must be a whole number, zero or more'],
  ["[R003.procurement_method_details]\nPregão = cinco", '[R003] procurement_method_details.Pregão = "cinco"'],
  ["[R003]\nprocurement_method_details = 5", "must be a section of name = days"],
  ["[R003.other]\nx = 5", "[R003] other: unknown key; the keys are threshold, procurement_methods"],
  ["[defaults]\ncurency = BRL", "[defaults] curency: unknown key; the keys are currency"],
  ["[codelists.tender_status]\na = b", "[codelists.tender_status]: unknown section; the codelists are bid_status"],
  ["[corrections]\naward_status_by_contract_status = perhaps", "must be true or false"],
])("refuses %j and says what to write", (text, message) => {
  expect(() => parseSettings(text)).toThrow(message);
});

test("names all problems at once", () => {
  expect(() => parseSettings("a = 1\n[R024]\nb = 2\nthreshold = c")).toThrow(
    expect.objectContaining({
      name: "SettingsError",
      problems: [expect.any(String), expect.any(String), expect.any(String)],
    }),
  );
});
