import type { RecordBatch } from "@cidadao/database/ingest-page";
import type { Agency, Contract, Supplier } from "@cidadao/domain/contract";
import type { RecordKind, SourceRecord } from "@cidadao/sources/define-source";

/** The tables that the records of a kind go to, in the order in which they refer to one another. */
export function recordBatches(kind: RecordKind, records: SourceRecord[], homepage: string): RecordBatch[] {
  switch (kind) {
    case "contracts":
      return contractBatches(records as Contract[], homepage);
    case "items":
      return [{ table: "contract_items", records }];
    case "agencies":
    case "amendments":
    case "price_registrations":
    case "sanctions":
      return [{ table: kind, records }];
  }
}

/** A contract names its agency and its supplier; they are written first because it refers to them. */
function contractBatches(contracts: Contract[], homepage: string): RecordBatch[] {
  const agencies = contracts.map((contract): Agency => ({
    provenance: { ...contract.provenance, sourceId: contract.agencyCode, url: homepage },
    code: contract.agencyCode,
    name: contract.agencyName,
    parentCode: contract.parentAgencyCode,
    parentName: contract.parentAgencyName,
  }));
  const suppliers = contracts.map((contract): Supplier => ({
    provenance: { ...contract.provenance, sourceId: contract.supplierId, url: homepage },
    kind: contract.supplierKind,
    taxId: contract.supplierTaxId,
    name: contract.supplierName,
  }));
  return [
    { table: "agencies", records: agencies, onlyNew: true },
    { table: "suppliers", records: suppliers, onlyNew: true },
    { table: "contracts", records: contracts },
  ];
}
