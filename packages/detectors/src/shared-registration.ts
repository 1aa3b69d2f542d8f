import { formatCnpj } from "@cidadao/domain/tax-id";
import type { Registration } from "@cidadao/domain/registration";
import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts, RECORDS_MAX, registrationRecord } from "./evidence.ts";
import { EXAMPLE_CNPJS, exampleContract, exampleDataset, exampleRegistration } from "./examples.ts";
import { codeText, type Contracts, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import type { Registrations } from "./frame/frame.ts";
import { groupRowsByTable, rowsOf } from "./frame/group-rows.ts";
import { compareTexts } from "./frame/items.ts";
import { fold, plural } from "./text.ts";
import { answerGroup } from "./tally.ts";
import { fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "arts. 5º e 14", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null },
];

export const sharedRegistration = defineDetector({
  id: "shared-registration",
  version: 1,
  title: "Fornecedores da mesma unidade com endereço, contato ou sócio em comum",
  question: "Dois ou mais fornecedores diferentes da mesma unidade têm o mesmo endereço, telefone, e-mail ou sócio?",
  subjects: "unidades gestoras",
  method:
    "Entre os fornecedores de uma unidade que estão no cadastro CNPJ, reúne os de raízes diferentes (as oito primeiras " +
    "posições) que compartilham sócio (nome e CPF mascarado iguais, ou CNPJ igual), endereço, telefone ou e-mail. Um dado comum " +
    "a mais de sharersMax empresas do cadastro é de contador ou de incubadora e não conta. A força da evidência é 0,35 por " +
    "telefone ou e-mail, 0,45 por endereço, 0,6 por sócio, e ganha 0,1 quando há mais de um laço.",
  legalBasis,
  references: ["OCP Red Flags R032, R033, R042 e R044"],
  exclusions: [
    "Filiais da mesma empresa.",
    "Endereço, telefone ou e-mail comum a mais de sharersMax empresas: contador, incubadora, centro comercial.",
  ],
  assumptions: ["O cadastro lido cobre os fornecedores da unidade; os que faltam não são vistos."],
  innocentExplanations: [
    "Grupo econômico declarado, que não disputou a mesma licitação.",
    "Escritório de contabilidade que empresta endereço e telefone.",
    "Homônimos com os mesmos algarismos visíveis do CPF.",
  ],
  needs: ["contracts", "registrations"],
  requires: ["supplierTaxId"],
  concerns: ["supplier", "agency"],
  params: z.strictObject({
    sharersMax: z.int().min(2).default(19).describe("empresas acima das quais o dado comum não conta"),
  }),
  detect: ({ contracts, registrations }, params, tally) => {
    const common = commonDetails(registrations, params.sharersMax);
    const units = groupRowsByTable(
      contracts.unit.map((unit, row) => (contracts.supplierKind[row] === supplierKindCodes.company ? unit : -1)),
      contracts.codesSize,
    );
    for (let group = 0; group < units.count; group++) {
      const rows = rowsOf(units, group);
      const id = () => codeText(contracts, contracts.unit[rows[0]!]!);
      answerGroup(tally, { id, rows }, judge({ contracts, registrations, common }, rows));
    }
  },
  examples: [
    {
      title: "aponta duas empresas da mesma unidade com o mesmo sócio e endereço",
      dataset: exampleDataset({
        contracts: [sold("c1", EXAMPLE_CNPJS[0]), sold("c2", EXAMPLE_CNPJS[2])],
        registrations: [EXAMPLE_CNPJS[0], EXAMPLE_CNPJS[2]].map((cnpj) =>
          exampleRegistration(cnpj, { address: "Rua A, 10", partners: [{ taxId: "***.456.789-**", name: "FULANA" }] }),
        ),
      }),
      flags: ["150000"],
    },
    {
      title: "não aponta filiais da mesma empresa",
      dataset: exampleDataset({
        contracts: [sold("c1", EXAMPLE_CNPJS[0]), sold("c2", EXAMPLE_CNPJS[1])],
        registrations: [EXAMPLE_CNPJS[0], EXAMPLE_CNPJS[1]].map((cnpj) =>
          exampleRegistration(cnpj, { address: "Rua A, 10" }),
        ),
      }),
      flags: [],
    },
    {
      title: "não calcula com menos de dois fornecedores no cadastro",
      dataset: exampleDataset({ contracts: [sold("c1", EXAMPLE_CNPJS[0])] }),
      flags: [],
      notComputable: ["150000"],
    },
  ],
});

const FEW = notComputable("menos de dois fornecedores da unidade no cadastro lido");

type DetailKind = "partner" | "address" | "phone" | "email";
const strengths: Record<DetailKind, number> = { partner: 0.6, address: 0.45, phone: 0.35, email: 0.35 };
const kindNames: Record<DetailKind, string> = {
  partner: "sócio em comum",
  address: "endereço em comum",
  phone: "telefone em comum",
  email: "e-mail em comum",
};

/** Details that two or more companies share, and few enough for it to mean something, by company. */
type Common = Map<string, { kind: DetailKind; text: string }[]>;
type Data = { contracts: Contracts; registrations: Registrations; common: Common };

