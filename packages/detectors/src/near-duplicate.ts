import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { byRecordKey, contractRecord, fact, inForceOn, objectFacts, RECORDS_MAX } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset } from "./examples.ts";
import {
  codeText,
  contractAt,
  keyText,
  numberText,
  type Contracts,
  objectText,
  supplierKindCodes,
  supplierText,
} from "./frame/contracts.ts";
import { NONE } from "./frame/dictionary.ts";
import { groupSize, rowsOf } from "./frame/group-rows.ts";
import { sellerGroupsOf } from "./market-groups.ts";
import { clusterAlike, type WordSet, wordSetOf } from "./similar-texts.ts";
import { fold, formatShare, plural } from "./text.ts";
import { answerGroup } from "./tally.ts";
import { excluded, fired, notComputable, notFired, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 4.320/1964", article: "arts. 62 e 63", validFrom: "1964-03-17", validTo: null },
  { norm: "Lei 14.133/2021", article: "art. 169", validFrom: "2021-04-01", validTo: null },
];

export const nearDuplicate = defineDetector({
  id: "near-duplicate",
  version: 1,
  title: "Contratos quase iguais com o mesmo fornecedor",
  question: "A mesma unidade tem com o mesmo fornecedor dois ou mais contratos de mesmo valor e objeto quase igual?",
  subjects: "trios unidade gestora, fornecedor e valor com mais de um contrato",
  method:
    "Dentro da mesma unidade gestora, do mesmo fornecedor e do mesmo valor inicial em reais inteiros, são quase iguais " +
    "dois contratos assinados a até daysMax dias um do outro cujos objetos têm conjuntos de palavras com Jaccard de ao " +
    "menos similarityMin. Objetos iguais palavra a palavra são reunidos primeiro; os demais são procurados pelas " +
    "palavras mais raras de cada um (junção por prefixo, PPJoin), que não perde nenhum par, e conferidos pelo Jaccard " +
    "exato; quem já está no mesmo conjunto não se compara de novo. " +
    "A força da evidência é 0,4, e 0,5 quando a data de assinatura também é igual.",
  legalBasis,
  references: [
    "Bayardo, Ma e Srikant, Scaling Up All Pairs Similarity Search, 2007",
    "Xiao, Wang, Lin e Yu, Efficient Similarity Joins for Near Duplicate Detection, 2008 (PPJoin)",
  ],
  exclusions: [
    "Objeto sob sigilo, ou com menos de textCharactersMin letras.",
    "O mesmo contrato publicado duas vezes: mesmo número, ou o mesmo número na numeração nova, que troca o primeiro " +
      "algarismo (00004/2024 e 90004/2024). É republicação, e conta uma só vez.",
    "Credenciamento, em que o mesmo contrato-padrão se repete.",
    "Valor zero ou ausente.",
  ],
  assumptions: ["Duas contratações iguais no mesmo mês são raras fora de lotes e de entregas parceladas."],
  innocentExplanations: [
    "Lotes ou itens de uma mesma licitação, um contrato para cada um.",
    "Rateio entre unidades ou locais de entrega.",
    "Republicação com número corrigido.",
    "Postos ou locais iguais contratados um a um.",
  ],
  needs: ["contracts"],
  requires: ["object", "initialValue", "signedOn"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    similarityMin: z.number().min(0).max(1).default(0.85).describe("Jaccard mínimo dos conjuntos de palavras"),
    daysMax: z.int().min(0).default(30).describe("maior distância entre assinaturas, em dias"),
    textCharactersMin: z.int().min(1).default(20).describe("menor objeto que se compara, em caracteres"),
  }),
  detect: ({ contracts }, params, tally) => {
    const sellers = sellerGroupsOf(contracts);
    for (let seller = 0; seller < sellers.count; seller++) {
      if (groupSize(sellers, seller) < 2) continue;
      for (const rows of sameValue(contracts, rowsOf(sellers, seller))) {
        const first = rows[0]!;
        const id = () =>
          [
            codeText(contracts, contracts.unit[first]!),
            supplierText(contracts, contracts.supplier[first]!),
            valueText(contracts.initialValue[first]!),
          ].join("/");
        answerGroup(tally, { id, rows }, judge(contracts, rows, params));
      }
    }
  },
  examples: [
    {
      title: "aponta dois contratos iguais a dez dias um do outro, com uma palavra de diferença",
      dataset: exampleDataset({
        contracts: [
          pair(
            "c1",
            "2024-03-01",
            "Aquisição de mobiliário escolar para as salas de aula do bloco norte do campus sede",
          ),
          pair(
            "c2",
            "2024-03-11",
            "Aquisição de mobiliário escolar para as salas de aula do bloco norte do campus da sede",
          ),
        ],
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}/100000`],
    },
    {
      title: "não aponta objetos diferentes nem contratos distantes no tempo",
      dataset: exampleDataset({
        contracts: [
          pair("c1", "2024-03-01", "Aquisição de mobiliário escolar para as salas de aula do bloco norte"),
          pair("c2", "2024-03-11", "Serviço de manutenção predial preventiva e corretiva dos telhados"),
          pair("c3", "2024-09-11", "Serviço de manutenção predial preventiva e corretiva dos telhados"),
        ],
      }),
      flags: [],
    },
    {
      title: "não calcula sem objeto ou sem data, e exclui o objeto sob sigilo",
      dataset: exampleDataset({
        contracts: [
          pair("c1", "2024-03-01", null),
          pair("c2", "2024-03-02", null),
          {
            ...pair("c3", "2024-03-01", "Informação protegida por sigilo"),
            supplierKind: "secret",
            supplierId: "-11",
            supplierTaxId: null,
          },
          {
            ...pair("c4", "2024-03-02", "Informação protegida por sigilo"),
            supplierKind: "secret",
            supplierId: "-11",
            supplierTaxId: null,
          },
        ],
      }),
      flags: [],
      notComputable: [`150000/${EXAMPLE_CNPJS[0]}/100000`],
      excluded: ["150000/-11/100000"],
    },
  ],
});

const SECRET = excluded("objeto sob sigilo");
const ACCREDITED = /credenciament|credenciad/;
const STANDARD = excluded("credenciamento: o mesmo contrato-padrão para cada serviço");
const NO_VALUE = excluded("valor inicial ausente ou zero");
const REPUBLISHED = notFired("o mesmo contrato publicado de novo, com o mesmo número ou na numeração nova");
const NO_TEXT = notComputable("menos de dois contratos com objeto e data de assinatura");

type Limits = { similarityMin: number; daysMax: number; textCharactersMin: number };

function judge(contracts: Contracts, rows: Int32Array, limits: Limits): Verdict {
  if (reaisOf(contracts.initialValue[rows[0]!]!) === 0) return NO_VALUE;
  if (contracts.supplierKind[rows[0]!] === supplierKindCodes.secret) return SECRET;
  const comparable: { row: number; words: WordSet }[] = [];
  for (const row of rows) {
    const text = objectText(contracts, row);
    if (contracts.signedOn[row] === NONE || !text || text.length < limits.textCharactersMin) continue;
    if (contracts.isWithheld[row] === 1) return SECRET;
    if (ACCREDITED.test(fold(text))) return STANDARD;
    comparable.push({ row, words: wordSetOf(text) });
  }
  if (comparable.length < 2) return NO_TEXT;
  const alike = clusterAlike(
    comparable.map(({ words }) => words),
    { similarityMin: limits.similarityMin },
  ).flatMap((members) =>
    closeInTime(
      contracts,
      members.map((index) => comparable[index]!.row),
      limits.daysMax,
    ).map((rows) => withoutRenumbered(contracts, rows)),
  );
  if (alike.length === 0) return NOT_FIRED;
  if (alike.every((rows) => rows.length < 2)) return REPUBLISHED;
  const largest = alike.toSorted((a, b) => b.length - a.length || compareKeys(contracts, a, b))[0]!;
  return raise(contracts, { alike: largest, limits });
}

/** Groups of at least two rows with the same value in whole reais; those without a value are one group. */
function sameValue({ initialValue }: Contracts, rows: Int32Array): Int32Array[] {
  const reais = (row: number) => reaisOf(initialValue[row]!);
  if (rows.length === 2) return reais(rows[0]!) === reais(rows[1]!) ? [rows] : [];
  const sorted = rows.slice().sort((a, b) => reais(a) - reais(b) || a - b);
  const groups: Int32Array[] = [];
  for (let from = 0, to = 1; to <= sorted.length; to++) {
    if (to < sorted.length && reais(sorted[to]!) === reais(sorted[from]!)) continue;
    if (to - from > 1) groups.push(sorted.subarray(from, to));
    from = to;
  }
  return groups;
}

/** One row for each number; the first digit apart, for the new numbering changes it. */
function withoutRenumbered(contracts: Contracts, rows: number[]): number[] {
  const byNumber = new Map(rows.toReversed().map((row) => [numberText(contracts, row).slice(1), row]));
  return rows.filter((row) => byNumber.get(numberText(contracts, row).slice(1)) === row);
}

/** Runs of at least two rows in which each was signed within `daysMax` of the one before. */
function closeInTime(contracts: Contracts, rows: number[], daysMax: number): number[][] {
  const { signedOn } = contracts;
  const runs: number[][] = [];
  const ordered = rows.toSorted(
    (a, b) => signedOn[a]! - signedOn[b]! || (keyText(contracts, a) < keyText(contracts, b) ? -1 : 1),
  );
  for (const row of ordered) {
    const last = runs.at(-1);
    if (last && signedOn[row]! - signedOn[last.at(-1)!]! <= daysMax) last.push(row);
    else runs.push([row]);
  }
  return runs.filter((run) => run.length > 1);
}

function raise(contracts: Contracts, { alike, limits }: { alike: number[]; limits: Limits }): Verdict {
  const { signedOn, initialValue } = contracts;
  const sameDay = alike.every((row) => signedOn[row] === signedOn[alike[0]!]);
  const value = initialValue[alike[0]!]!;
  return fired({
    strength: sameDay ? 0.5 : 0.4,
    amountAtRiskCents: value * (alike.length - 1),
    pValue: null,
    describe: () => {
      const members = alike.map((row) => contractAt(contracts, row)).sort(byRecordKey);
      const first = members[0]!;
      const days = signedOn[alike.at(-1)!]! - signedOn[alike[0]!]!;
      return {
        subject: { kind: "unit", label: `${first.unitName}: ${first.supplierName}, ${formatBrl(value)}` },
        reason:
          `${plural(members.length, "contrato", "contratos")} de ${formatBrl(value)} com o mesmo fornecedor e objeto quase igual, ` +
          `assinados em ${days === 0 ? "um só dia" : plural(days + 1, "dia", "dias")}; números ` +
          `${members
            .slice(0, NUMBERS_MAX)
            .map(({ number }) => number)
            .join(", ")}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula:
          "jaccard(words_a, words_b) ≥ similarity_min; |signed_a − signed_b| ≤ days_max; amount = value × (contracts − 1)",
        facts: [
          fact("contracts", "Contratos quase iguais", members.length, "count"),
          fact("value", "Valor de cada um", value, "cents"),
          fact("similarity_min", "Semelhança mínima", formatShare(limits.similarityMin), "text"),
          fact("days_max", "Maior distância admitida", limits.daysMax, "days"),
          fact("days", "Distância entre o primeiro e o último", days, "days"),
          ...objectFacts(first),
        ],
        records: members.slice(0, RECORDS_MAX).map(contractRecord),
        legalBasis: inForceOn(legalBasis, first.signedOn),
      };
    },
  });
}

const NUMBERS_MAX = 6;

function compareKeys(contracts: Contracts, a: number[], b: number[]): number {
  return keyText(contracts, a[0]!) < keyText(contracts, b[0]!) ? -1 : 1;
}

/** Whole reais; 0 for less than half of one and for no value. */
function reaisOf(value: number): number {
  return value > 0 ? Math.round(value / 100) : 0;
}

function valueText(value: number): string {
  const reais = reaisOf(value);
  return reais === 0 ? "sem-valor" : String(reais);
}

function pair(id: string, signedOn: string, object: string | null) {
  return exampleContract(id, { signedOn, object });
}
