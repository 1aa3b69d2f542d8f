import type { Finding } from "@cidadao/domain/anomaly";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { factValueText, findingText, taxIdText } from "./finding-text.ts";
import { plainText } from "./plain-text.ts";
import { type Refutation, refutationTexts } from "./refute-explanation.ts";

const FACTS_MAX = 30;
const RECORDS_MAX = 8;
const LABEL_CHARACTERS_MAX = 200;

/**
 * The user message: one JSON value, so that nothing inside it can pretend to be outside. Texts go in as plain words,
 * without addresses and hidden characters; what somebody else wrote stands in `textos_de_terceiros`.
 */
export function explainerPrompt(
  finding: Finding,
  { sample, refutation }: { sample: string | null; refutation: Refutation | null },
): string {
  const text = findingText(finding, sample);
  const { facts, records, baseRate } = finding.evidence;
  const label = (value: string) => plainText(value, LABEL_CHARACTERS_MAX);
  const numbers = facts.slice(0, FACTS_MAX).filter((fact) => fact.unit !== "text" && fact.unit !== "score");
  const texts = facts.slice(0, FACTS_MAX).filter((fact) => fact.unit === "text");
  return JSON.stringify({
    tarefa: "Explique o indício a um cidadão, seguindo as regras.",
    ...(refutation === null ? {} : { resposta_anterior_recusada: refutationTexts[refutation] }),
    evidencia: {
      indicio: text.title,
      constatacao: text.reason,
      gravidade: severityNames[finding.severity],
      valor_em_atencao: formatBrl(finding.amountAtRiskCents),
      fatos: numbers.map((fact) => ({ rotulo: label(fact.label), valor: factValueText(fact) })),
      casos_testados: baseRate.tested,
      casos_sinalizados: baseRate.fired,
      base_legal: finding.legalBasis.map(({ norm, article }) => label(`${norm}, ${article}`)),
      explicacoes_legitimas: text.innocentExplanations,
      amostra: text.sample,
      textos_de_terceiros: {
        orgao: text.agency,
        fornecedor: text.supplier,
        cnpj_do_fornecedor: taxIdText(finding.supplierTaxId),
        fatos: texts.map((fact) => ({ rotulo: label(fact.label), valor: label(String(fact.value)) })),
        registros: records.slice(0, RECORDS_MAX).map((record) => label(record.label)),
      },
    },
  });
}
