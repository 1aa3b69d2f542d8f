import type { Finding } from "@cidadao/domain/anomaly";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { findingText } from "./finding-text.ts";

const count = new Intl.NumberFormat("pt-BR");

/** The explanation that needs no model: the finding's own numbers in fixed sentences. */
export function explainByTemplate(finding: Finding, sample: string | null): string {
  const text = findingText(finding, sample);
  const { tested, fired } = finding.evidence.baseRate;
  const sentences = [
    `${text.title || "Indício"}: este é um indício de gravidade ${severityNames[finding.severity]}`,
    text.reason,
    partiesSentence(text.agency, text.supplier),
    finding.amountAtRiskCents > 0 ? `O valor que merece atenção é de ${formatBrl(finding.amountAtRiskCents)}` : null,
    baseRateSentence(tested, fired),
    innocentSentence(text.innocentExplanations),
    "Um indício é um motivo para olhar de perto, não uma acusação: só a consulta aos documentos pode esclarecer o caso",
    sampleSentence(text.sample),
  ];
  return sentences
    .filter((part) => part !== null && part !== "")
    .map((part) => `${part}.`)
    .join(" ");
}

function partiesSentence(agency: string | null, supplier: string | null): string | null {
  if (agency !== null && supplier !== null) return `O órgão é “${agency}” e o fornecedor é “${supplier}”`;
  if (agency !== null) return `O órgão é “${agency}”`;
  return supplier === null ? null : `O fornecedor é “${supplier}”`;
}

function baseRateSentence(tested: number, fired: number): string {
  const cases = tested === 1 ? "um único caso foi testado" : `${count.format(tested)} casos foram testados`;
  const flagged =
    fired === 1 ? "só este foi sinalizado" : `${count.format(fired)} foram sinalizados, contando com este`;
  return `Nos mesmos dados, ${cases} da mesma forma e ${flagged}`;
}

function innocentSentence(explanations: string[]): string | null {
  if (explanations.length === 0) return null;
  return `Pode haver explicação legítima. Por exemplo: ${explanations.join("; ")}`;
}

/** Stands in every explanation of sample data, whoever wrote the rest. */
export function sampleSentence(sample: string | null): string | null {
  if (sample === null) return null;
  return `Estes dados são uma amostra e não a situação de hoje${sample === "" ? "" : `: ${sample}`}`;
}
