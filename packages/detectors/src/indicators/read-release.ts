export type Price = { amount: number; currency: string };

/** One entry for each element of the array in the file; `null` where it holds no text id, for lengths matter too. */
export type OrganizationIds = (string | null)[];

export type BidFacts = {
  status: string | null;
  date: string | null;
  /** Only when both the amount and the currency are there. */
  price: Price | null;
  tenderers: OrganizationIds | null;
};

export type AwardFacts = {
  status: string | null;
  suppliers: OrganizationIds | null;
  /** Classification ids of the items; `null` when there is no list of items. */
  classifications: string[] | null;
};

/** What the indicators read of a compiled release. `null` is "not there, or not of the type the standard gives it". */
export type ReleaseFacts = {
  ocid: string;
  tenderStatus: string | null;
  procurementMethod: string | null;
  procurementMethodDetails: string | null;
  numberOfTenderers: number | null;
  tenderPeriodStart: string | null;
  tenderPeriodEnd: string | null;
  buyerId: string | null;
  procuringEntityId: string | null;
  bids: BidFacts[] | null;
  awards: AwardFacts[] | null;
};

export type ReadProblem = "not-an-object" | "no-ocid";

/** Takes any JSON value and never throws. */
export function readRelease(value: unknown): ReleaseFacts | ReadProblem {
  if (!isObject(value)) return "not-an-object";
  const ocid = value["ocid"];
  if (typeof ocid !== "string") return "no-ocid";
  const tender = objectIn(value, "tender");
  const period = objectIn(tender, "tenderPeriod");
  return {
    ocid,
    tenderStatus: textIn(tender, "status"),
    procurementMethod: textIn(tender, "procurementMethod"),
    procurementMethodDetails: textIn(tender, "procurementMethodDetails"),
    numberOfTenderers: numberIn(tender, "numberOfTenderers"),
    tenderPeriodStart: textIn(period, "startDate"),
    tenderPeriodEnd: textIn(period, "endDate"),
    buyerId: textIn(objectIn(value, "buyer"), "id"),
    procuringEntityId: textIn(objectIn(tender, "procuringEntity"), "id"),
    bids: listIn(objectIn(value, "bids"), "details")?.map(readBid) ?? null,
    awards: listIn(value, "awards")?.map(readAward) ?? null,
  };
}

function readBid(bid: unknown): BidFacts {
  return {
    status: textIn(bid, "status"),
    date: textIn(bid, "date"),
    price: readPrice(objectIn(bid, "value")),
    tenderers: organizationsIn(bid, "tenderers"),
  };
}

function readAward(award: unknown): AwardFacts {
  const ids = listIn(award, "items")?.map((item) => textIn(objectIn(item, "classification"), "id"));
  return {
    status: textIn(award, "status"),
    suppliers: organizationsIn(award, "suppliers"),
    classifications: ids?.filter((id) => id !== null) ?? null,
  };
}

export function readPrice(value: unknown): Price | null {
  const amount = numberIn(value, "amount");
  const currency = textIn(value, "currency");
  return amount === null || currency === null ? null : { amount, currency };
}

function organizationsIn(value: unknown, key: string): OrganizationIds | null {
  return listIn(value, key)?.map((organization) => textIn(organization, "id")) ?? null;
}

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function objectIn(value: unknown, key: string): JsonObject | null {
  const member = isObject(value) ? value[key] : null;
  return isObject(member) ? member : null;
}

export function listIn(value: unknown, key: string): unknown[] | null {
  const member = isObject(value) ? value[key] : null;
  return Array.isArray(member) ? member : null;
}

export function textIn(value: unknown, key: string): string | null {
  const member = isObject(value) ? value[key] : null;
  return typeof member === "string" ? member : null;
}

/** A JSON number too large for a double ("1e400") counts as absent. */
function numberIn(value: unknown, key: string): number | null {
  const member = isObject(value) ? value[key] : null;
  return typeof member === "number" && Number.isFinite(member) ? member : null;
}
