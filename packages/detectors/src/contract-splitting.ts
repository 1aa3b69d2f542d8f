import type { Contract } from "@cidadao/domain/contract";
import { daysBetween, type IsoDate } from "@cidadao/domain/dates";
import { formatBrl, type Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, RECORDS_MAX } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import {
  codeText,
  contractAt,
  keyText,
  type Contracts,
  nameText,
  objectText,
  supplierKindCodes,
  supplierText,
} from "./frame/contracts.ts";
import { dateOf, yearOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { firstRow, groupSize, splitGroups, pairKeys, type RowGroups } from "./frame/group-rows.ts";
import { compareTexts } from "./frame/items.ts";
import { catalogueCodesOf } from "./item-class.ts";
import { waivedGroupsOf, yearsSignedOf } from "./market-groups.ts";
import { jaccard } from "./statistics.ts";
import { isWithSupportFoundation } from "./support-foundation.ts";
import { fold, formatDecimal, plural, wordsOf } from "./text.ts";
import {
  directAwardLaws,
  directAwardRegimes,
  directAwardThresholdOn,
  limitIsInclusive,
  regimeNames,
  type DirectAwardRegime,
  type ThresholdOnDay,
} from "./thresholds.ts";
import { answerOneOf } from "./tally.ts";
import { excluded, fired, type FlagDescription, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

export const contractSplitting = defineDetector({
  id: "contract-splitting",
  version: 3,
  title: "Dispensas sucessivas que somam mais que o limite de dispensa por valor",
  question: "A unidade fez várias dispensas pequenas ao mesmo fornecedor que, juntas, exigiriam licitação?",
  subjects: "grupos de unidade gestora, fornecedor, ano e natureza do objeto",
  method:
    "Grupo de dispensas da mesma unidade gestora, do mesmo fornecedor (CNPJ), do mesmo ano de assinatura e da mesma " +
    "natureza, que é o código do catálogo do item de maior valor. Onde a fonte não traz o código, o grupo fica sem a " +
    "natureza, e o indício diz isso. " +
    "Dispara quando há ao menos awardsMin dispensas, cada uma cabe no limite T e a soma passa de T. T é o " +
    "limite da data, para obras, engenharia e manutenção de veículos quando o inciso publicado de alguma delas, ou na falta " +
    "dele o objeto, o indica, senão para outros bens e serviços. O regime legal quase nunca é publicado: calcula-se sob todos os regimes " +
    "possíveis na data, e só dispara se todos concordam. A força da evidência é 0,45, mais 0,15 para cada " +
    "condição forte: três ou mais em strongDays dias; soma acima de 2T; objetos parecidos (Jaccard das palavras " +
    "a partir de similarityMin).",
  legalBasis: directAwardRegimes.map((regime) => directAwardLaws[regime]),
  references: ["OCP Red Flags R011 e R055", "IN SEGES 67/2021"],
  exclusions: [
    "Fornecedor sem CNPJ publicado.",
    "Dispensa cujo fundamento publicado não é o valor, ou regida pela Lei das Estatais (limites próprios): sai da soma.",
    "Objeto que a lei dispensa por outro motivo, como energia, água, correios, agricultura familiar: sai da soma.",
    "Objeto sob sigilo.",
    "Fundação de apoio, que tem dispensa própria.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: [
    "Sem código do catálogo, contratos com o mesmo fornecedor no ano são tratados como da mesma natureza.",
    "Se uma dispensa do grupo passa do limite, o fundamento não era o valor, e o grupo não dispara.",
    "Em ano ainda sem decreto na tabela, vale o último limite conhecido, marcado como provisório.",
    "O limite em dobro de consórcios públicos e agências executivas não é reconhecido nos dados.",
  ],
  innocentExplanations: [
    "Objetos de naturezas diferentes comprados do mesmo fornecedor.",
    "Cursos, inscrições e taxas.",
    "Manutenção de veículos até o valor do art. 75, §7º, que não entra na soma.",
    "Dispensa por outro fundamento, como emergência ou licitação deserta.",
    "Unidades regionais distintas atendidas pela mesma unidade gestora.",
    "Consórcio público ou agência executiva, com limite em dobro.",
  ],
  needs: ["contracts", "items"],
  requires: ["initialValue", "signedOn", "supplierTaxId", "awardKind"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    awardsMin: z.int().min(2).default(2).describe("mínimo de dispensas no grupo"),
    strongDays: z.int().positive().default(30).describe("janela, em dias, da condição forte de proximidade"),
    similarityMin: z.number().min(0).max(1).default(0.7).describe("semelhança mínima entre objetos"),
  }),
  detect: ({ contracts, items }, params, tally) => {
    const natures = catalogueCodesOf(items);
    const groups = splitGroups(waivedGroupsOf(contracts), pairKeys(yearsSignedOf(contracts), natures));
    const idOf = (group: number) => {
      const first = firstRow(groups, group);
      const [signedOn, nature] = [contracts.signedOn[first]!, natures[first]!];
      return [
        codeText(contracts, contracts.unit[first]!),
        supplierText(contracts, contracts.supplier[first]!),
        signedOn === NONE ? "sem-data" : yearOf(signedOn),
        ...(nature === NONE ? [] : [items.text(nature)!]),
      ].join("/");
    };
    for (let group = 0; group < groups.count; group++) {
      const first = firstRow(groups, group);
      answerOneOf(
        tally,
        { groups, idOf },
        group,
        contracts.supplierKind[first] !== supplierKindCodes.company
          ? NO_CNPJ
          : groupSize(groups, group) < params.awardsMin
            ? NOT_FIRED
            : judge(contracts, { groups, group }, { ...params, hasNature: natures[first] !== NONE }),
      );
    }
  },
  examples: [
    {
      title: "aponta três dispensas de R$ 30 mil em um mês, cada uma abaixo do limite de 2024",
      dataset: exampleDataset({
        contracts: [
          exampleAward("c1", "2024-03-01", 3_000_000),
          exampleAward("c2", "2024-03-10", 3_000_000),
          exampleAward("c3", "2024-03-20", 3_000_000),
        ],
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}/2024`],
    },
    {
      title: "não aponta a soma igual ao limite, nem o grupo em que uma dispensa passa do limite",
      dataset: exampleDataset({
        contracts: [
          exampleAward("c1", "2024-03-01", 3_000_000),
          exampleAward("c2", "2024-04-01", 2_990_602),
          exampleAward("c3", "2024-03-01", 3_000_000, EXAMPLE_CNPJS[2]),
          exampleAward("c4", "2024-04-01", 9_000_000, EXAMPLE_CNPJS[2]),
        ],
      }),
      flags: [],
    },
    {
      title: "tira da soma a dispensa de outro inciso, e usa o limite do inciso publicado e não o do objeto",
      dataset: exampleDataset({
        contracts: [
          { ...exampleAward("c1", "2024-03-01", 4_000_000), legalBasis: "Lei 14.133/2021, art. 75, II" },
          {
            ...exampleAward("c2", "2024-04-01", 4_000_000),
            legalBasis: "Lei 14.133/2021, art. 75, II",
            object: "Curso sobre obras públicas",
          },
          { ...exampleAward("c3", "2024-05-01", 50_000_000), legalBasis: "Lei 14.133/2021, art. 75, VIII" },
          { ...exampleAward("c4", "2024-03-01", 4_000_000, EXAMPLE_CNPJS[2]), object: "Obras de reforma" },
          { ...exampleAward("c5", "2024-04-01", 4_000_000, EXAMPLE_CNPJS[2]), object: "Obras de reforma" },
        ],
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}/2024`],
    },
    {
      title: "conta uma só vez o contrato publicado duas vezes",
      dataset: exampleDataset({
        contracts: [
          exampleAward("c1", "2024-03-01", 4_000_000),
          { ...exampleAward("c2", "2024-03-01", 4_000_000), number: "c1" },
        ],
      }),
      flags: [],
    },
    {
      title: "não calcula quando os dois regimes de 2023 discordam",
      dataset: exampleDataset({
        contracts: [exampleAward("c1", "2023-03-01", 1_000_000), exampleAward("c2", "2023-04-01", 1_000_000)],
      }),
      flags: [],
      notComputable: [`150000/${EXAMPLE_CNPJS[0]}/2023`],
    },
    {
      title: "exclui a dispensa de energia elétrica e a de pessoa física",
      dataset: exampleDataset({
        contracts: [
          { ...exampleAward("c1", "2024-03-01", 4_000_000), object: "Fornecimento de energia elétrica" },
          { ...exampleAward("c2", "2024-04-01", 4_000_000), object: "Fornecimento de energia elétrica" },
          {
            ...exampleAward("c3", "2024-04-01", 4_000_000, EXAMPLE_CNPJS[2]),
            supplierKind: "person",
            supplierTaxId: "***.456.789-**",
          },
        ],
      }),
      flags: [],
      excluded: [`150000/${EXAMPLE_CNPJS[0]}/2024`, "150000/***.456.789-**/2024"],
    },
  ],
});

const OTHER_GROUND = new RegExp(
  [
    "energia eletrica",
    "abastecimento de agua",
    "agua (potavel )?e (coleta de )?esgoto",
    "saneamento",
    "\\bcorreios\\b",
    "servicos postais",
    "agricultura familiar",
    "\\bpnae\\b",
    "11\\.?947",
    "8\\.?958",
  ].join("|"),
);
const WORKS = new RegExp(
  [
    "\\bobras?\\b",
    "engenharia",
    "\\breformas?\\b",
    "construcao",
    "edificacao",
    "manutencao (preventiva|corretiva|d[eao]s?)[^.]{0,40}(veicul|viatur|frota)",
  ].join("|"),
);
const STATE_COMPANY = /13\.?303|\brilc\b/;

type Limits = { awardsMin: number; strongDays: number; similarityMin: number; hasNature: boolean };
/** A contract's row with its object and its published ground, folded. */
type Award = { row: number; bought: string; law: string };
type DatedAward = Award & { date: IsoDate; valueCents: Cents };

const FOUNDATION = excluded("fundação de apoio: dispensa própria da Lei 8.958");
const SECRET = excluded("objeto sob sigilo");
const NO_DATE = notComputable("dispensa sem data de assinatura ou sem valor");
const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");

type Group = { groups: RowGroups; group: number };

function judge(contracts: Contracts, { groups, group }: Group, limits: Limits): Verdict {
  const { start, rows } = groups;
  const [from, to] = [start[group]!, start[group + 1]!];
  for (let index = from; index < to; index++) if (isWithSupportFoundation(contracts, rows[index]!)) return FOUNDATION;
  for (let index = from; index < to; index++) if (contracts.isWithheld[rows[index]!] === 1) return SECRET;
  const [all, awards]: [Award[], Award[]] = [[], []];
  for (let index = from; index < to; index++) {
    const award = wordsAbout(contracts, rows[index]!);
    all.push(award);
    if (otherGroundOf(award) === null) awards.push(award);
  }
  if (awards.length === 0) {
    const first = all.reduce((best, award) => (compareKeys(contracts, award, best) < 0 ? award : best));
    return excluded(otherGroundOf(first)!);
  }
  if (awards.length < limits.awardsMin) return NOT_FIRED;
  const dated: DatedAward[] = [];
  for (const award of awards) {
    const [date, valueCents] = [dateOf(contracts.signedOn[award.row]!), contracts.initialValue[award.row]!];
    if (date === null || !(valueCents > 0)) return NO_DATE;
    dated.push({ ...award, date, valueCents });
  }
  const regimes = possibleRegimes(dated);
  if (regimes.length === 0) return notComputable("nenhum regime legal da tabela vale em todas as datas");
  const kind = awards.some(isForWorks) ? "worksCents" : "otherCents";
  const totalCents = dated.reduce((sum, { valueCents }) => sum + valueCents, 0);
  const answers = regimes.map((regime) => underRegime(regime, { dated, kind, totalCents }));
  if (answers.every(({ fires }) => !fires)) return NOT_FIRED;
  if (!answers.every(({ fires }) => fires)) return notComputable("regime legal desconhecido, e os regimes discordam");
  return flagOf(contracts, { dated, totalCents, answers, kind }, limits);
}

function wordsAbout(contracts: Contracts, row: number): Award {
  const legalBasis = contracts.legalBasis[row]!;
  return {
    row,
    bought: fold(objectText(contracts, row) ?? ""),
    law: legalBasis === NONE ? "" : fold(nameText(contracts, legalBasis)),
  };
}

function compareKeys(contracts: Contracts, a: Award, b: Award): number {
  return compareTexts(keyText(contracts, a.row), keyText(contracts, b.row));
}

type Answer = {
  regime: DirectAwardRegime;
  limitCents: Cents;
  isProvisional: boolean;
  instrument: string;
  fires: boolean;
};

/** Every award within the limit of its day, and the sum above the largest of those limits. */
function underRegime(
  regime: DirectAwardRegime,
  { dated, kind, totalCents }: { dated: DatedAward[]; kind: "worksCents" | "otherCents"; totalCents: Cents },
): Answer {
  const rows = dated.map(({ date }) => directAwardThresholdOn(date, regime)!);
  const largest = rows.reduce((best: ThresholdOnDay, row) => (row[kind] > best[kind] ? row : best), rows[0]!);
  const areWithin = dated.every(({ valueCents }, index) => {
    const limit = rows[index]![kind];
    return limitIsInclusive[regime] ? valueCents <= limit : valueCents < limit;
  });
  return {
    regime,
    limitCents: largest[kind],
    isProvisional: rows.some(({ isProvisional }) => isProvisional),
    instrument: largest.instrument,
    fires: areWithin && totalCents > largest[kind],
  };
}

function flagOf(
  contracts: Contracts,
  group: { dated: DatedAward[]; totalCents: Cents; answers: Answer[]; kind: "worksCents" | "otherCents" },
  { strongDays, similarityMin, hasNature }: Limits,
): Verdict {
  const { totalCents, answers, kind } = group;
  const dated = group.dated.toSorted((a, b) => compareTexts(a.date, b.date) || compareKeys(contracts, a, b));
  const { row, date } = dated[0]!;
  const limitCents = Math.max(...answers.map((answer) => answer.limitCents));
  const closest = shortestSpanDays(dated, 3);
  const similarity = lowestSimilarity(dated);
  const isProvisional = answers.some((answer) => answer.isProvisional);
  const conditions = [
    ...(closest !== null && closest <= strongDays
      ? [closest === 0 ? "três ou mais no mesmo dia" : `três ou mais em ${plural(closest, "dia", "dias")}`]
      : []),
    ...(totalCents > 2 * limitCents ? ["soma acima do dobro do limite"] : []),
    ...(similarity >= similarityMin ? ["objetos parecidos"] : []),
  ];
  const regimes = answers.map(({ regime }) => regimeNames[regime]).join("; ");
  const grouping = hasNature
    ? "unidade, fornecedor, ano e código do catálogo"
    : "unidade, fornecedor e ano, sem código do catálogo";
  const describe = (first: Contract): FlagDescription => ({
    subject: { kind: "unit", label: `${first.unitName}: ${first.supplierName}, ${date.slice(0, 4)}` },
    reason:
      `No ano, ${dated.length} dispensas ao mesmo fornecedor, cada uma dentro do limite, somam ` +
      `${formatBrl(totalCents)}, ` +
      `${formatDecimal(totalCents / limitCents)} vezes o limite${isProvisional ? " provisório" : ""} de ` +
      `${formatBrl(limitCents)} (grupo por ${grouping})` +
      `${conditions.length > 0 ? `; ${conditions.join(", ")}` : ""}.`,
    agencyCode: first.agencyCode,
    agencyName: first.agencyName,
    supplierTaxId: first.supplierTaxId,
    supplierName: first.supplierName,
    formula: "awards ≥ 2; every value within limit; total > limit; ratio = total / limit",
    facts: [
      fact("awards", "Dispensas no grupo", dated.length, "count"),
      fact("total", "Soma das dispensas", totalCents, "cents"),
      fact("largest_value", "Maior dispensa", Math.max(...dated.map(({ valueCents }) => valueCents)), "cents"),
      fact("limit", "Limite usado (o maior entre os regimes possíveis)", limitCents, "cents"),
      fact(
        "limit_kind",
        "Natureza suposta",
        kind === "worksCents" ? "obras, engenharia ou veículos" : "outros",
        "text",
      ),
      fact("limit_source", "Fonte do limite", answers.map(({ instrument }) => instrument).join("; "), "text"),
      fact("limit_status", "Situação do limite", isProvisional ? "provisório" : "definitivo", "text"),
      fact("regimes", "Regimes considerados", regimes, "text"),
      fact("ratio", "Soma ÷ limite", totalCents / limitCents, "ratio"),
      fact("group", "Grupo", grouping, "text"),
      fact("similarity", "Menor semelhança entre objetos", similarity, "share"),
      ...(closest === null ? [] : [fact("closest_days", "Menor intervalo com três dispensas", closest, "days")]),
    ],
    records: dated.slice(0, RECORDS_MAX).map((award) => contractRecord(contractAt(contracts, award.row))),
    legalBasis: answers.map(({ regime }) => directAwardLaws[regime]),
  });
  return fired({
    strength: 0.45 + 0.15 * conditions.length,
    amountAtRiskCents: totalCents,
    pValue: null,
    describe: () => describe(contractAt(contracts, row)),
  });
}

/** The regimes that every award of the group could have followed, narrowed by the law where it is published. */
function possibleRegimes(dated: DatedAward[]): DirectAwardRegime[] {
  const named = directAwardRegimes.filter((regime) => dated.some(({ law }) => lawPatterns[regime].test(law)));
  const candidates = named.length > 0 ? named : directAwardRegimes;
  return candidates.filter((regime) => dated.every(({ date }) => directAwardThresholdOn(date, regime) !== null));
}

const lawPatterns: Record<DirectAwardRegime, RegExp> = {
  "lei-14133": /14\.?133/,
  "lei-8666": /8\.?666/,
  "lei-14065": /14\.?065|\b961\b/,
};

/** Why an award is none by value, as far as it is published; `null` when nothing says so. */
function otherGroundOf({ bought, law }: Award): string | null {
  if (STATE_COMPANY.test(law)) return "Lei das Estatais: limites próprios";
  if (OTHER_GROUND.test(bought) || OTHER_GROUND.test(law)) return "objeto dispensado por outro motivo que não o valor";
  const clause = clauseIn(law);
  return clause === null || clause === "i" || clause === "ii" ? null : "fundamento publicado não é o valor";
}

/** The clause tells works from the rest better than the words of the object. */
function isForWorks({ bought, law }: Award): boolean {
  const clause = clauseIn(law);
  return clause === null ? WORKS.test(bought) : clause === "i";
}

/** The clause of art. 75 or art. 24 that a text names, in small Roman numerals. */
function clauseIn(law: string): string | null {
  return /art(?:igo|\.)?\s*(?:75|24)\D{0,12}?\b(i|ii|iii|iv|v|vi{0,3}|ix|x[ivx]*)\b/.exec(law)?.[1] ?? null;
}

/** Days spanned by the closest `count` awards; `null` when there are fewer. */
function shortestSpanDays(dated: DatedAward[], count: number): number | null {
  const spans = dated.slice(count - 1).map(({ date }, index) => daysBetween(dated[index]!.date, date));
  return spans.length === 0 ? null : Math.min(...spans);
}

const COMPARED_OBJECTS_MAX = 50;

function lowestSimilarity(dated: DatedAward[]): number {
  const words = dated.slice(0, COMPARED_OBJECTS_MAX).map(({ bought }) => wordsOf(bought));
  const pairs = words.flatMap((left, index) => words.slice(index + 1).map((right) => jaccard(left, right)));
  return Math.min(...pairs);
}

function exampleAward(id: string, signedOn: IsoDate, initialValueCents: Cents, cnpj = EXAMPLE_CNPJS[0] as string) {
  return exampleContract(id, {
    signedOn,
    initialValueCents,
    supplierId: cnpj,
    supplierTaxId: cnpj,
    procurementMethod: "direct",
    procurementMethodDetails: "Dispensa de Licitação",
    directAwardKind: "waived",
  });
}
