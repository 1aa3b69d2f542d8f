import { formatBrl } from "@cidadao/domain/money";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, inForceOn, objectFacts, RECORDS_MAX } from "./evidence.ts";
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
import { dayOf } from "./frame/days.ts";
import { NONE } from "./frame/dictionary.ts";
import { firstRow, type RowGroups } from "./frame/group-rows.ts";
import { waivedGroupsOf } from "./market-groups.ts";
import { jaccardOfSets, wordSetOf } from "./similar-texts.ts";
import { fold, plural } from "./text.ts";
import { answerOneOf } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 75, VIII e §6º", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 8.666/1993", article: "art. 24, IV", validFrom: "1993-06-22", validTo: "2023-12-30" },
];

export const emergencyRecontracting = defineDetector({
  id: "emergency-recontracting",
  version: 1,
  title: "Contratação emergencial repetida ou longa",
  question:
    "A unidade contratou por emergência, de novo, o mesmo fornecedor para o mesmo objeto, ou por mais que o prazo legal?",
  subjects: "pares unidade gestora e fornecedor com dispensa",
  method:
    "É emergencial a dispensa cujo fundamento publicado é o art. 75, VIII (ou o art. 24, IV, da Lei 8.666), ou cujo objeto " +
    "fala em emergência ou calamidade. Aponta duas ou mais no intervalo de windowDays dias cujos objetos se parecem " +
    "(Jaccard das palavras a partir de similarityMin), com força 0,6, e 0,7 a partir de três; ou uma só com vigência acima " +
    "do limite, de um ano na Lei 14.133 e de 180 dias na Lei 8.666, mais toleranceDays, com força 0,45.",
  legalBasis,
  references: [
    "Lei 14.133/2021, art. 75, VIII: vedadas a prorrogação e a recontratação da empresa pela mesma emergência",
  ],
  exclusions: [
    "Fornecedor sem CNPJ publicado; objeto sob sigilo.",
    "O mesmo contrato publicado duas vezes conta uma só vez.",
  ],
  assumptions: ["Objetos parecidos da mesma unidade com o mesmo fornecedor são da mesma emergência."],
  innocentExplanations: [
    "Calamidade que continua, ou emergências distintas.",
    "Ordem judicial, como no fornecimento de medicamentos.",
    "Licitação deserta ou suspensa pela justiça.",
  ],
  needs: ["contracts"],
  requires: ["awardKind", "signedOn", "object"],
  concerns: ["contract", "supplier", "agency"],
  params: z.strictObject({
    windowDays: z.int().positive().default(730).describe("intervalo entre a primeira e a última, em dias"),
    similarityMin: z.number().min(0).max(1).default(0.5).describe("semelhança mínima entre objetos"),
    toleranceDays: z.int().min(0).default(10).describe("dias de vigência além do limite que não contam"),
  }),
  detect: ({ contracts }, params, tally) => {
    const pairs = waivedGroupsOf(contracts);
    const idOf = (pair: number) => {
      const first = firstRow(pairs, pair);
      return `${codeText(contracts, contracts.unit[first]!)}/${supplierText(contracts, contracts.supplier[first]!)}`;
    };
    for (let pair = 0; pair < pairs.count; pair++) {
      answerOneOf(tally, { groups: pairs, idOf }, pair, judge(contracts, { pairs, pair }, params));
    }
  },
  examples: [
    {
      title: "aponta a segunda emergência igual em oito meses",
      dataset: exampleDataset({
        contracts: [
          emergency("c1", "2024-01-10", "Serviço emergencial de vigilância armada nas unidades da sede"),
          emergency("c2", "2024-09-10", "Serviço emergencial de vigilância armada nas unidades da sede e anexo"),
        ],
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}`],
    },
    {
      title: "aponta a emergência com vigência de dois anos",
      dataset: exampleDataset({
        contracts: [{ ...emergency("c1", "2024-01-10", "Contratação emergencial de limpeza"), endsOn: "2026-01-10" }],
      }),
      flags: [`150000/${EXAMPLE_CNPJS[0]}`],
    },
    {
      title: "não aponta emergências de objetos diferentes, e não calcula sem fundamento nem objeto",
      dataset: exampleDataset({
        contracts: [
          emergency("c1", "2024-01-10", "Serviço emergencial de vigilância armada"),
          emergency("c2", "2024-09-10", "Compra emergencial de oxigênio hospitalar líquido"),
          { ...emergency("c3", "2024-09-10", null), supplierId: EXAMPLE_CNPJS[2], supplierTaxId: EXAMPLE_CNPJS[2] },
        ],
      }),
      flags: [],
      notComputable: [`150000/${EXAMPLE_CNPJS[2]}`],
    },
  ],
});

const IN_OBJECT = /emergenc|calamidade/;
const IN_LAW = /art(?:igo|\.)?\s*75\D{0,12}?\bviii\b|art(?:igo|\.)?\s*24\D{0,12}?\biv\b/;
const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");
const SECRET = excluded("objeto sob sigilo");
const UNKNOWN = notComputable("nem fundamento nem objeto publicados");
const NEW_LAW = dayOf("2021-04-01");
const OLD_LAW_ENDS = dayOf("2023-12-30");

type Limits = { windowDays: number; similarityMin: number; toleranceDays: number };

function judge(contracts: Contracts, { pairs, pair }: { pairs: RowGroups; pair: number }, limits: Limits): Verdict {
  if (contracts.supplierKind[firstRow(pairs, pair)] !== supplierKindCodes.company) return NO_CNPJ;
  let isTold = false;
  const emergencies: number[] = [];
  for (let index = pairs.start[pair]!; index < pairs.start[pair + 1]!; index++) {
    const row = pairs.rows[index]!;
    const object = objectText(contracts, row) ?? "";
    const legal = contracts.legalBasis[row] === NONE ? "" : nameText(contracts, contracts.legalBasis[row]!);
    if (contracts.isWithheld[row] === 1) return SECRET;
    isTold ||= object !== "" || legal !== "";
    // A cheap look first: most awards are no emergency.
    if (/emerg|calamidade/i.test(object) ? IN_OBJECT.test(fold(object)) : legal !== "" && IN_LAW.test(fold(legal)))
      emergencies.push(row);
  }
  if (!isTold) return UNKNOWN;
  if (emergencies.length === 0) return NOT_FIRED;
  const repeated = repeatedOf(contracts, emergencies, limits);
  if (repeated.length > 1) return raise(contracts, { rows: repeated, kind: "repeated" });
  const long = emergencies.filter((row) => termBeyond(contracts, row, limits.toleranceDays) > 0);
  return long.length > 0 ? raise(contracts, { rows: long, kind: "long" }) : NOT_FIRED;
}

/** The largest run of emergencies within the window that resemble its first; ties go to the earliest. */
function repeatedOf(contracts: Contracts, rows: number[], { windowDays, similarityMin }: Limits): number[] {
  const { signedOn } = contracts;
  const dated = rows
    .filter((row) => signedOn[row] !== NONE && objectText(contracts, row) !== null)
    .sort((a, b) => signedOn[a]! - signedOn[b]! || (keyText(contracts, a) < keyText(contracts, b) ? -1 : 1))
    .slice(0, COMPARED_MAX);
  const words = dated.map((row) => wordSetOf(objectText(contracts, row)!));
  const runs = dated.map((row, index) =>
    dated.filter(
      (other, place) =>
        place >= index &&
        signedOn[other]! - signedOn[row]! <= windowDays &&
        jaccardOfSets(words[index]!, words[place]!) >= similarityMin,
    ),
  );
  return runs.reduce((best, run) => (run.length > best.length ? run : best), []);
}

const COMPARED_MAX = 200;

/** Days of the term beyond the most generous limit of the laws in force at signature; 0 within it or unknown. */
function termBeyond({ startsOn, endsOn, signedOn }: Contracts, row: number, toleranceDays: number): number {
  const [start, end] = [startsOn[row]!, endsOn[row]!];
  if (start === NONE || end === NONE) return 0;
  const signed = signedOn[row] === NONE ? start : signedOn[row]!;
  const limit = Math.max(signed >= NEW_LAW ? 366 : 0, signed <= OLD_LAW_ENDS ? 180 : 0) + toleranceDays;
  return Math.max(0, end - start - limit);
}

function raise(contracts: Contracts, { rows, kind }: { rows: number[]; kind: "repeated" | "long" }): Verdict {
  const amountCents = rows.reduce((sum, row) => sum + Math.max(0, contracts.initialValue[row]! || 0), 0);
  return fired({
    strength: kind === "long" ? 0.45 : rows.length > 2 ? 0.7 : 0.6,
    amountAtRiskCents: amountCents,
    pValue: null,
    describe: () => {
      const awards = rows.map((row) => contractAt(contracts, row));
      const [first, last] = [awards[0]!, awards.at(-1)!];
      const days = contracts.endsOn[rows[0]!]! - contracts.startsOn[rows[0]!]!;
      return {
        subject: { kind: "unit", label: `${first.unitName}: ${first.supplierName}` },
        reason:
          kind === "repeated"
            ? `${plural(awards.length, "dispensa emergencial", "dispensas emergenciais")} de objeto parecido com o mesmo fornecedor, ` +
              `de ${first.signedOn!.slice(0, 4)} a ${last.signedOn!.slice(0, 4)}, somam ${formatBrl(amountCents)}.`
            : `Dispensa emergencial de ${formatBrl(amountCents)} com vigência de ${plural(days, "dia", "dias")}, acima do limite legal.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula: kind === "repeated" ? "awards ≥ 2 within window; jaccard ≥ similarity_min" : "term > limit",
        facts: [
          fact("awards", "Dispensas emergenciais", awards.length, "count"),
          fact("total", "Soma", amountCents, "cents"),
          ...(first.signedOn === null ? [] : [fact("first", "Primeira assinatura", first.signedOn, "date")]),
          ...(last.signedOn === null ? [] : [fact("last", "Última assinatura", last.signedOn, "date")]),
          ...(kind === "long" ? [fact("term", "Vigência", days, "days")] : []),
          ...objectFacts(first),
        ],
        records: awards.slice(0, RECORDS_MAX).map(contractRecord),
        legalBasis: inForceOn(legalBasis, first.signedOn),
      };
    },
  });
}

function emergency(id: string, signedOn: string, object: string | null) {
  return exampleContract(id, {
    signedOn,
    startsOn: signedOn,
    endsOn: null,
    object,
    procurementMethod: "direct",
    procurementMethodDetails: "Dispensa de Licitação",
    directAwardKind: "waived",
  });
}
