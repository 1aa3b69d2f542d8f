import { fact } from "../evidence.ts";
import { addCount, startTally, type Tally } from "../indicators/tally.ts";
import { clamp } from "../score.ts";
import { plural } from "../text.ts";
import { type BidContext, type BidFlag, type BidPattern, competitionLaw, SCREEN_LIMITS } from "./bid-pattern.ts";
import { awardedIn, contestsOf, winnerOf, type Contest } from "./contests.ts";
import type { BidProcess } from "./read-process.ts";

const TENDERS_MIN = 4;

const sharedFields = {
  version: 1,
  subjects: "grupos de licitantes",
  judges: "groups" as const,
  legalBasis: competitionLaw,
  exclusions: [
    "Procedimentos em que preços não se comparam.",
    "Propostas sem valor na moeda principal; disputas com menos de três licitantes com valor.",
    `Grupos com menos de ${TENDERS_MIN} disputas, ou em que falta o vencedor de alguma.`,
  ],
  assumptions: [
    "O grupo é o conjunto exato dos licitantes da disputa; quem entra ou sai forma outro grupo.",
    "Uma empresa é reconhecida pelo identificador publicado; filiais são empresas diferentes.",
    SCREEN_LIMITS,
  ],
} satisfies Partial<BidPattern>;

export const winnerRotation: BidPattern = {
  ...sharedFields,
  id: "winner-rotation",
  title: "As mesmas empresas se revezam como vencedoras",
  question: "As mesmas empresas disputam sempre juntas e cada uma vence na sua vez?",
  method:
    `Grupo de três ou mais empresas, e só elas, em ao menos ${TENDERS_MIN} disputas. Em ordem de data, dispara quando ` +
    "nenhuma volta a vencer antes de todas as outras terem vencido. A força começa em 0,4 e cresce 0,1 por disputa além " +
    "da quarta, até 0,75; a chance de tal ordem por acaso, com vencedores igualmente prováveis, vai nos fatos.",
  references: ["OCP Red Flags R057"],
  innocentExplanations: [
    "Capacidade limitada: quem venceu há pouco não pode assumir outra obra.",
    "Poucas empresas habilitadas na região, com custos parecidos.",
    "Lotes de um mesmo objeto que o edital proíbe acumular.",
  ],
  assess: (processes, context) =>
    assessGroups(processes, context, ({ members, contests, winners }) => {
      const size = members.length;
      const isDated = contests.every(({ process }) => (process.tenderPeriodEnd ?? process.publishedAt) !== null);
      if (!isDated) return "disputas sem data, que não se podem ordenar";
      const isInTurn = winners.every((_, index) => {
        const round = winners.slice(Math.max(0, index - size + 1), index + 1);
        return new Set(round).size === round.length;
      });
      if (!isInTurn || new Set(winners).size < size) return null;
      const chance = winners.reduce((product, _, index) => product * Math.max((size - index) / size, 1 / size), 1);
      return {
        reason:
          `As mesmas ${size} empresas disputaram juntas ${contests.length} vezes, e nenhuma voltou a vencer antes das ` +
          "outras.",
        supplier: null,
        formula: "each winner differs from the winners of the firms − 1 tenders before; tenders >= tenders_min",
        facts: [fact("chance", "Chance dessa ordem com vencedores ao acaso", chance, "score")],
      };
    }),
};

export const sameWinner: BidPattern = {
  ...sharedFields,
  id: "same-winner",
  title: "As mesmas empresas disputam e a mesma sempre vence",
  question: "As mesmas empresas disputam sempre juntas e uma delas vence todas as vezes?",
  method:
    `Grupo de três ou mais empresas, e só elas, em ao menos ${TENDERS_MIN} disputas. Dispara quando uma delas vence ` +
    "todas. A força começa em 0,4 e cresce 0,1 por disputa além da quarta, até 0,75.",
  references: ["OCP Red Flags R053"],
  innocentExplanations: [
    "Empresa de fato mais eficiente, ou com vantagem de localização.",
    "Contratos sucessivos do mesmo objeto, em que quem já executa tem custo menor.",
    "Concorrentes que participam para se manterem cadastradas.",
  ],
  assess: (processes, context) =>
    assessGroups(processes, context, ({ members, contests, winners }) => {
      const [winner] = winners;
      if (winner === undefined || winners.some((one) => one !== winner)) return null;
      return {
        reason: `As mesmas ${members.length} empresas disputaram juntas ${contests.length} vezes, e a mesma venceu todas.`,
        supplier: winner,
        formula: "wins == tenders; tenders >= tenders_min",
        facts: [
          fact("wins", "Vitórias da mesma empresa", contests.length, "count"),
          fact("chance", "Chance disso com vencedores ao acaso", members.length ** (1 - contests.length), "score"),
        ],
      };
    }),
};

type BidderGroup = { id: string; members: string[]; contests: Contest[]; winners: string[] };
type Answer = Pick<BidFlag, "reason" | "supplier" | "formula" | "facts">;

function assessGroups(
  processes: readonly BidProcess[],
  context: BidContext,
  judge: (group: BidderGroup) => Answer | string | null,
): { flags: BidFlag[]; tally: Tally } {
  const tally = startTally();
  const flags: BidFlag[] = [];
  const groups = Map.groupBy(contestsOf(processes, context), ({ bids }) =>
    bids
      .map(({ bidder }) => bidder)
      .toSorted()
      .join("/"),
  );
  for (const [id, contests] of groups) {
    const winners = contests.map(winnerOf).filter((winner) => winner !== null);
    if (contests.length < TENDERS_MIN) addCount(tally.notComputable, `menos de ${TENDERS_MIN} disputas do mesmo grupo`);
    else if (winners.length < contests.length) addCount(tally.notComputable, "falta o vencedor de alguma disputa");
    else {
      const members = contests[0]!.bids.map(({ bidder }) => bidder).toSorted();
      const answer = judge({ id, members, contests, winners });
      if (typeof answer === "string") addCount(tally.notComputable, answer);
      else tally.tested += 1;
      if (answer !== null && typeof answer === "object") flags.push(flagOf(id, members, contests, answer, context));
    }
  }
  return { flags, tally };
}

function flagOf(id: string, members: string[], contests: Contest[], answer: Answer, { currency }: BidContext): BidFlag {
  return {
    ...answer,
    subject: { kind: "supplier", id, label: plural(members.length, "empresa", "empresas") },
    strength: clamp(0.4 + 0.1 * (contests.length - TENDERS_MIN), 0.4, 0.75),
    amountAtRisk: contests.reduce((sum, { process }) => sum + awardedIn(process, currency), 0),
    processes: contests.map(({ process }) => process),
    facts: [
      fact("firms", "Empresas do grupo", members.length, "count"),
      fact("tenders", "Disputas só entre elas", contests.length, "count"),
      fact("tenders_min", "Mínimo de disputas", TENDERS_MIN, "count"),
      ...answer.facts,
    ],
  };
}
