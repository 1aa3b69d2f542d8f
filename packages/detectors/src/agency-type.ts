import { type Contracts, nameText, sphereCodes } from "./frame/contracts.ts";
import { fold } from "./text.ts";

/** Kinds of buyers whose purchases can be compared with each other. */
export const agencyTypes = [
  "municipal",
  "state",
  "military",
  "education",
  "health",
  "justice",
  "infrastructure",
  "science",
  "central",
] as const;
export type AgencyType = (typeof agencyTypes)[number];

export const agencyTypeNames: Record<AgencyType, string> = {
  municipal: "prefeituras e órgãos municipais",
  state: "órgãos estaduais",
  military: "Forças Armadas",
  education: "universidades, institutos e escolas federais",
  health: "hospitais e órgãos de saúde",
  justice: "justiça, segurança e controle",
  infrastructure: "infraestrutura, energia e meio ambiente",
  science: "pesquisa e tecnologia",
  central: "demais órgãos federais",
};

/** The first pattern that a folded name matches decides. */
const patterns: readonly (readonly [AgencyType, RegExp])[] = [
  ["military", /comando d|exercito|marinha|aeronautica|ministerio da defesa|material belico|hospital das forcas/],
  ["health", /hospital|saude|fundacao oswaldo cruz|sanitaria|maternidade/],
  ["education", /universidade|instituto federal|educacao|colegio|\bcefet|ensino|escola|capes/],
  ["justice", /justica|policia|penitenciar|tribunal|ministerio publico|advocacia|defensoria|controladoria/],
  ["science", /pesquisa|tecnologi|cientific|nuclear|espacial|embrapa|inpe|metrologia|\bibge/],
  [
    "infrastructure",
    /transporte|infraestrutura|energia|minas|mineracao|portos|aguas|integracao|obras contra|vale|meio ambiente|biodiversidade|petroleo/,
  ],
];

/** Index in `agencyTypes` for each contract, from the buyer's sphere and names. */
export function agencyTypesOf(contracts: Contracts): Uint8Array {
  const byName = new Int8Array(contracts.namesSize).fill(UNREAD);
  const types = new Uint8Array(contracts.size);
  for (let row = 0; row < contracts.size; row++) {
    const name = contracts.agencyName[row]!;
    if (byName[name] === UNREAD) byName[name] = agencyTypes.indexOf(typeByName(contracts, row));
    types[row] =
      contracts.buyerSphere[row] === sphereCodes.municipal
        ? MUNICIPAL
        : contracts.buyerSphere[row] === sphereCodes.state
          ? STATE
          : byName[name]!;
  }
  return types;
}

const UNREAD = -1;
const MUNICIPAL = agencyTypes.indexOf("municipal");
const STATE = agencyTypes.indexOf("state");

function typeByName(contracts: Contracts, row: number): AgencyType {
  const own = fold(nameText(contracts, contracts.agencyName[row]!));
  return patterns.find(([, pattern]) => pattern.test(own))?.[0] ?? "central";
}
