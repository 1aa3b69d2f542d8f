import { createRandom } from "@cidadao/detectors/seeded-random";
import type { Contract, ContractItem } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";

type Records = Pick<Dataset, "contracts" | "items">;

const BATCH_CONTRACTS = 500;
const VALUE_JITTER = 0.4;
const DAYS_SHIFTED_MAX = 1_500;

/**
 * Real contracts drawn again and again with their items, in batches: each draw gets an id, a value and dates of its own,
 * and each pass over the originals brings other units and suppliers, so that groups keep their size as the data grows.
 */
export function* resample(real: Records, contracts: number, seed: number): Generator<Records> {
  const random = createRandom(seed).next;
  const itemsOf = Map.groupBy(real.items, ({ contractId }) => contractId);
  let batch: Records = { contracts: [], items: [] };
  for (let index = 0; index < contracts; index++) {
    const original = real.contracts[Math.floor(random() * real.contracts.length)]!;
    const drawn = redraw(original, { index, region: Math.floor(index / real.contracts.length), random });
    batch.contracts.push(drawn.contract);
    for (const item of itemsOf.get(original.provenance.sourceId) ?? []) batch.items.push(drawn.itemOf(item));
    if (batch.contracts.length === BATCH_CONTRACTS || index === contracts - 1) {
      yield batch;
      batch = { contracts: [], items: [] };
    }
  }
}

function redraw(
  original: Contract,
  { index, region, random }: { index: number; region: number; random: () => number },
): { contract: Contract; itemOf: (item: ContractItem) => ContractItem } {
  const id = flat("r", String(index));
  const factor = Math.exp(VALUE_JITTER * (2 * random() - 1));
  const days = Math.floor(DAYS_SHIFTED_MAX * (2 * random() - 1));
  const scaled = (cents: number | null) => (cents === null ? null : Math.round(cents * factor));
  const elsewhere = (code: string) => (region === 0 ? code : flat(code, "-", String(region)));
  const supplierTaxId = original.supplierTaxId === null ? null : otherCnpj(original.supplierTaxId, region);
  const contract: Contract = {
    ...original,
    provenance: { ...original.provenance, sourceId: id },
    number: `${index}`,
    object: original.object === null ? null : flat(original.object, " (lote ", String(index % 997), ")"),
    unitCode: elsewhere(original.unitCode),
    supplierId: supplierTaxId ?? elsewhere(original.supplierId),
    supplierTaxId,
    signedOn: shifted(original.signedOn, days),
    publishedOn: shifted(original.publishedOn, days),
    startsOn: shifted(original.startsOn, days),
    endsOn: shifted(original.endsOn, days),
    initialValueCents: scaled(original.initialValueCents),
    currentValueCents: scaled(original.currentValueCents),
  };
  const itemOf = (item: ContractItem): ContractItem => ({
    ...item,
    provenance: { ...item.provenance, sourceId: flat(id, "/", item.provenance.sourceId) },
    contractId: id,
    unitPriceCents: scaled(item.unitPriceCents),
  });
  return { contract, itemOf };
}

/** One text in one piece, as a parser gives it: a template leaves the pieces to be joined by whoever reads them first. */
function flat(...parts: string[]): string {
  return parts.join("");
}

/** 14 characters still, with the region in the branch; the check digits are not recomputed. */
function otherCnpj(taxId: string, region: number): string {
  return region === 0 || taxId.length !== 14
    ? taxId
    : flat(taxId.slice(0, 8), String(region).padStart(4, "0"), taxId.slice(12));
}

function shifted(date: string | null, days: number): string | null {
  return date === null ? null : new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10);
}
