import type { Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import { awardKindCodes, codeText, type Contracts } from "./frame/contracts.ts";
import { dateOf, createDayTable, type DayTable, onDay } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupOfRows, type RowGroups } from "./frame/group-rows.ts";
import { agencyGroupsOf } from "./market-groups.ts";
import { clamp } from "./score.ts";
import { hypergeometricUpperTail } from "./statistics.ts";
import { formatDecimal, formatShare } from "./text.ts";
import {
  directAwardLaws,
  directAwardRegimes,
  directAwardThresholdOn,
  type DirectAwardRegime,
  limitIsInclusive,
  regimeNames,
} from "./thresholds.ts";
import { answerGroup } from "./tally.ts";
import { fired, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

export const thresholdBunching = defineDetector({
  id: "threshold-bunching",
  version: 1,
  title: "Dispensas acumuladas logo abaixo do limite de valor",
  question: "O órgão tem, logo abaixo do limite de dispensa, muito mais contratações do que logo acima?",
  subjects: "pares órgão e regime legal",
  method:
    "T é o limite de dispensa por valor para outros bens e serviços, na data de cada contrato e sob o regime. a conta as " +
    "dispensas em [(1 − bandShare)·T, T], b as em (T, (1 + bandShare)·T]; na Lei 14.133 o valor igual a T já está acima. " +
    "c e d contam as mesmas faixas nas outras contratações do órgão, ou de todos os órgãos quando as do órgão são menos " +
    "que comparisonMin: valores maiores são sempre mais raros, e é contra isso que se compara. Dispara com a + b a partir " +
    "de awardsMin, a ÷ b a partir de ratioMin, razão ao menos o dobro da razão de comparação, (c + 1) ÷ (d + 1), e chance " +
    "exata de Fisher P(X ≥ a), X as que ficam abaixo entre a + b tiradas de a + b + c + d, das quais a + c ficam abaixo, " +
    "menor que 1 % e aprovada no controle de falsas descobertas. A força da evidência vai de 0,5 a 0,8 com a razão.",
  legalBasis: directAwardRegimes.map((regime) => directAwardLaws[regime]),
  references: ["OCP Red Flags R002 e R049", "McCrary, Manipulation of the Running Variable, 2008"],
  exclusions: [
    "O mesmo contrato publicado duas vezes conta uma só vez.",
    "Um único valor perto do limite nunca é indício.",
  ],
  assumptions: [
    "O fundamento das dispensas raramente é publicado: as que não são por valor entram nas duas faixas e enfraquecem o sinal.",
    "Sem regime publicado, cada regime possível na data é testado à parte.",
  ],
  innocentExplanations: [
    "Preço de tabela ou valor redondo logo abaixo do limite.",
    "O órgão planeja compras pequenas para caber no limite, o que a lei admite quando não são parcelas da mesma compra.",
    "Limite que coincide com o preço usual de um curso ou serviço.",
  ],
  needs: ["contracts"],
  requires: ["initialValue", "signedOn", "awardKind"],
  concerns: ["agency"],
  params: z.strictObject({
    bandShare: z.number().positive().max(0.5).default(0.1).describe("largura de cada faixa, como fração do limite"),
    awardsMin: z.int().min(10).default(30).describe("mínimo de dispensas nas duas faixas"),
    ratioMin: z.number().min(1).default(2).describe("mínimo de a ÷ b"),
    comparisonMin: z.int().min(1).default(20).describe("mínimo de contratações de comparação do próprio órgão"),
    pValueMax: z.number().positive().max(1).default(0.01).describe("maior chance exata"),
  }),
  detect: ({ contracts }, params, tally) => {
    const agencies = agencyGroupsOf(contracts);
    for (const regime of directAwardRegimes) {
      const counts = countBands(contracts, agencies, regime, params.bandShare);
      const whole = counts.reduce(
        (sum, { above, below }) => ({ below: sum.below + below.other, above: sum.above + above.other }),
        {
          below: 0,
          above: 0,
        },
      );
      for (let group = 0; group < agencies.count; group++) {
        const bands = counts[group]!;
        if (bands.awards.length === 0) continue;
        const id = () => `${codeText(contracts, contracts.agency[bands.awards[0]!]!)}/${regime}`;
        answerGroup(tally, { id, rows: bands.awards }, judge(contracts, { regime, bands, whole }, params));
      }
    }
  },
  examples: [
    {
      title: "aponta o órgão com 60 dispensas logo abaixo do limite e 2 logo acima",
      dataset: exampleDataset({
        contracts: [...awards(60, "abaixo", 5_900_000), ...awards(2, "acima", 6_050_000), ...others()],
      }),
      flags: ["26000/lei-14133"],
    },
    {
      title: "não aponta a queda que as outras modalidades também mostram",
      dataset: exampleDataset({
        contracts: [
          ...awards(32, "abaixo", 5_900_000),
          ...awards(10, "acima", 6_050_000),
          ...Array.from({ length: 60 }, (_, index) =>
            exampleContract(`b${index}`, { initialValueCents: 5_800_000 + index }),
          ),
          ...Array.from({ length: 20 }, (_, index) =>
            exampleContract(`a${index}`, { initialValueCents: 6_100_000 + index }),
          ),
        ],
      }),
      flags: [],
    },
    {
      title: "não calcula com poucas dispensas perto do limite",
      dataset: exampleDataset({ contracts: awards(5, "abaixo", 5_900_000) }),
      flags: [],
      notComputable: ["26000/lei-14133"],
    },
  ],
});

type Band = { waived: number; other: number };
type Bands = {
  below: Band;
  above: Band;
  exact: number;
  /** Rows of the direct awards whose date the regime covers. */
  awards: number[];
  near: number[];
  limitCents: Cents;
};
type Limits = { bandShare: number; awardsMin: number; ratioMin: number; comparisonMin: number; pValueMax: number };

/** By agency. The rows are gone over in their own order: most lie far from any limit. */
function countBands(contracts: Contracts, agencies: RowGroups, regime: DirectAwardRegime, bandShare: number): Bands[] {
  const { initialValue, signedOn, awardKind } = contracts;
  const limits = limitTables[regime];
  const agencyOf = groupOfRows(agencies);
  const counts = Array.from({ length: agencies.count }, (): Bands => {
    const [below, above]: [Band, Band] = [
      { waived: 0, other: 0 },
      { waived: 0, other: 0 },
    ];
    return { below, above, exact: 0, awards: [], near: [], limitCents: 0 };
  });
  for (let row = 0; row < contracts.size; row++) {
    const [value, day] = [initialValue[row]!, signedOn[row]!];
    const limit = day === NONE || !(value > 0) || agencyOf[row]! < 0 ? 0 : onDay(limits, day);
    if (limit === 0) continue;
    const isWaived = awardKind[row] === awardKindCodes.waived;
    const isNear = value >= limit * (1 - bandShare) && value <= limit * (1 + bandShare);
    if (!isWaived && !isNear) continue;
    const bands = counts[agencyOf[row]!]!;
    if (isWaived) bands.awards.push(row);
    if (!isNear) continue;
    const isWithin = limitIsInclusive[regime] ? value <= limit : value < limit;
    const band = isWithin ? bands.below : bands.above;
    if (isWaived) {
      band.waived++;
      bands.near.push(row);
      if (value === limit) bands.exact++;
      bands.limitCents = Math.max(bands.limitCents, limit);
    } else {
      band.other++;
    }
  }
  return counts;
}

/** The limit on a day under each regime, in cents; 0 when it did not apply. */
const limitTables = Object.fromEntries(
  directAwardRegimes.map((regime) => [
    regime,
    createDayTable((day) => directAwardThresholdOn(dateOf(day)!, regime)?.otherCents ?? 0),
  ]),
) as Record<DirectAwardRegime, DayTable>;

const FALLS_EVERYWHERE = notFired("mais contratações abaixo do limite, mas as outras modalidades caem do mesmo modo");

type Case = {
  regime: DirectAwardRegime;
  bands: Bands;
  whole: { below: number; above: number };
};

function judge(contracts: Contracts, one: Case, limits: Limits): Verdict {
  const { below, above } = one.bands;
  const trials = below.waived + above.waived;
  if (trials < limits.awardsMin) return notComputable(`menos de ${limits.awardsMin} dispensas perto do limite`);
  const isOwn = below.other + above.other >= limits.comparisonMin;
  const comparison = isOwn ? { below: below.other, above: above.other } : one.whole;
  const share = (comparison.below + 1) / (comparison.below + comparison.above + 2);
  const ratio = below.waived / Math.max(above.waived, 1);
  if (ratio < limits.ratioMin) return NOT_FIRED;
  const comparisonRatio = share / (1 - share);
  // Fisher's exact test: a comparison of twenty contracts is itself an estimate, and no known share.
  const pValue = hypergeometricUpperTail(below.waived, {
    population: trials + comparison.below + comparison.above,
    marked: below.waived + comparison.below,
    drawn: trials,
  });
  if (ratio < 2 * comparisonRatio || pValue >= limits.pValueMax) return FALLS_EVERYWHERE;
  return raise(contracts, one, {
    ratio,
    share,
    comparison,
    comparisonRatio,
    pValue,
    isOwn,
    bandShare: limits.bandShare,
  });
}

function raise(
  contracts: Contracts,
  { regime, bands }: Case,
  numbers: {
    ratio: number;
    share: number;
    comparison: { below: number; above: number };
    comparisonRatio: number;
    pValue: number;
    isOwn: boolean;
    bandShare: number;
  },
): Verdict {
  const { below, above, near, exact, limitCents } = bands;
  const { ratio, share, comparison, comparisonRatio, pValue, isOwn, bandShare } = numbers;
  const excess = Math.max(0, below.waived - above.waived * comparisonRatio);
  const within = near.filter((row) => contracts.initialValue[row]! <= limitCents);
  const sum = within.reduce((total, row) => total + contracts.initialValue[row]!, 0);
  return fired({
    strength: clamp(0.5 + 0.1 * Math.log2(ratio / 2), 0.5, 0.8),
    amountAtRiskCents: within.length === 0 ? 0 : Math.round((sum / within.length) * excess),
    pValue,
    describe: () => {
      const named = firstContracts(contracts, near);
      const first = named[0]!;
      return {
        subject: { kind: "agency", label: `${first.agencyName}, ${regimeNames[regime]}` },
        reason:
          `Perto do limite de dispensa, ${below.waived} dispensas ficam até ${formatShare(bandShare)} abaixo dele e ${above.waived} ` +
          `até ${formatShare(bandShare)} acima (razão ${formatDecimal(ratio)}); nas contratações de comparação a razão é ` +
          `${formatDecimal(comparisonRatio)}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: null,
        supplierName: null,
        formula:
          "ratio = below / above; share = (c + 1) / (c + d + 2); p = P(X ≥ below), X ~ Hypergeometric(below + above + c + d, below + c, below + above)",
        facts: [
          fact("below", "Dispensas logo abaixo do limite", below.waived, "count"),
          fact("above", "Dispensas logo acima do limite", above.waived, "count"),
          fact("exact", "Dispensas exatamente no limite", exact, "count"),
          fact("ratio", "Razão", ratio, "ratio"),
          fact("c", "Comparação abaixo", comparison.below, "count"),
          fact("d", "Comparação acima", comparison.above, "count"),
          fact(
            "comparison",
            "Grupo de comparação",
            isOwn ? "outras modalidades do órgão" : "outras modalidades de todos os órgãos",
            "text",
          ),
          fact("share", "Parte esperada abaixo", share, "share"),
          fact("limit", "Maior limite no período", limitCents, "cents"),
          fact("regime", "Regime", regimeNames[regime], "text"),
        ],
        records: named.map(contractRecord),
        legalBasis: [directAwardLaws[regime]],
      };
    },
  });
}

function awards(count: number, mark: string, centerCents: Cents) {
  return Array.from({ length: count }, (_, index) =>
    exampleContract(`${mark}${index}`, {
      initialValueCents: centerCents + 100 * index,
      supplierId: EXAMPLE_CNPJS[index % 5]!,
      supplierTaxId: EXAMPLE_CNPJS[index % 5]!,
      procurementMethod: "direct",
      procurementMethodDetails: "Dispensa de Licitação",
      directAwardKind: "waived",
    }),
  );
}

function others() {
  return Array.from({ length: 40 }, (_, index) =>
    exampleContract(`o${index}`, { initialValueCents: 5_500_000 + 25_000 * index }),
  );
}
