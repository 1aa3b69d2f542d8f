import type { Finding } from "@cidadao/domain/anomaly";

/** One finding as a detector gives it, every kind of figure included. */
export function exampleFinding(parts: Partial<Finding> = {}): Finding {
  return {
    detector: "supplier-concentration",
    detectorVersion: 1,
    subject: { kind: "supplier", id: "11222333000181/26000/2024", label: "Fornecedora 2000 em Órgão de exemplo, 2024" },
    title: "Fornecedor concentra os contratos de um órgão",
    reason:
      "O fornecedor responde por 75 % do valor contratado com empresas pelo órgão em 2024 (R$ 2.412.345,67 de " +
      "R$ 3.216.460,89), em 3 contratos; 62,5 % por dispensa.",
    score: 0.7255,
    severity: "high",
    amountAtRiskCents: 112_576_131,
    agencyCode: "26000",
    agencyName: "13º Batalhão de exemplo",
    supplierTaxId: "11222333000181",
    supplierName: "Fornecedora 2000 de exemplo",
    evidence: {
      formula: "share = supplier_value / market_value; share ≥ share_min; score = √(strength × materiality)",
      facts: [
        { name: "supplier_value", label: "Valor contratado com o fornecedor", value: 241_234_567, unit: "cents" },
        { name: "market_value", label: "Valor contratado pelo órgão", value: 321_646_089, unit: "cents" },
        { name: "share", label: "Participação", value: 0.75, unit: "share" },
        { name: "share_min", label: "Participação a partir da qual se aponta", value: 0.4, unit: "share" },
        { name: "ratio", label: "Razão", value: 9_595.7238, unit: "ratio" },
        { name: "supplier_contracts", label: "Contratos do fornecedor", value: 3, unit: "count" },
        { name: "market_contracts", label: "Contratos do órgão", value: 41, unit: "count" },
        { name: "signed_on", label: "Primeira assinatura", value: "2024-03-01", unit: "date" },
        { name: "limit_source", label: "Fonte do limite", value: "Decreto 11.871/2023", unit: "text" },
        { name: "largest_item", label: "Maior item", value: "Cadeira modelo 7700 por R$ 5 milhões", unit: "text" },
      ],
      records: [
        {
          kind: "contract",
          id: "portal-transparencia/670012345",
          label: "Contrato 000342023 — 13º Batalhão de exemplo",
          url: "https://portaldatransparencia.gov.br/contratos/670012345",
          retrievedAt: "2024-10-17T12:00:00Z",
        },
      ],
      baseRate: { tested: 1_290, fired: 7 },
    },
    legalBasis: [
      { norm: "Lei 14.133/2021", article: "art. 75, I, II e §1º", validFrom: "2021-04-01", validTo: null },
      { norm: "Lei 8.666/1993", article: "art. 3º, §1º, I", validFrom: "1993-06-22", validTo: "2023-12-30" },
    ],
    innocentExplanations: [
      "Monopólio natural ou legal: energia, água, correios, passagens, combustível.",
      "Manutenção de veículos até o valor do art. 75, §7º, que não entra na soma.",
    ],
    ...parts,
  };
}
