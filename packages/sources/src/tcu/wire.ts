import type { Sanction } from "@cidadao/domain/sanction";
import { z } from "zod";
import { fingerprint } from "../files/seen.ts";
import { dayOf, period } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { identifySupplier, rawText } from "../terms.ts";

export const TCU = "tcu";
const SITE = "https://contas.tcu.gov.br";

export const debarredWire = z.object({
  nome: scalar,
  cpf_cnpj: scalar,
  processo: scalar,
  deliberacao: scalar,
  data_transito_julgado: scalar,
  data_final: scalar,
});

/** A bidder that the court declared unfit (Lei 8.443/1992, art. 46): barred from federal procurement until a day. */
export function readDebarred(): AnswerReader<Sanction> {
  return readerOf(debarredWire, (wire, answer) => {
    const [process, decision] = [idText(wire.processo), idText(wire.deliberacao)];
    if (process === null) return "no process (processo)";
    const named = fieldReader(process);
    const code = rawText(wire.cpf_cnpj);
    const { kind, taxId } = identifySupplier(named, "cpf_cnpj", code, null);
    if (taxId === null) return "no CNPJ or CPF (cpf_cnpj)";
    // One process may end in the declaration of several bidders.
    const sourceId = `tcu/${fingerprint([process, decision ?? "", taxId])}`;
    const fields = { ...named, sourceId };
    const basis = ["Lei 8.443/1992, art. 46", decision === null ? null : `acórdão ${decision}`, `processo ${process}`];
    const record: Sanction = {
      provenance: answeredProvenance(answer, { source: TCU, sourceId, url: SITE }, SITE),
      list: "tcu",
      supplierKind: kind === "company" || kind === "person" ? kind : "unknown",
      taxId,
      name: fields.text("nome", wire.nome) ?? "Não informado",
      kind: "Declaração de inidoneidade pelo TCU",
      legalBasis: [basis.filter((part) => part !== null).join(", ")],
      ...endOf(fields, wire),
      sanctioningBody: "Tribunal de Contas da União",
      bodySphere: "federal",
      bodyState: null,
      scope: null,
    };
    return { record, complaints: fields.complaints };
  });
}

function endOf(fields: ReturnType<typeof fieldReader>, wire: z.infer<typeof debarredWire>) {
  const dates = period(
    fields,
    { field: "data_transito_julgado", value: dayOf(wire.data_transito_julgado) },
    { field: "data_final", value: dayOf(wire.data_final) },
  );
  return { ...dates, endKnown: dates.endsOn !== null };
}
