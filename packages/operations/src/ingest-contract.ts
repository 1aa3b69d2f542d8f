import type { Store } from "@cidadao/database/store";
import { AppError } from "@cidadao/runtime/errors";
import type { ContractQuestion, OpenedSource, Source, SourceRecord } from "@cidadao/sources/define-source";
import { ingest, type IngestSummary } from "./ingest.ts";

export type ContractReading = IngestSummary & { resource: string };

/**
 * Everything that a source has about one contract or procedure, stored: itself first, then what belongs to it. What cannot
 * be read is missing in the coverage of its resource. Throws `invalid_request` where the source can be asked about none
 * with such an id, and `not_found` where it knows of none, or of one that is no purchase.
 */
export async function ingestContract(
  context: { store: Store },
  input: { source: Source; opened: OpenedSource; contractId: string; onRead?: (reading: ContractReading) => void },
  signal: AbortSignal,
): Promise<ContractReading[]> {
  const { source, opened, contractId } = input;
  const questions = opened.ofContract(contractId);
  if (questions.length === 0) {
    throw new AppError("invalid_request", `${source.name} cannot be asked about a contract with the id ${contractId}`);
  }
  const readings: ContractReading[] = [];
  for (const question of questions) {
    const { coverage } = await read(question);
    if (question.kind !== "contracts" || coverage.records > 0) continue;
    // What belongs to a contract can be stored only with it.
    if (coverage.missing.length > 0) return readings;
    throw new AppError("not_found", `${source.name} knows of no contract ${contractId} that buys something`);
  }
  return readings;

  async function read({ resource, kind, pages }: ContractQuestion): Promise<IngestSummary> {
    const asked = { source: source.id, dataset: resource, scope: { contract: contractId }, investigationId: null };
    const questions = [{ what: `${resource} de ${contractId}`, pages }];
    const store = { kind, homepage: source.homepage };
    const summary = await ingest<SourceRecord>(context, { ...asked, questions, store }, signal);
    const reading = { ...summary, resource };
    readings.push(reading);
    input.onRead?.(reading);
    return summary;
  }
}
