import { fact } from "../evidence.ts";
import { addCount, startTally } from "../indicators/tally.ts";
import { clamp } from "../score.ts";
import { formatDecimal, formatShare } from "../text.ts";
import { type BidFlag, type BidPattern, competitionLaw, SCREEN_LIMITS } from "./bid-pattern.ts";
import { collusionScreens, screenNames, type CollusionScreens, type ScreenName } from "./collusion-screens.ts";
import { awardedIn, contestOf, winnerOf, type Contest } from "./contests.ts";

/**
 * CV and SPD at 0.06 and 0.15 each find 16 of 33 labelled tenders with 5 false alarms among 68 in published Brazilian
 * engineering bids. They measure the same spread, so together they are one vote; RD and SKEW, which alone are weak
 * (areas under the curve of 0.76 and 0.72), are the second. One of each finds 18 with 3 false alarms. DIFFP, KS and
 * KURT (0.61, 0.59, 0.5) have no vote.
 */
const screenLimits = { cv: 0.06, spd: 0.15, rd: 1, skew: 0 } as const;

export const collusion: BidPattern = {
  id: "collusion-screens",
  version: 1,
  title: "Propostas pouco dispersas e com o vencedor destacado",
  question: "A distribuição das propostas de uma disputa parece com a de disputas sem concorrência efetiva?",
  subjects: "processos",
  judges: "processes",
  method:
    "Sobre a menor proposta de cada licitante: CV = s / média; SPD = (maior − menor) / menor; RD = (segunda − menor) / " +
    "s das perdedoras; SKEW = assimetria corrigida; s é a raiz da variância, com n − 1. São suspeitos CV até 0,06 ou SPD " +
    "até 0,15 (dispersão), e RD acima de 1 ou SKEW negativa (forma). Dispara com ao menos um sinal de dispersão e um de " +
    "forma, e três licitantes ou mais. A força é 0,35, mais 0,1 para cada sinal além do segundo.",
  legalBasis: competitionLaw,
  references: [
    "García Rodríguez et al., Collusion detection in public procurement auctions, Automation in Construction, 2022",
    "Imhof, Karagök & Rutz, Screening for Bid Rigging, 2018",
  ],
  exclusions: ["Procedimentos em que preços não se comparam.", "Propostas sem valor na moeda principal."],
  assumptions: [
    SCREEN_LIMITS,
    "Nos dados publicados de obras de um comprador, a regra aponta 18 de 33 disputas rotuladas e 3 de 68 outras.",
    "Um sinal só não é indício; a repetição entre as mesmas empresas conta mais.",
  ],
  innocentExplanations: [
    "Custos muito parecidos: mesmos insumos, mesma tabela de referência de preços.",
    "Orçamento estimado divulgado, em torno do qual todos fazem proposta.",
    "Lances sucessivos, que aproximam os valores finais.",
  ],
  assess: (processes, context) => {
    const tally = startTally();
    const flags: BidFlag[] = [];
    for (const process of processes) {
      const contest = contestOf(process, context);
      if ("excluded" in contest) addCount(tally.excluded, contest.excluded);
      else if ("notComputable" in contest) addCount(tally.notComputable, contest.notComputable);
      else {
        tally.tested += 1;
        const screens = collusionScreens(contest.bids.map(({ amount }) => amount));
        const suspicious = suspiciousScreens(screens);
        const isRaised = suspicious.some(isOfSpread) && suspicious.some((name) => !isOfSpread(name));
        if (isRaised) flags.push(flagOf(contest, screens, suspicious, awardedIn(process, context.currency)));
      }
    }
    return { flags, tally };
  },
};

/** On the suspicious side of their limits; the limits hold for engineering bids only. */
function suspiciousScreens({ values: { cv, spd, rd, skew } }: CollusionScreens): ScreenName[] {
  const isSuspicious = {
    cv: cv !== null && cv <= screenLimits.cv,
    spd: spd !== null && spd <= screenLimits.spd,
    rd: rd !== null && rd > screenLimits.rd,
    skew: skew !== null && skew < screenLimits.skew,
  };
  return (["cv", "spd", "rd", "skew"] as const).filter((name) => isSuspicious[name]);
}

function isOfSpread(name: ScreenName): boolean {
  return name === "cv" || name === "spd";
}

const labels: Record<ScreenName, string> = {
  cv: "Coeficiente de variação das propostas (CV)",
  spd: "Distância da maior à menor, sobre a menor (SPD)",
  diffp: "Distância da segunda à menor, sobre a menor (DIFFP)",
  rd: "Distância da segunda à menor, sobre a dispersão das perdedoras (RD)",
  skew: "Assimetria corrigida (SKEW)",
  kurt: "Curtose em excesso corrigida (KURT)",
  ks: "Distância de Kolmogorov-Smirnov à lei uniforme (KS)",
};

function flagOf(contest: Contest, screens: CollusionScreens, suspicious: ScreenName[], amountAtRisk: number): BidFlag {
  const { process } = contest;
  const { cv, spd, rd, skew } = screens.values;
  const shape = [
    ...(rd === null ? [] : [`RD ${formatDecimal(rd)}`]),
    ...(skew === null ? [] : [`assimetria ${formatDecimal(skew)}`]),
  ];
  return {
    subject: { kind: "process", id: process.ocid, label: process.title ?? process.ocid },
    reason:
      `As ${screens.n} propostas variam ${formatShare(cv ?? 0)} em torno da média e ${formatShare(spd ?? 0)} da menor à ` +
      `maior, com ${shape.join(" e ")}: ${suspicious.length} sinais do lado suspeito.`,
    strength: clamp(0.35 + 0.1 * (suspicious.length - 2), 0.35, 0.55),
    amountAtRisk,
    supplier: winnerOf(contest),
    processes: [process],
    formula: "(cv <= cv_limit or spd <= spd_limit) and (rd > rd_limit or skew < skew_limit)",
    facts: [
      fact("bids", "Licitantes com valor", screens.n, "count"),
      ...screenNames.flatMap((name) => {
        const value = screens.values[name];
        return value === null ? [] : [fact(name, labels[name], value, "score")];
      }),
      ...Object.entries(screenLimits).map(([name, limit]) =>
        fact(`${name}_limit`, `Limite de ${name.toUpperCase()}`, limit, "score"),
      ),
      fact("suspicious", "Sinais do lado suspeito", suspicious.map((name) => name.toUpperCase()).join(", "), "text"),
    ],
  };
}
