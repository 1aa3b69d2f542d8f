import { z } from "zod";
import { defineDetector } from "./define-detector.ts";
import { contractRecord, fact, firstContracts } from "./evidence.ts";
import { exampleContract, exampleDataset } from "./examples.ts";
import { type Contracts, nameText, supplierKindCodes, supplierText } from "./frame/contracts.ts";
import { compareTexts } from "./frame/items.ts";
import { firstRow, groupOfRows, pairKey, type RowGroups, rowsOf } from "./frame/group-rows.ts";
import { sellerGroupsOf, supplierGroupsOf } from "./market-groups.ts";
import { clamp } from "./score.ts";
import { falseDiscoveryCutoff, hypergeometricUpperTail } from "./statistics.ts";
import { plural } from "./text.ts";
import { answerGroup, answerOneOf } from "./tally.ts";
import { excluded, fired, notComputable, NOT_FIRED, type Verdict } from "./verdict.ts";

const legalBasis = [
  { norm: "Lei 14.133/2021", article: "art. 5º (competitividade)", validFrom: "2021-04-01", validTo: null },
  { norm: "Lei 12.529/2011", article: "art. 36, §3º, I, d", validFrom: "2012-05-29", validTo: null },
];

export const supplierNetwork = defineDetector({
  id: "supplier-network",
  version: 1,
  title: "Grupo de fornecedores que aparece sempre nas mesmas unidades",
  question: "Três ou mais fornecedores vendem juntos às mesmas unidades com uma frequência que o acaso não explica?",
  subjects: "fornecedores com vendas a várias unidades",
  method:
    "Rede bipartida de fornecedores e unidades gestoras. Para cada par de fornecedores com ao menos sharedMin unidades em " +
    "comum, a chance de tantas em comum é a cauda da hipergeométrica: unidades do primeiro, do segundo, e de todas. Valem os laços " +
    "aprovados no controle de falsas descobertas entre todos os pares possíveis; comunidade são os componentes ligados de ao menos " +
    "membersMin fornecedores. A força da evidência vai de 0,3 a 0,5 com o tamanho da comunidade.",
  legalBasis,
  references: [
    "Tumminello et al., Statistically Validated Networks in Bipartite Complex Systems, 2011",
    "OCP Red Flags R053 e R057",
  ],
  exclusions: [
    "Fornecedor sem CNPJ publicado.",
    "Unidades com mais de suppliersMax fornecedores, em que estar juntos nada diz.",
  ],
  assumptions: ["Sem acordo, cada fornecedor vende a unidades independentemente dos outros do mesmo porte."],
  innocentExplanations: [
    "Fornecedores do mesmo ramo e da mesma região, que disputam as mesmas licitações.",
    "Ata de registro de preços com vários fornecedores e muitas unidades participantes.",
    "Credenciados de um mesmo programa.",
  ],
  needs: ["contracts"],
  requires: ["supplierTaxId"],
  concerns: ["supplier"],
  params: z.strictObject({
    sharedMin: z.int().min(2).default(3).describe("mínimo de unidades em comum de um par"),
    membersMin: z.int().min(2).default(3).describe("mínimo de fornecedores da comunidade"),
    suppliersMax: z.int().min(2).default(150).describe("fornecedores de uma unidade acima dos quais ela não conta"),
  }),
  detect: ({ contracts }, params, tally) => {
    const network = readNetwork(contracts, params);
    const links = validatedLinks(network, params.sharedMin);
    const communities = connect(network, links, params.membersMin);
    const grouped = new Set(communities.flatMap(({ members }) => members));
    const { suppliers } = network;
    const idOf = (supplier: number) => supplierText(contracts, contracts.supplier[firstRow(suppliers, supplier)]!);
    for (let supplier = 0; supplier < suppliers.count; supplier++) {
      if (grouped.has(supplier)) continue;
      const isWide = network.unitsOf.has(supplier);
      const isCompany = contracts.supplierKind[firstRow(suppliers, supplier)] === supplierKindCodes.company;
      answerOneOf(tally, { groups: suppliers, idOf }, supplier, isCompany ? (isWide ? NOT_FIRED : FEW) : NO_CNPJ);
    }
    for (const community of communities) {
      const rows = community.members.flatMap((member) => Array.from(rowsOf(network.suppliers, member)));
      const id = () =>
        `rede/${community.members.map((member) => memberId(contracts, network, member)).toSorted(compareTexts)[0]!}`;
      answerGroup(tally, { id, rows }, raise(contracts, network, { ...community, rows }));
    }
  },
  examples: [
    {
      title: "aponta quatro fornecedores que vendem juntos às mesmas seis unidades entre quarenta",
      dataset: exampleDataset({ contracts: [...together(4, 6), ...apart(40)] }),
      flags: ["rede/80000000000000"],
      notComputable: Array.from({ length: 40 }, (_, index) => `8100000000${String(index).padStart(4, "0")}`),
    },
    {
      title: "não aponta fornecedores sem unidades em comum",
      dataset: exampleDataset({ contracts: apart(12) }),
      flags: [],
      notComputable: Array.from({ length: 12 }, (_, index) => `8100000000${String(index).padStart(4, "0")}`),
    },
  ],
});

