import { fact } from "../evidence.ts";
import { addCount, startTally } from "../indicators/tally.ts";
import { clamp } from "../score.ts";
import { type BidFlag, type BidPattern, competitionLaw, SCREEN_LIMITS } from "./bid-pattern.ts";
import { awardedIn, contestsOf, type Contest } from "./contests.ts";

const TENDERS_MIN = 3;

export const fixedMultiples: BidPattern = {
  id: "fixed-multiples",
  version: 1,
  title: "Proposta que é sempre o mesmo múltiplo da menor",
  question: "Uma empresa faz repetidamente uma proposta que é um múltiplo fixo da proposta de outra?",
  subjects: "pares de licitantes",
  judges: "groups",
  method:
    "Para cada par de empresas, a menor proposta da disputa e a da outra empresa: razão arredondada a três casas. " +
    `Dispara quando a mesma razão, diferente de 1, aparece em ao menos ${TENDERS_MIN} disputas e em mais da metade das que ` +
    "o par travou assim. A força começa em 0,5 e cresce 0,1 por disputa além da terceira, até 0,8.",
  legalBasis: competitionLaw,
  references: ["OCP Red Flags R023"],
  exclusions: [
    "Procedimentos em que preços não se comparam.",
    "Propostas iguais, que o R028 já aponta.",
    `Pares com menos de ${TENDERS_MIN} disputas em que a mesma empresa fez a menor proposta.`,
  ],
  assumptions: [
    "A razão se repete por acaso tanto mais quanto mais disputas o par trava: por isso a exigência de mais da metade.",
    SCREEN_LIMITS,
  ],
  innocentExplanations: [
    "Preço único nacional das duas empresas, ou mesma tabela de referência com descontos fixos.",
    "Mesmo objeto recontratado com as mesmas propostas.",
    "Valores pequenos ou arredondados, em que razões iguais são comuns.",
  ],
  assess: (processes, context) => {
    const tally = startTally();
    const flags: BidFlag[] = [];
    for (const [id, all] of pairsOf(contestsOf(processes, context))) {
      if (all.length < TENDERS_MIN) {
        addCount(tally.notComputable, `menos de ${TENDERS_MIN} disputas do mesmo par`);
        continue;
      }
      tally.tested += 1;
      const byRatio = Map.groupBy(all, ({ ratio }) => ratio);
      const [ratio, same] = [...byRatio].reduce((most, one) => (one[1].length > most[1].length ? one : most));
      if (ratio === "1.000" || same.length < TENDERS_MIN || 2 * same.length <= all.length) continue;
      const shown = ratio.replace(".", ",");
      flags.push({
        subject: { kind: "supplier", id, label: "2 empresas" },
        reason:
          `Em ${same.length} de ${all.length} disputas, a proposta de uma empresa foi ${shown} vezes a menor, sempre da ` +
          "mesma concorrente.",
        strength: clamp(0.5 + 0.1 * (same.length - TENDERS_MIN), 0.5, 0.8),
        amountAtRisk: same.reduce((sum, { contest }) => sum + awardedIn(contest.process, context.currency), 0),
        supplier: same[0]!.lowest,
        processes: same.map(({ contest }) => contest.process),
        formula: "round(bid / lowest, 3) == multiple in tenders of pair_tenders; tenders >= tenders_min",
        facts: [
          fact("multiple", "Múltiplo da menor proposta, a três casas", Number(ratio), "ratio"),
          fact("tenders", "Disputas com esse múltiplo", same.length, "count"),
          fact("pair_tenders", "Disputas do par", all.length, "count"),
          fact("tenders_min", "Mínimo de disputas", TENDERS_MIN, "count"),
        ],
      });
    }
    return { flags, tally };
  },
};

type Pair = { contest: Contest; lowest: string; ratio: string };

/** By the firm with the lowest bid and another, in this order. */
function pairsOf(contests: readonly Contest[]): Map<string, Pair[]> {
  const pairs = contests.flatMap((contest) => {
    const [lowest, ...others] = contest.bids;
    return others.map(({ bidder, amount }) => ({
      contest,
      lowest: lowest!.bidder,
      ratio: (amount / lowest!.amount).toFixed(3),
      id: `${lowest!.bidder}/${bidder}`,
    }));
  });
  return Map.groupBy(pairs, ({ id }) => id);
}
