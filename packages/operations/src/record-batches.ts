import type { RecordBatch } from "@cidadao/database/ingest-page";
import type { Contract } from "@cidadao/domain/contract";
import type { RecordKind, SourceRecord } from "@cidadao/sources/define-source";
import { referredRecords } from "./referred-records.ts";

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
    case "registrations":
    case "register_entries":
    case "municipalities":
    case "reference_prices":
    case "company_flags":
    case "expense_documents":
    case "tenderers":
    case "commitments":
      return [{ table: kind, records }];
    case "gazettes":
      throw new Error("gazettes are searched, not stored");
  }
}

function contractBatches(contracts: Contract[], homepage: string): RecordBatch[] {
  const { agencies, suppliers } = referredRecords(contracts, () => homepage);
  return [
    { table: "agencies", records: agencies, onlyNew: true },
    { table: "suppliers", records: suppliers, onlyNew: true },
    { table: "contracts", records: contracts },
  ];
}
