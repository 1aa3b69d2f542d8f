import type { Agency, Contract, Supplier } from "@cidadao/domain/contract";

/** The agencies and suppliers that contracts name, each once: they are written first because contracts refer to them. */
export function referredRecords(
  contracts: readonly Contract[],
  urlOf: (contract: Contract) => string,
): { agencies: Agency[]; suppliers: Supplier[] } {
  const agencies = new Map<string, Agency>();
  const suppliers = new Map<string, Supplier>();
  for (const contract of contracts) {
    const provenance = { ...contract.provenance, url: urlOf(contract) };
    agencies.set(`${provenance.source} ${contract.agencyCode}`, {
      provenance: { ...provenance, sourceId: contract.agencyCode },
      code: contract.agencyCode,
      name: contract.agencyName,
      parentCode: contract.parentAgencyCode,
      parentName: contract.parentAgencyName,
    });
    suppliers.set(`${provenance.source} ${contract.supplierId}`, {
      provenance: { ...provenance, sourceId: contract.supplierId },
      kind: contract.supplierKind,
      taxId: contract.supplierTaxId,
      name: contract.supplierName,
    });
  }
  return { agencies: [...agencies.values()], suppliers: [...suppliers.values()] };
}
