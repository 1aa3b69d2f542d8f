import type { Contract } from "@cidadao/domain/contract";
import type { GovernmentSphere, Sanction } from "@cidadao/domain/sanction";
import { fold } from "./text.ts";

/** Whether a sanction bars its holder from contracting with the buyer, and why; the text is Portuguese. */
export type SanctionScope = {
  bars: "yes" | "no" | "unknown";
  why: string;
  /** The publisher words the scope more narrowly than the law that grounds the sanction. */
  isNarrowerInWords: boolean;
};

export type Buyer = Pick<Contract, "agencyName" | "parentAgencyName" | "unitName" | "buyerSphere" | "buyerState">;
type Reading = Omit<SanctionScope, "isNarrowerInWords">;

/**
 * Scope of a sanction towards a buyer; one of unknown sphere counts as federal. The law that grounds the sanction sets
 * its scope; the publisher's words decide only where that law leaves it to the judgment or where no known law is named.
 */
export function scopeTowardsBuyer(sanction: Sanction, buyer: Buyer): SanctionScope {
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
      return sphereOf(buyer) === "federal"
        ? { bars: "yes", why: "inidoneidade declarada pelo TCU vale para a administração federal" }
        : { bars: "no", why: "inidoneidade declarada pelo TCU vale só para a administração federal" };
    case "12529":
      if (/limitado/.test(`${kind} ${fold(sanction.scope ?? "")}`)) return UNKNOWN;
      return { bars: "yes", why: "proibição da Lei 12.529 vale para todas as esferas" };
    case "8666":
      if (isIneligibility) return { bars: "yes", why: "inidoneidade vale para toda a administração pública" };
      return isSuspension ? readSuspension(sanction, buyer) : readWords(sanction, buyer);
    case "14133":
      if (isIneligibility) return { bars: "yes", why: "inidoneidade vale para todos os entes federativos" };
      return readFederativeEntity(sanction, buyer);
    case "10520":
    case "12462":
      return readFederativeEntity(sanction, buyer);
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

function sphereOf({ buyerSphere }: Buyer): Exclude<GovernmentSphere, "unknown"> {
  return buyerSphere === "state" || buyerSphere === "municipal" ? buyerSphere : "federal";
}

const buyerNames = { federal: "a União", state: "o Estado comprador", municipal: "o Município comprador" } as const;

/** Whether the sanctioning body and the buyer belong to the same Union, state or municipality. */
function readFederativeEntity(sanction: Sanction, buyer: Buyer): Reading {
  const sphere = sphereOf(buyer);
  if (sanction.bodySphere === "unknown") return { bars: "unknown", why: "esfera do órgão sancionador desconhecida" };
  if (sanction.bodySphere !== sphere) return otherEntity(sphere);
  switch (sphere) {
    case "federal":
      return { bars: "yes", why: "impedimento aplicado por órgão federal vale para toda a União" };
    case "state":
      return readState(sanction, buyer);
    case "municipal":
      return readMunicipality(sanction, buyer);
  }
}

function otherEntity(sphere: keyof typeof buyerNames): Reading {
  return { bars: "no", why: `impedimento aplicado por outro ente federativo não alcança ${buyerNames[sphere]}` };
}

function readState({ bodyState }: Sanction, { buyerState }: Buyer): Reading {
  if (!bodyState || !buyerState)
    return { bars: "unknown", why: "Estado do comprador ou do órgão sancionador desconhecido" };
  if (bodyState !== buyerState) return otherEntity("state");
  return { bars: "yes", why: "impedimento aplicado por órgão do mesmo Estado vale para todo o Estado" };
}

/** Municipalities of different states share names, and lists give no code of them: the state must be known too. */
function readMunicipality(sanction: Sanction, buyer: Buyer): Reading {
  const areStatesKnown = Boolean(sanction.bodyState && buyer.buyerState);
  if (areStatesKnown && sanction.bodyState !== buyer.buyerState) return otherEntity("municipal");
  const municipality = municipalityIn(sanction.sanctioningBody);
  const isSame =
    isSameBody(sanction, buyer) ||
    (municipality !== null && namesOf(buyer).some((name) => municipalityIn(name) === municipality));
  return areStatesKnown && isSame
    ? { bars: "yes", why: "impedimento aplicado por órgão do mesmo Município vale para todo o Município" }
    : { bars: "unknown", why: "não se sabe se o órgão sancionador é do mesmo Município que o comprador" };
}

/** "bom jesus" in "Prefeitura Municipal de Bom Jesus (GO)" and in "MUNICIPIO DE BOM JESUS". */
function municipalityIn(name: string): string | null {
  const [, found] = MUNICIPALITY.exec(fold(name)) ?? [];
  return found?.replaceAll(/[^a-z0-9]+/g, " ").trim() || null;
}

const MUNICIPALITY =
  /^\W*(?:prefeitura(?: municipal| do municipio)?|camara(?: municipal| de vereadores)|municipio) d[aeo]s? ([^(/,–]+?)(?: - [a-z]{2}\b.*)?\s*(?:[(/,–].*)?$/;

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
  if (/na esfera|da esfera/.test(words)) {
    const { bars } = readFederativeEntity(sanction, buyer);
    const reaches = { yes: "alcança", no: "não alcança", unknown: "não se sabe se alcança" }[bars];
    const why = `a decisão vale na esfera do órgão sancionador e ${reaches} ${buyerNames[sphereOf(buyer)]}`;
    // "Na esfera e no Poder": which Power the buyer belongs to is in no source.
    return bars === "no" || /poderes da esfera/.test(words) ? { bars, why } : UNKNOWN;
  }
  if (/orgao sancionador|orgao que aplicou/.test(words)) {
    return isSameBody(sanction, buyer)
      ? { bars: "yes", why: "a decisão vale no órgão sancionador, que é o contratante" }
      : { bars: "no", why: "a decisão vale só no órgão sancionador" };
  }
  return UNKNOWN;
}

function isSameBody({ sanctioningBody }: Sanction, buyer: Buyer): boolean {
  const body = fold(sanctioningBody).trim();
  return body !== "" && namesOf(buyer).some((name) => fold(name).trim() === body);
}

function namesOf({ agencyName, parentAgencyName, unitName }: Buyer): string[] {
  return [agencyName, parentAgencyName ?? "", unitName];
}