function commonDetails(registrations: Registrations, sharersMax: number): Common {
  const holders = new Map<string, { kind: DetailKind; cnpjs: Set<string>; roots: Set<string> }>();
  for (const registration of registrations.all) {
    for (const { kind, text } of detailsOf(registration)) {
      const key = `${kind} ${text}`;
      const holder = holders.get(key) ?? { kind, cnpjs: new Set<string>(), roots: new Set<string>() };
      holder.cnpjs.add(registration.cnpj);
      holder.roots.add(rootOf(registration.cnpj));
      holders.set(key, holder);
    }
  }
  const common: Common = new Map();
  for (const [text, { kind, cnpjs, roots }] of holders) {
    if (roots.size < 2 || roots.size > sharersMax) continue;
    for (const cnpj of cnpjs) common.set(cnpj, [...(common.get(cnpj) ?? []), { kind, text }]);
  }
  return common;
}

function detailsOf({ partners, address, phone, email }: Registration): { kind: DetailKind; text: string }[] {
  const texts: [DetailKind, string | null][] = [
    ...partners.map(({ taxId, name }): [DetailKind, string | null] => [
      "partner",
      taxId === null ? null : `${taxId} ${name}`,
    ]),
    ["address", address],
    ["phone", phone === null ? null : phone.replaceAll(/\D/g, "")],
    ["email", email],
  ];
  return texts.flatMap(([kind, text]) => {
    const folded = fold(text ?? "")
      .replaceAll(/\s+/g, " ")
      .trim();
    return folded.length < DETAIL_CHARACTERS_MIN ? [] : [{ kind, text: folded }];
  });
}

const DETAIL_CHARACTERS_MIN = 6;

function judge(data: Data, rows: Int32Array): Verdict {
  const { contracts, registrations, common } = data;
  if (registrations.size < 2) return FEW;
  const cnpjs = new Set<string>();
  for (const row of rows) cnpjs.add(supplierText(contracts, contracts.supplier[row]!));
  const known = [...cnpjs].filter((cnpj) => registrations.of(cnpj) !== null);
  if (known.length < 2) return FEW;
  const byDetail = new Map<string, { kind: DetailKind; cnpjs: string[] }>();
  for (const cnpj of known.toSorted(compareTexts)) {
    for (const { kind, text } of common.get(cnpj) ?? []) {
      const sharing = byDetail.get(text) ?? { kind, cnpjs: [] };
      sharing.cnpjs.push(cnpj);
      byDetail.set(text, sharing);
    }
  }
  const ties = [...byDetail.values()].filter((tie) => new Set(tie.cnpjs.map(rootOf)).size > 1);
  return ties.length === 0 ? NOT_FIRED : raise(data, { rows, ties });
}

function raise(
  { contracts, registrations }: Data,
  { rows, ties }: { rows: Int32Array; ties: { kind: DetailKind; cnpjs: string[] }[] },
): Verdict {
  const tied = new Set(ties.flatMap(({ cnpjs }) => cnpjs));
  const own = Array.from(rows).filter((row) => tied.has(supplierText(contracts, contracts.supplier[row]!)));
  const amountCents = own.reduce((sum, row) => sum + Math.max(0, contracts.initialValue[row]! || 0), 0);
  const kinds = [...new Set(ties.map(({ kind }) => kind))].toSorted(
    (a, b) => strengths[b] - strengths[a] || compareTexts(a, b),
  );
  return fired({
    strength: strengths[kinds[0]!] + (ties.length > 1 ? 0.1 : 0),
    amountAtRiskCents: amountCents,
    pValue: null,
    describe: () => {
      const named = firstContracts(contracts, own);
      const first = named[0]!;
      const companies = [...tied].toSorted(compareTexts);
      return {
        subject: { kind: "unit", label: first.unitName },
        reason:
          `${plural(companies.length, "fornecedor", "fornecedores")} da unidade têm ${kinds.map((kind) => kindNames[kind]).join(", ")} no ` +
          `cadastro: ${companies.slice(0, 4).map(formatCnpj).join(", ")}.`,
        agencyCode: first.agencyCode,
        agencyName: first.agencyName,
        supplierTaxId: first.supplierTaxId,
        supplierName: first.supplierName,
        formula: "companies of different roots share a detail held by at most sharers_max companies",
        facts: [
          fact("companies", "Fornecedores ligados", companies.length, "count"),
          fact("ties", "Dados em comum", ties.length, "count"),
          fact("kinds", "O que têm em comum", kinds.map((kind) => kindNames[kind]).join(", "), "text"),
          fact("contracts", "Contratos desses fornecedores com a unidade", own.length, "count"),
          fact("amount", "Valor desses contratos", amountCents, "cents"),
        ],
        records: [
          ...named.map(contractRecord),
          ...companies.slice(0, RECORDS_MAX).map((cnpj) => registrationRecord(registrations.of(cnpj)!)),
        ],
        legalBasis,
      };
    },
  });
}

function rootOf(cnpj: string): string {
  return cnpj.slice(0, 8);
}

function sold(id: string, cnpj: string) {
  return exampleContract(id, { supplierId: cnpj, supplierTaxId: cnpj });
}
