import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { buyerFields, dayOf, supplierFields } from "../published-fields.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { KATANA } from "./client.ts";

/** Nothing of it is documented: these are the fields that a client of the feed was seen to read. */
export const awardWire = z.object({
  id: scalar,
  numero: scalar,
  objeto: scalar,
  valor: scalar,
  fornecedor: z.object({ nome: scalar, cnpj: scalar }).nullish(),
  orgao: z.object({ nome: scalar, codigo: scalar }).nullish(),
  data: scalar,
});

/** A direct award (dispensa) as a contract. `site`: the feed has no page for one of them. */
export function readAwards(site: string): AnswerReader<Contract> {
  return readerOf(awardWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null) return "no id";
    const agencyCode = idText(wire.orgao?.codigo);
    if (agencyCode === null) return "no agency (orgao.codigo)";
    const fields = fieldReader(id);
    const agencyName = fields.text("orgao.nome", wire.orgao?.nome ?? null) ?? `Órgão ${agencyCode}`;
    const name = fields.text("fornecedor.nome", wire.fornecedor?.nome ?? null);
    const record: Contract = {
      provenance: answeredProvenance(answer, { source: KATANA, sourceId: id, url: site }, site),
      number: idText(wire.numero) ?? id,
      object: fields.text("objeto", wire.objeto ?? null),
      procurementMethod: "direct",
      procurementMethodDetails: "Dispensa",
      directAwardKind: "waived",
      legalBasis: null,
      ...buyerFields({ code: agencyCode, name: agencyName }),
      ...supplierFields(fields, { field: "fornecedor.cnpj", code: wire.fornecedor?.cnpj, name }),
      signedOn: null,
      // The feed does not say which day this is; it is the only one.
      publishedOn: fields.date("data", dayOf(wire.data ?? null)),
      startsOn: null,
      endsOn: null,
      initialValueCents: fields.money("valor", wire.valor ?? null),
      currentValueCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}