const NO_CNPJ = excluded("fornecedor sem CNPJ publicado");
const FEW = notComputable("fornecedor com poucas unidades");
const FALSE_DISCOVERY_RATE = 0.01;

type Network = {
  suppliers: RowGroups;
  /** Units of each supplier of enough of them, and such suppliers of each unit. */
  unitsOf: Map<number, number[]>;
  suppliersOf: Map<number, number[]>;
  units: number;
};

function readNetwork(
  contracts: Contracts,
  { suppliersMax, sharedMin }: { suppliersMax: number; sharedMin: number },
): Network {
  const sellers = sellerGroupsOf(contracts);
  const suppliers = supplierGroupsOf(contracts);
  const { unit, supplierKind } = contracts;
  const suppliersAt = new Int32Array(contracts.codesSize);
  for (let pair = 0; pair < sellers.count; pair++) {
    const row = firstRow(sellers, pair);
    if (supplierKind[row] === supplierKindCodes.company) suppliersAt[unit[row]!]!++;
  }
  const isCounted = (row: number) =>
    supplierKind[row] === supplierKindCodes.company && suppliersAt[unit[row]!]! <= suppliersMax;
  const counts = new Int32Array(suppliers.count);
  for (let pair = 0; pair < sellers.count; pair++) {
    const row = firstRow(sellers, pair);
    if (isCounted(row)) counts[groupOfRows(suppliers)[row]!]!++;
  }
  const unitsOf = new Map<number, number[]>();
  const suppliersOf = new Map<number, number[]>();
  for (let pair = 0; pair < sellers.count; pair++) {
    const row = firstRow(sellers, pair);
    const supplier = groupOfRows(suppliers)[row]!;
    if (!isCounted(row) || counts[supplier]! < sharedMin) continue;
    append(unitsOf, supplier, unit[row]!);
    append(suppliersOf, unit[row]!, supplier);
  }
  return {
    suppliers,
    unitsOf,
    suppliersOf,
    units: suppliersAt.filter((count) => count > 0 && count <= suppliersMax).length,
  };
}

function append(lists: Map<number, number[]>, key: number, value: number): void {
  const list = lists.get(key);
  if (list) list.push(value);
  else lists.set(key, [value]);
}

type Link = { a: number; b: number; shared: number; pValue: number };

/** Pairs of suppliers that share more units than chance gives, by the hypergeometric tail and Benjamini-Hochberg. */
function validatedLinks({ unitsOf, suppliersOf, units }: Network, sharedMin: number): Link[] {
  const shared = new Map<number, number>();
  for (const members of suppliersOf.values()) {
    for (const a of members) {
      for (const b of members) if (a < b) shared.set(pairKey(a, b), (shared.get(pairKey(a, b)) ?? 0) + 1);
    }
  }
  const links: Link[] = [];
  for (const [key, count] of shared) {
    if (count < sharedMin) continue;
    const a = Math.floor(key / 2 ** 26) - 1;
    const b = (key % 2 ** 26) - 1;
    // The larger first: the two ways round differ in the last bit.
    const sizes = [unitsOf.get(a)!.length, unitsOf.get(b)!.length];
    const [drawn, marked] = [Math.min(...sizes), Math.max(...sizes)];
    const pValue = hypergeometricUpperTail(count, { population: units, marked, drawn });
    links.push({ a, b, shared: count, pValue });
  }
  const wide = unitsOf.size;
  const tests = Math.max(links.length, (wide * (wide - 1)) / 2);
  const cutoff = falseDiscoveryCutoff(
    links.map(({ pValue }) => pValue),
    { tests, q: FALSE_DISCOVERY_RATE },
  );
  return links.filter(({ pValue }) => pValue <= cutoff);
}

