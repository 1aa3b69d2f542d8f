import type { Contract } from "./contract.ts";

export type Twins = {
  /** All of the first source, and those of the second that are not among them. */
  contracts: Contract[];
  twins: number;
  apart: { what: string; why: string }[];
};

/** More are counted as kept, and not listed. */
const APART_LISTED_MAX = 20;

/**
 * The federal contracts of the PNCP come from the same system as those of the Portal. One of the same managing unit with
 * the same number and supplier is the same contract, and is left out; with another supplier it is another, and the reason
 * is told. Without a number of the Portal's form (five digits and the year) nothing is taken for a twin.
 */
export function withoutTwins(portal: readonly Contract[], pncp: readonly Contract[]): Twins {
  const known = new Map<string, Contract[]>();
  for (const contract of portal) {
    const key = keyOf(contract);
    if (key !== null) known.set(key, [...(known.get(key) ?? []), contract]);
  }
  const kept: Contract[] = [];
  const apart: Twins["apart"] = [];
  let twins = 0;
  for (const contract of pncp) {
    const same = known.get(keyOf(contract) ?? "") ?? [];
    if (same.some((other) => other.supplierTaxId !== null && other.supplierTaxId === contract.supplierTaxId)) {
      twins++;
      continue;
    }
    kept.push(contract);
    if (same.length > 0 && apart.length < APART_LISTED_MAX) {
      const why = `mesma unidade e mesmo número que ${same[0]!.provenance.sourceId}, de outro fornecedor`;
      apart.push({ what: `contrato ${contract.provenance.sourceId}`, why });
    }
  }
  return { contracts: [...portal, ...kept], twins, apart };
}

/** The managing unit and the number with its year, "110001 342023"; the PNCP names a unit below its agency's CNPJ. */
function keyOf({ unitCode, number }: Contract): string | null {
  const unit = /(?:^|\/)(\d{6})$/.exec(unitCode)?.[1];
  const [, sequence, year] = /^0*(\d{1,5})\/?((?:19|20)\d{2})$/.exec(number.trim()) ?? [];
  if (unit === undefined || sequence === undefined || year === undefined) return null;
  return `${unit} ${Number(sequence)}/${year}`;
}
