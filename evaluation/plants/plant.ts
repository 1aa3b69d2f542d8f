import type { Contract, ContractItem } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import { recordKey } from "@cidadao/domain/provenance";
import type { Random } from "@cidadao/detectors/seeded-random";

/** Something odd that was put in: its contracts by record key. */
export type Planted = { keys: string[] };
export type Planting = { dataset: Dataset; planted: Planted[] };

/** One kind of oddity: how it is put into real data, and the detector whose job it is to find it. */
export type Plant = {
  /** What is reviewed one at a time. By contracts, any one of a planted group finds it. */
  unit: "contract" | "agency";
  detector: string;
  /** In Portuguese, for the page. */
  what: string;
  into: "month" | "years";
  plant: (dataset: Dataset, count: number, random: Random) => Planting;
};

const PLANTED_NAME = "FORNECEDORA PLANTADA LTDA";
const PLANTED_ID = "plantado-";

export function keyOf(contract: Contract): string {
  return recordKey(contract.provenance);
}

/** What was added; what was only changed is not told apart. */
function isAdded({ provenance }: Contract): boolean {
  return provenance.sourceId.startsWith(PLANTED_ID);
}

export function pick(
  dataset: Dataset,
  random: Random,
  count: number,
  isFit: (contract: Contract) => boolean,
): Contract[] {
  return random.shuffled(dataset.contracts.filter((one) => !isAdded(one) && isFit(one))).slice(0, count);
}

export function changeContracts(
  dataset: Dataset,
  chosen: readonly Contract[],
  change: (contract: Contract) => Partial<Contract>,
): Planting {
  const set = new Set(chosen);
  const contracts = dataset.contracts.map((one) => (set.has(one) ? { ...one, ...change(one) } : one));
  return { dataset: { ...dataset, contracts }, planted: chosen.map((one) => ({ keys: [keyOf(one)] })) };
}

export type Addition = {
  count: number;
  /** Two digits: where several kinds are planted, those of one share no number with those of another. */
  mark: string;
  make: (template: Contract, serial: number) => Partial<Contract>[];
  isFit: (contract: Contract) => boolean;
  /** No two groups after contracts that have this in common. */
  apart?: (contract: Contract) => string;
};

type Added = Planting & { added: { contract: Contract; template: Contract }[] };

/** Adds groups of contracts, each group shaped after a real one. */
export function addContracts(dataset: Dataset, random: Random, addition: Addition): Added {
  const { count, mark, make, isFit, apart = ({ unitCode }) => unitCode } = addition;
  const fit = random.shuffled(dataset.contracts.filter((one) => !isAdded(one) && isFit(one)));
  const templates = [...Map.groupBy(fit, apart).values()].map((group) => group[0]!).slice(0, count);
  return addGroups(
    dataset,
    templates.map((template, serial) => make(template, serial).map((parts) => ({ template, parts }))),
    mark,
  );
}

/** As `addContracts`, where the groups are known. */
export function addGroups(
  dataset: Dataset,
  groups: { template: Contract; parts: Partial<Contract> }[][],
  mark: string,
): Added {
  const made = groups.map((group, serial) =>
    group.map(({ template, parts }, index) => ({
      template,
      contract: {
        ...template,
        number: `${mark}${serial}-${index}`,
        ...parts,
        provenance: { ...template.provenance, sourceId: `${PLANTED_ID}${mark}-${serial}-${index}` },
      },
    })),
  );
  const added = made.flat();
  return {
    dataset: { ...dataset, contracts: [...dataset.contracts, ...added.map(({ contract }) => contract)] },
    planted: made.map((group) => ({ keys: group.map(({ contract }) => keyOf(contract)) })),
    added,
  };
}

/** One item, named by its class, for each contract that was added. */
export function addItems(planting: Added, nameOf: (template: Contract) => string): Planting {
  const items = planting.added.map(({ contract, template }): ContractItem => ({
    provenance: { ...contract.provenance, sourceId: `item-${contract.provenance.sourceId}` },
    contractId: contract.provenance.sourceId,
    number: "1",
    description: nameOf(template),
    complement: null,
    quantity: 1,
    unitPriceCents: contract.initialValueCents,
  }));
  const { dataset, planted } = planting;
  return { dataset: { ...dataset, items: [...dataset.items, ...items] }, planted };
}

export function waived(): Partial<Contract> {
  return {
    procurementMethod: "direct",
    procurementMethodDetails: "Dispensa de Licitação",
    directAwardKind: "waived",
    legalBasis: null,
    supplierKind: "company",
    supplierName: PLANTED_NAME,
  };
}

/** A supplier that no real contract has; the check digits do not matter here. */
export function newSeller(mark: string, serial: number) {
  const cnpj = `9${mark}${String(serial).padStart(5, "0")}000199`;
  return { supplierId: cnpj, supplierTaxId: cnpj, supplierKind: "company" as const, supplierName: PLANTED_NAME };
}

const VALUE_MIN_CENTS = 10_000_000;

export function hasValue({ initialValueCents }: Contract): boolean {
  return (initialValueCents ?? 0) >= VALUE_MIN_CENTS;
}

const OWN_RULES =
  /energia|el[eé]trica|[aá]gua|esgoto|saneamento|correios|loca[cç]|aluguel|concess|cess[aã]o|conv[eê]nio|comodato|apoio|funda[cç]|obra|engenharia|reforma|constru|edifica|g[aá]s|processamento de dados|datacenter|estruturante|permiss|parceria|sigilo|emerg|calamidade|agricultura|pnae|imprensa|di[aá]rio oficial|manuten/i;

/** A contract of no law of its own: an ordinary purchase from a company. */
export function isPlainPurchase(one: Contract): boolean {
  return (
    one.supplierKind === "company" &&
    hasValue(one) &&
    one.procurementMethodDetails !== null &&
    !OWN_RULES.test(`${one.object ?? "sigilo"} ${one.supplierName}`) &&
    (one.object ?? "").length > 40
  );
}

/** By contract the name of its largest item. */
export function largestItemClasses(dataset: Dataset): Map<Contract, string> {
  const byContract = Map.groupBy(dataset.items, ({ contractId }) => contractId);
  const classes = new Map<Contract, string>();
  for (const contract of dataset.contracts) {
    const own = byContract.get(contract.provenance.sourceId) ?? [];
    const largest = own.toSorted(
      (a, b) => (b.quantity ?? 0) * (b.unitPriceCents ?? 0) - (a.quantity ?? 0) * (a.unitPriceCents ?? 0),
    )[0];
    if (largest?.description && !/sigilo|não se aplica/i.test(largest.description))
      classes.set(contract, largest.description);
  }
  return classes;
}
