import { findAlert } from "@cidadao/database/alerts";
import { anomalyRow } from "@cidadao/database/anomaly-row";
import {
  claimInvestigation,
  type Claim,
  insertInvestigation,
  type InvestigationResult,
  type NewInvestigation,
} from "@cidadao/database/investigations";
import type { Store } from "@cidadao/database/store";
import { type Finding, findingFingerprint } from "@cidadao/domain/anomaly";
import type { Agency, Contract, Supplier } from "@cidadao/domain/contract";
import type { Provenance } from "@cidadao/domain/provenance";
import type { Sanction } from "@cidadao/domain/sanction";
import { severities } from "@cidadao/domain/severity";

/** For calls that a test ends by its own timeout. */
export const noLimit = new AbortController().signal;

export function newInvestigation(given: Partial<NewInvestigation> = {}): NewInvestigation {
  return {
    query: null,
    scope: { agencyCodes: ["26435"], from: "2024-01-01", to: "2024-12-31" },
    detectors: null,
    origin: "api",
    priority: "default",
    idempotencyHash: null,
    requestHash: "request",
    ...given,
  };
}

/** The id of a new pending investigation. */
export async function openInvestigation(store: Store): Promise<string> {
  return (await insertInvestigation(store, newInvestigation(), noLimit)).investigation.id;
}

export const CRASHES_MAX = 4;

export function claim(store: Store, id: string, worker = "worker-1") {
  return claimInvestigation(store, { id, worker, leaseSeconds: 60, crashesMax: CRASHES_MAX }, noLimit);
}

/** A new investigation that a worker has just claimed. */
export async function openRunning(store: Store): Promise<Claim> {
  const id = await openInvestigation(store);
  const claimed = await claim(store, id);
  if (claimed.outcome !== "claimed") throw new Error(`a new investigation was not claimed but ${claimed.outcome}`);
  return { id, fence: claimed.investigation.fence, leaseSeconds: 60 };
}

/** A finding about the contract `subject`; its fingerprint is its subject's alone. */
export function finding(subject: string, given: Partial<Finding> = {}): Finding {
  return {
    detector: "price-outlier",
    detectorVersion: 1,
    subject: { kind: "contract", id: subject, label: `Contrato ${subject}` },
    title: "Preço muito acima dos pares",
    reason: "O preço unitário é 12 vezes a mediana dos pares.",
    score: 0.91,
    severity: "critical",
    amountAtRiskCents: 123_456_78,
    agencyCode: "26435",
    agencyName: "Universidade",
    supplierTaxId: "15195707000178",
    supplierName: "Fornecedora Ltda.",
    evidence: { formula: "a/b", facts: [], records: [], baseRate: { tested: 10, fired: 1 } },
    legalBasis: [],
    innocentExplanations: ["O item pode ter outra especificação."],
    ...given,
  };
}

/** A result that stores these findings and alerts all of them to one target. */
export function resultOf(findings: Finding[], given: Partial<InvestigationResult> = {}): InvestigationResult {
  return {
    outcome: findings.length > 0 ? "anomalies_found" : "no_anomalies",
    records: 10,
    coverage: [],
    sample: null,
    message: `${findings.length} indícios.`,
    anomalies: findings.map((one, index) =>
      anomalyRow(one, index + 1, { text: "Texto.", source: "template", model: null }),
    ),
    report: { title: "Relatório", markdown: "# Relatório", totals: {}, detectors: [], coverage: [] },
    alert: {
      fingerprints: findings.map(findingFingerprint),
      targets: [{ channel: "discord", target: "main", severityMin: null }],
    },
    ...given,
  };
}

export const SOURCE = "portal-transparencia";

export function provenance(sourceId: string): Provenance {
  return {
    source: SOURCE,
    sourceId,
    url: `https://portaldatransparencia.gov.br/${sourceId}`,
    retrievedAt: "2024-06-01T12:00:00+00:00",
    sample: null,
  };
}

export function agency(code: string, given: Partial<Agency> = {}): Agency {
  return { provenance: provenance(code), code, name: `Órgão ${code}`, parentCode: null, parentName: null, ...given };
}

export function supplier(taxId: string): Supplier {
  return { provenance: provenance(taxId), kind: "company", taxId, name: `Fornecedora ${taxId}` };
}

/** A contract of agency 26435 with supplier 15195707000178, in force during 2024. */
export function contract(id: string, given: Partial<Contract> = {}): Contract {
  return {
    provenance: provenance(id),
    number: id,
    object: "Material de expediente",
    procurementMethod: "open",
    procurementMethodDetails: "Pregão",
    directAwardKind: null,
    legalBasis: null,
    agencyCode: "26435",
    agencyName: "Universidade",
    parentAgencyCode: null,
    parentAgencyName: null,
    unitCode: "150123",
    unitName: "Reitoria",
    supplierId: "15195707000178",
    supplierKind: "company",
    supplierTaxId: "15195707000178",
    supplierName: "Fornecedora Ltda.",
    buyerSphere: "federal",
    buyerState: null,
    signedOn: "2024-01-02",
    publishedOn: "2024-01-03",
    startsOn: "2024-01-02",
    endsOn: "2024-12-31",
    initialValueCents: 100_000_00,
    currentValueCents: 125_000_00,
    category: "Compras",
    estimatedValueCents: null,
    ...given,
  };
}

export function sanction(id: string, taxId: string, given: Partial<Sanction> = {}): Sanction {
  return {
    provenance: provenance(id),
    list: "ceis",
    supplierKind: "company",
    taxId,
    name: `Sancionada ${taxId}`,
    kind: "Impedimento",
    legalBasis: ["Lei 10520, art. 7"],
    startsOn: "2023-01-01",
    endsOn: "2025-01-01",
    endKnown: true,
    sanctioningBody: "Ministério",
    bodySphere: "federal",
    bodyState: null,
    scope: null,
    ...given,
  };
}

const ALL = { limit: 100, severities };

/** The alert with every finding it covers. */
export async function findWholeAlert(store: Store, id: string) {
  return findAlert(store, id, ALL, noLimit);
}
