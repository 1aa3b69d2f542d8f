import type { EvidenceFact, EvidenceRecord, EvidenceUnit, LegalReference, Subject } from "@cidadao/domain/anomaly";
import type { Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { IsoDate } from "@cidadao/domain/dates";
import { recordKey, type Provenance } from "@cidadao/domain/provenance";
import type { Registration } from "@cidadao/domain/registration";
import type { Sanction } from "@cidadao/domain/sanction";
import { formatCnpj } from "@cidadao/domain/tax-id";
import { contractAt, type Contracts, keyText } from "./frame/contracts.ts";
import { round4 } from "./score.ts";

/** A finding names at most this many records of a kind; the facts say how many there are. */
export const RECORDS_MAX = 20;

export function fact(name: string, label: string, value: number | string, unit: EvidenceUnit): EvidenceFact {
  const rounds = typeof value === "number" && (unit === "ratio" || unit === "share" || unit === "score");
  return { name, label, value: rounds ? round4(value) : value, unit };
}

export function contractSubject(contract: Contract): Omit<Subject, "id"> {
  return { kind: "contract", label: contractLabel(contract) };
}

export function contractRecord(contract: Contract): EvidenceRecord {
  return recordOf("contract", contractLabel(contract), contract.provenance);
}

export function itemRecord(item: ContractItem): EvidenceRecord {
  return recordOf("contract_item", `Item ${item.number}: ${item.description ?? "sem descrição"}`, item.provenance);
}

export function amendmentRecord(amendment: Amendment): EvidenceRecord {
  const label = `Termo aditivo ${amendment.number}: ${amendment.object ?? "sem objeto publicado"}`;
  return recordOf("amendment", label, amendment.provenance);
}

export function sanctionRecord(sanction: Sanction): EvidenceRecord {
  const label = `${sanction.list.toUpperCase()}: ${sanction.kind} (${sanction.sanctioningBody})`;
  return recordOf("sanction", label, sanction.provenance);
}

export function registrationRecord(registration: Registration): EvidenceRecord {
  return recordOf(
    "registration",
    `CNPJ ${formatCnpj(registration.cnpj)}: ${registration.name}`,
    registration.provenance,
  );
}

/** Who buys and who sells, as a finding names them. */
export function partiesOf(contract: Contract) {
  return {
    agencyCode: contract.agencyCode,
    agencyName: contract.agencyName,
    supplierTaxId: contract.supplierTaxId,
    supplierName: contract.supplierName,
  };
}

/** The contracts of these rows whose keys sort first, as many as a finding names. */
export function firstContracts(contracts: Contracts, rows: ArrayLike<number>): Contract[] {
  const first: { key: string; row: number }[] = [];
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!;
    const key = keyText(contracts, row);
    if (first.length === RECORDS_MAX && key >= first.at(-1)!.key) continue;
    const place = first.findIndex((one) => key < one.key);
    first.splice(place === -1 ? first.length : place, 0, { key, row });
    if (first.length > RECORDS_MAX) first.pop();
  }
  return first.map(({ row }) => contractAt(contracts, row));
}

/** What was bought, in the publisher's words. */
export function objectFacts({ object }: Contract): EvidenceFact[] {
  return object === null ? [] : [fact("object", "Objeto", shorten(object), "text")];
}

/** The versions of law in force on a day; all of them when the day is unknown. */
export function inForceOn(references: readonly LegalReference[], date: IsoDate | null): LegalReference[] {
  return references.filter(
    ({ validFrom, validTo }) => date === null || (validFrom <= date && (validTo === null || date <= validTo)),
  );
}

export function byRecordKey(a: { provenance: Provenance }, b: { provenance: Provenance }): number {
  const [left, right] = [recordKey(a.provenance), recordKey(b.provenance)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function contractLabel(contract: Contract): string {
  return `Contrato ${contract.number} — ${contract.unitName}`;
}

function recordOf(kind: EvidenceRecord["kind"], label: string, provenance: Provenance): EvidenceRecord {
  const { url, retrievedAt } = provenance;
  return { kind, id: recordKey(provenance), label: shorten(label), url, retrievedAt };
}

const LABEL_CHARACTERS_MAX = 240;

function shorten(text: string): string {
  return text.length <= LABEL_CHARACTERS_MAX ? text : `${text.slice(0, LABEL_CHARACTERS_MAX - 1)}…`;
}
