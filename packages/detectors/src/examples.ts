import type { Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { Dataset } from "@cidadao/domain/dataset";
import type { Provenance } from "@cidadao/domain/provenance";
import type { Registration } from "@cidadao/domain/registration";
import type { Sanction } from "@cidadao/domain/sanction";

/** Subject id of the example contract `id`. */
export function exampleKey(id: string): string {
  return `exemplo/${id}`;
}

/** A dataset that holds only what an example names. */
export function exampleDataset(parts: Partial<Dataset>): Dataset {
  return {
    contracts: [],
    items: [],
    amendments: [],
    sanctions: [],
    sanctionListsRead: [],
    registrations: [],
    ...parts,
  };
}

export function exampleContract(id: string, parts: Partial<Contract> = {}): Contract {
  return {
    provenance: exampleProvenance(id),
    number: id,
    object: "Aquisição de material de escritório",
    procurementMethod: "open",
    procurementMethodDetails: "Pregão",
    directAwardKind: null,
    legalBasis: null,
    agencyCode: "26000",
    agencyName: "Órgão de exemplo",
    parentAgencyCode: "26000",
    parentAgencyName: "Órgão superior de exemplo",
    unitCode: "150000",
    unitName: "Unidade de exemplo",
    supplierId: EXAMPLE_CNPJS[0],
    supplierKind: "company",
    supplierTaxId: EXAMPLE_CNPJS[0],
    supplierName: "Fornecedora de exemplo",
    signedOn: "2024-03-01",
    publishedOn: "2024-03-05",
    startsOn: "2024-03-01",
    endsOn: "2025-02-28",
    initialValueCents: 10_000_000,
    currentValueCents: 10_000_000,
    ...parts,
  };
}

/** Fictitious numbers with valid check digits; the second is another branch of the first. */
export const EXAMPLE_CNPJS = [
  "11222333000181",
  "11222333000262",
  "12345678000195",
  "98765432000198",
  "45723174000110",
  "33683111000107",
] as const;

/** Contracts whose values run evenly, on the log scale, from a fifth to five times `centerCents`. */
export function examplePeers(count: number, centerCents: number, parts: Partial<Contract> = {}): Contract[] {
  return Array.from({ length: count }, (_, index) => {
    const position = count === 1 ? 0 : (2 * index) / (count - 1) - 1;
    const valueCents = Math.round(centerCents * 5 ** position);
    return exampleContract(`p${index + 1}`, {
      initialValueCents: valueCents,
      currentValueCents: valueCents,
      ...parts,
    });
  });
}

export function exampleItem(id: string, contractId: string, parts: Partial<ContractItem> = {}): ContractItem {
  return {
    provenance: exampleProvenance(id),
    contractId,
    number: "1",
    description: "Item de exemplo",
    complement: null,
    quantity: 1,
    unitPriceCents: 10_000_000,
    ...parts,
  };
}

export function exampleAmendment(id: string, contractId: string, object: string | null): Amendment {
  return { provenance: exampleProvenance(id), contractId, number: id, publishedOn: "2024-09-01", object };
}

export function exampleSanction(id: string, parts: Partial<Sanction> = {}): Sanction {
  return {
    provenance: exampleProvenance(id),
    list: "ceis",
    supplierKind: "company",
    taxId: EXAMPLE_CNPJS[0],
    name: "Fornecedora de exemplo",
    kind: "Impedimento/proibição de contratar com prazo determinado",
    legalBasis: ["LEI 14133 - ART. 156, III - IMPEDIMENTO DE LICITAR E CONTRATAR"],
    startsOn: "2023-06-01",
    endsOn: "2025-06-01",
    endKnown: true,
    sanctioningBody: "Ministério de exemplo",
    bodySphere: "federal",
    bodyState: "DF",
    scope: null,
    ...parts,
  };
}

export function exampleRegistration(cnpj: string, parts: Partial<Registration> = {}): Registration {
  return {
    provenance: exampleProvenance(`cnpj-${cnpj}`),
    cnpj,
    name: "Fornecedora de exemplo",
    openedOn: "2010-01-01",
    status: "ATIVA",
    statusSince: "2010-01-01",
    mainActivity: "6204000",
    capitalCents: 10_000_000,
    address: null,
    phone: null,
    email: null,
    partners: [],
    ...parts,
  };
}

function exampleProvenance(sourceId: string): Provenance {
  return {
    source: "exemplo",
    sourceId,
    url: `https://exemplo.gov.br/${sourceId}`,
    retrievedAt: "2024-10-01T12:00:00Z",
    sample: null,
  };
}
