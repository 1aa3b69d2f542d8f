import { idsOf } from "../indicators/submitted-bids.ts";
import {
  isObject,
  listIn,
  objectIn,
  readPrice,
  readRelease,
  textIn,
  type Price,
  type ReadProblem,
  type ReleaseFacts,
} from "../indicators/read-release.ts";

export type Organization = { id: string; name: string | null };

/** An active award: who was to be paid, and how much. */
export type ActiveAward = { suppliers: string[]; price: Price | null };

/** A contracting process with what a finding about it has to name. */
export type BidProcess = ReleaseFacts & {
  title: string | null;
  /** Page or file of the publisher, when the release names one. */
  url: string | null;
  /** When the release was published, if it says so. */
  publishedAt: string | null;
  agency: Organization | null;
  /** Names of the organizations in the release, by id. */
  names: Map<string, string>;
  activeAwards: ActiveAward[];
  /** Lots that bids name; bids for different lots do not compete. */
  lots: number;
};

/** Takes any JSON value and never throws. */
export function readProcess(value: unknown): BidProcess | ReadProblem {
  const facts = readRelease(value);
  if (typeof facts === "string") return facts;
  const tender = objectIn(value, "tender");
  const names = namesIn(value);
  const agencyId = facts.buyerId ?? facts.procuringEntityId;
  const awards = (listIn(value, "awards") ?? []).filter((award) => textIn(award, "status") === "active");
  return {
    ...facts,
    title: textIn(tender, "title"),
    url: urlOf(value),
    publishedAt: textIn(value, "date"),
    agency: agencyId === null ? null : { id: agencyId, name: names.get(agencyId) ?? null },
    names,
    activeAwards: awards.map((award) => ({
      suppliers: idsOf((listIn(award, "suppliers") ?? []).map((supplier) => textIn(supplier, "id"))),
      price: readPrice(objectIn(award, "value")),
    })),
    lots: lotsIn(value),
  };
}

function namesIn(value: unknown): Map<string, string> {
  const bids = listIn(objectIn(value, "bids"), "details") ?? [];
  const organizations = [
    objectIn(value, "buyer"),
    objectIn(objectIn(value, "tender"), "procuringEntity"),
    ...bids.flatMap((bid) => listIn(bid, "tenderers") ?? []),
    ...(listIn(value, "awards") ?? []).flatMap((award) => listIn(award, "suppliers") ?? []),
    ...(listIn(value, "parties") ?? []),
  ];
  const names = new Map<string, string>();
  for (const organization of organizations) {
    const [id, name] = [textIn(organization, "id"), textIn(organization, "name")];
    if (id !== null && name !== null && name !== "" && !names.has(id)) names.set(id, name);
  }
  return names;
}

function urlOf(value: unknown): string | null {
  const links = isObject(value) ? value["links"] : null;
  const candidates = [
    textIn(value, "uri"),
    textIn(value, "url"),
    textIn(links, "self"),
    ...(Array.isArray(links) ? links.map((link) => textIn(link, "href")) : []),
  ];
  return candidates.find((url) => url !== null && /^https?:\/\//.test(url)) ?? null;
}

function lotsIn(value: unknown): number {
  const bids = listIn(objectIn(value, "bids"), "details") ?? [];
  const lots = bids.flatMap((bid) => listIn(bid, "relatedLots") ?? []).filter((lot) => typeof lot === "string");
  return new Set(lots).size;
}