type Community = { members: number[]; links: Link[] };

function connect({ suppliers }: Network, links: Link[], membersMin: number): Community[] {
  const parent = Int32Array.from({ length: suppliers.count }, (_, index) => index);
  const rootOf = (index: number): number => {
    let root = index;
    while (parent[root] !== root) root = parent[root]!;
    while (parent[index] !== root) [parent[index], index] = [root, parent[index]!];
    return root;
  };
  for (const { a, b } of links) {
    const [left, right] = [rootOf(a), rootOf(b)];
    parent[Math.max(left, right)] = Math.min(left, right);
  }
  const byRoot = Map.groupBy(links, ({ a }) => rootOf(a));
  return [...byRoot.values()]
    .map((own) => ({ links: own, members: [...new Set(own.flatMap(({ a, b }) => [a, b]))] }))
    .filter(({ members }) => members.length >= membersMin);
}

function raise(
  contracts: Contracts,
  network: Network,
  { members, links, rows }: Community & { rows: number[] },
): Verdict {
  const amountCents = rows.reduce((sum, row) => sum + Math.max(0, contracts.initialValue[row]! || 0), 0);
  return fired({
    strength: clamp(0.3 + 0.05 * (members.length - 3), 0.3, 0.5),
    amountAtRiskCents: amountCents,
    pValue: null,
    describe: () => {
      const ids = members.map((member) => memberId(contracts, network, member)).toSorted(compareTexts);
      const names = members.map((member) => nameOf(contracts, network, member)).toSorted(compareTexts);
      const strongest = links.toSorted((a, b) => a.pValue - b.pValue || b.shared - a.shared)[0]!;
      const named = firstContracts(contracts, rows);
      return {
        subject: {
          kind: "supplier",
          label: `Rede de ${plural(members.length, "fornecedor", "fornecedores")}`,
        },
        reason:
          `${members.length} fornecedores têm ${plural(links.length, "laço", "laços")} que o acaso não explica: o mais forte soma ` +
          `${plural(strongest.shared, "unidade", "unidades")} em comum. ${names.slice(0, 4).join("; ")}${names.length > 4 ? "…" : ""}.`,
        agencyCode: null,
        agencyName: null,
        supplierTaxId: null,
        supplierName: null,
        formula: "p = P(X ≥ shared), X ~ Hypergeometric(units, units_a, units_b); links with p ≤ cutoff",
        facts: [
          fact("members", "Fornecedores", members.length, "count"),
          fact("links", "Laços validados", links.length, "count"),
          fact("shared", "Unidades em comum do laço mais forte", strongest.shared, "count"),
          fact("link_p_value", "Chance do laço mais forte por acaso", strongest.pValue, "score"),
          fact("units", "Unidades da rede", network.units, "count"),
          fact("companies", "CNPJs", ids.slice(0, 10).join(", "), "text"),
        ],
        records: named.map(contractRecord),
        legalBasis,
      };
    },
  });
}

function memberId(contracts: Contracts, { suppliers }: Network, supplier: number): string {
  return supplierText(contracts, contracts.supplier[rowsOf(suppliers, supplier)[0]!]!);
}

/** Of the names a supplier goes by, the one that sorts first. */
function nameOf(contracts: Contracts, { suppliers }: Network, supplier: number): string {
  const names = Array.from(rowsOf(suppliers, supplier), (row) => nameText(contracts, contracts.supplierName[row]!));
  return names.toSorted(compareTexts)[0]!;
}

function together(suppliers: number, units: number) {
  return Array.from({ length: suppliers * units }, (_, index) => {
    const cnpj = `8000000000${String(index % suppliers).padStart(4, "0")}`;
    const unitCode = `2${String(Math.floor(index / suppliers)).padStart(5, "0")}`;
    return exampleContract(`t${index}`, { supplierId: cnpj, supplierTaxId: cnpj, unitCode });
  });
}

function apart(suppliers: number) {
  return Array.from({ length: suppliers }, (_, index) => {
    const cnpj = `8100000000${String(index).padStart(4, "0")}`;
    return exampleContract(`a${index}`, {
      supplierId: cnpj,
      supplierTaxId: cnpj,
      unitCode: `3${String(index).padStart(5, "0")}`,
    });
  });
}
