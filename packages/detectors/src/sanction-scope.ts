import type { Contract } from "@cidadao/domain/contract";
import type { Sanction } from "@cidadao/domain/sanction";
import { fold } from "./text.ts";

/** Whether a sanction bars its holder from contracting with the buyer, and why; the text is Portuguese. */
export type SanctionScope = {
  bars: "yes" | "no" | "unknown";
  why: string;
  /** The publisher words the scope more narrowly than the law that grounds the sanction. */
  isNarrowerInWords: boolean;
};

type Buyer = Pick<Contract, "agencyName" | "parentAgencyName" | "unitName">;
type Reading = Omit<SanctionScope, "isNarrowerInWords">;

/**
 * Scope of a sanction towards a buyer of the federal executive. The law that grounds the sanction sets its scope; the
 * publisher's words decide only where that law leaves it to the judgment or where no known law is named.
 */
export function scopeTowardsFederalBuyer(sanction: Sanction, buyer: Buyer): SanctionScope {
  const grounds = sanction.legalBasis.length > 0 ? sanction.legalBasis : [""];
  const readings = grounds.map((ground) => readGround(sanction, { ground: fold(ground), buyer }));
  const widest = readings.find(({ bars }) => bars === "yes") ?? readings.find(({ bars }) => bars === "unknown");
  const { bars, why } = widest ?? readings[0] ?? UNKNOWN;
  return { bars, why, isNarrowerInWords: bars === "yes" && readWords(sanction, buyer).bars === "no" };
}

const UNKNOWN: Reading = { bars: "unknown", why: "alcance da sanção desconhecido" };

function readGround(sanction: Sanction, { ground, buyer }: { ground: string; buyer: Buyer }): Reading {
  const kind = fold(sanction.kind);
  const bans = /impediment|proibi|suspens|inidone|impeca/.test(kind);
  const isIneligibility = kind.includes("inidone") || /(156|87)\D{1,4}iv\b/.test(ground);
  const isSuspension = kind.includes("suspens") || /87\D{1,4}iii\b/.test(ground);
  if (!bans && /multa|publicacao extraordinaria/.test(kind)) return NO_BAR;
  const law = lawOf(`${ground} ${kind}`);
  switch (law) {
    case "8443":
      return { bars: "yes", why: "inidoneidade declarada pelo TCU vale para a administração federal" };
    case "12529":
      if (/limitado/.test(`${kind} ${fold(sanction.scope ?? "")}`)) return UNKNOWN;
      return { bars: "yes", why: "proibição da Lei 12.529 vale para todas as esferas" };
    case "8666":
      if (isIneligibility) return { bars: "yes", why: "inidoneidade vale para toda a administração pública" };
      return isSuspension ? readSuspension(sanction, buyer) : readWords(sanction, buyer);
    case "14133":
      if (isIneligibility) return { bars: "yes", why: "inidoneidade vale para todos os entes federativos" };
      return readFederativeEntity(sanction);
    case "10520":
    case "12462":
      return readFederativeEntity(sanction);
    case "12846":
      return bans ? readWords(sanction, buyer) : NO_BAR;
    case "sectoral":
      return { bars: "unknown", why: "alcance da sanção depende de lei setorial" };
    case "8429":
    case "none":
      return readWords(sanction, buyer);
  }
}

const NO_BAR: Reading = { bars: "no", why: "multa ou publicação não impede contratar" };

type Law = "8443" | "8666" | "14133" | "10520" | "12462" | "12529" | "12846" | "8429" | "sectoral" | "none";

const lawPatterns: readonly (readonly [Law, RegExp])[] = [
  ["8443", /8\.?443|\btcu\b/],
  ["14133", /14\.?133/],
  ["8666", /8\.?666|lei de licitacoes/],
  ["10520", /10\.?520|lei do pregao|5\.?450/],
  ["12462", /12\.?462|lei do rdc/],
  ["12529", /12\.?529|8\.?884|antitruste/],
  ["12846", /12\.?846/],
  ["8429", /8\.?429|improbidade/],
  ["sectoral", /10\.?233|antt|antaq|13\.?303|estatais|eleitoral|9\.?504|ambiental|9\.?605|aneel|12\.?527/],
];

/** The law named first: long grounds quote other laws further on. */
function lawOf(text: string): Law {
  const named = lawPatterns
    .map(([law, pattern]) => ({ law, at: text.search(pattern) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at);
  return named[0]?.law ?? "none";
}

function readFederativeEntity({ bodySphere }: Sanction): Reading {
  switch (bodySphere) {
    case "federal":
      return { bars: "yes", why: "impedimento aplicado por órgão federal vale para toda a União" };
    case "state":
    case "municipal":
      return { bars: "no", why: "impedimento aplicado por outro ente federativo não alcança a União" };
    case "unknown":
      return { bars: "unknown", why: "esfera do órgão sancionador desconhecida" };
  }
}

function readSuspension(sanction: Sanction, buyer: Buyer): Reading {
  if (isSameBody(sanction, buyer)) return { bars: "yes", why: "suspensão aplicada pelo próprio órgão contratante" };
  return {
    bars: "unknown",
    why: "suspensão do art. 87, III, aplicada por outro órgão: o TCU a limita a ele, o STJ a estende",
  };
}

/** The publisher's own words: all spheres, the sphere of the sanctioning body, or that body alone. */
function readWords(sanction: Sanction, buyer: Buyer): Reading {
  const words = fold(sanction.scope ?? "");
  if (/todas as esferas/.test(words)) return { bars: "yes", why: "a decisão alcança todas as esferas" };
  if (/poderes da esfera/.test(words)) {
    const { bars } = readFederativeEntity(sanction);
    const why = { yes: "alcança", no: "não alcança", unknown: "não se sabe se alcança" }[bars];
    return { bars, why: `a decisão vale na esfera do órgão sancionador e ${why} a União` };
  }
  if (/na esfera/.test(words) && (sanction.bodySphere === "state" || sanction.bodySphere === "municipal")) {
    return { bars: "no", why: "a decisão vale na esfera do órgão sancionador e não alcança a União" };
  }
  if (/orgao sancionador|orgao que aplicou/.test(words) && !/na esfera/.test(words)) {
    return isSameBody(sanction, buyer)
      ? { bars: "yes", why: "a decisão vale no órgão sancionador, que é o contratante" }
      : { bars: "no", why: "a decisão vale só no órgão sancionador" };
  }
  return UNKNOWN;
}

function isSameBody({ sanctioningBody }: Sanction, { agencyName, parentAgencyName, unitName }: Buyer): boolean {
  const body = fold(sanctioningBody).trim();
  return body !== "" && [agencyName, parentAgencyName, unitName].some((name) => fold(name ?? "").trim() === body);
}
