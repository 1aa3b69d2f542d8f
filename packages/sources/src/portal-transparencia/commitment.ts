import type { Commitment } from "@cidadao/domain/commitment";
import { z } from "zod";
import type { SourcePage } from "../define-source.ts";
import { type AnswerReader, pageOf, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { askRows, contractIdOf, type PortalContext } from "./client.ts";
import { contractUrl, provenance } from "./wire.ts";

/** Commitments (empenhos) that the portal relates to a contract, all at once: this path has no page parameter. */
export async function* commitments(
  context: PortalContext,
  input: { contractId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Commitment>, void, void> {
  const id = contractIdOf(input.contractId);
  const answer = await askRows(context, { path: "/contratos/documentos-relacionados", params: { id } }, signal);
  if (answer.rows.length > 0) yield pageOf(answer, readCommitments(id));
}

export const commitmentWire = z.object({
  empenho: scalar,
  empenhoResumido: scalar,
  dataEmissao: scalar,
  observacao: scalar,
  valor: scalar,
});

/** The documents that the Portal relates to a contract: all of them are commitments (empenhos). */
export function readCommitments(contractId: string): AnswerReader<Commitment> {
  return readerOf(commitmentWire, (wire, answer) => {
    const code = idText(wire.empenho) ?? idText(wire.empenhoResumido);
    if (code === null) return "no code of the commitment (empenho)";
    const fields = fieldReader(`${contractId}/empenho/${code}`);
    const record: Commitment = {
      provenance: provenance(answer, fields.sourceId, contractUrl(contractId)),
      contractId,
      code,
      issuedOn: fields.date("dataEmissao", wire.dataEmissao),
      note: fields.text("observacao", wire.observacao),
      amountCents: fields.money("valor", wire.valor),
    };
    return { record, complaints: fields.complaints };
  });
}
