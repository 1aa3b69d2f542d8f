import type { RegisterEntry } from "@cidadao/domain/register-entry";
import { z } from "zod";
import { period } from "../published-fields.ts";
import { type AnswerReader, readerOf } from "../read-rows.ts";
import { fieldReader, type FieldReader, idText, type Scalar, scalar } from "../reading.ts";
import { identifySupplier, rawText } from "../terms.ts";
import { personWire, provenance, SITE } from "./wire.ts";

export const cepimWire = z.object({
  id: scalar,
  motivo: scalar,
  orgaoSuperior: z.object({ nome: scalar }).nullish(),
  pessoaJuridica: personWire.nullish(),
  convenio: z.object({ codigo: scalar, numero: scalar }).nullish(),
});

const signatoryWire = z.object({
  nomeInformadoOrgaoResponsavel: scalar,
  razaoSocial: scalar,
  cnpj: scalar,
  cnpjFormatado: scalar,
});

export const leniencyWire = z.object({
  id: scalar,
  dataInicioAcordo: scalar,
  dataFimAcordo: scalar,
  orgaoResponsavel: scalar,
  situacaoAcordo: scalar,
  sancoes: z.array(signatoryWire.nullable()).nullish(),
});

/** Non-profit entities that get no federal transfer. */
export function readCepim(): AnswerReader<RegisterEntry> {
  return readerOf(cepimWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null || !/^\d{1,12}$/.test(id)) return "no id";
    const fields = fieldReader(`cepim/${id}`);
    const entity = wire.pessoaJuridica;
    const name =
      fields.text("pessoaJuridica.nome", entity?.nome) ??
      fields.text("pessoaJuridica.razaoSocialReceita", entity?.razaoSocialReceita ?? null);
    if (name === null) return "no name of the entity (pessoaJuridica.nome)";
    const code = rawText(entity?.cnpjFormatado) ?? rawText(entity?.cpfFormatado);
    const record: RegisterEntry = {
      provenance: provenance(answer, fields.sourceId, `${SITE}/sancoes/consulta/${id}`),
      register: "cepim",
      companies: [{ taxId: identifySupplier(fields, "pessoaJuridica", code, null).taxId, name }],
      reason: fields.text("motivo", wire.motivo),
      status: null,
      body: fields.text("orgaoSuperior.nome", wire.orgaoSuperior?.nome),
      agreement: idText(wire.convenio?.numero) ?? idText(wire.convenio?.codigo),
      startsOn: null,
      endsOn: null,
    };
    return { record, complaints: fields.complaints };
  });
}

/** Agreements of companies that confessed; the obligations are theirs, and none of them is kept from contracting. */
export function readLeniency(): AnswerReader<RegisterEntry> {
  return readerOf(leniencyWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null || !/^\d{1,12}$/.test(id)) return "no id";
    const fields = fieldReader(`leniency/${id}`);
    const companies = (wire.sancoes ?? []).flatMap((signatory) => companyOf(fields, signatory));
    if (companies.length === 0) fields.complain("sancoes", "no company is named", "missing-field");
    const record: RegisterEntry = {
      provenance: provenance(answer, fields.sourceId, `${SITE}/sancoes/consulta/${id}`),
      register: "leniency",
      companies,
      reason: null,
      status: fields.text("situacaoAcordo", wire.situacaoAcordo),
      body: fields.text("orgaoResponsavel", wire.orgaoResponsavel),
      agreement: null,
      ...period(
        fields,
        { field: "dataInicioAcordo", value: wire.dataInicioAcordo },
        { field: "dataFimAcordo", value: wire.dataFimAcordo },
      ),
    };
    return { record, complaints: fields.complaints };
  });
}

function companyOf(fields: FieldReader, wire: z.infer<typeof signatoryWire> | null): RegisterEntry["companies"] {
  const published: Scalar[] = [wire?.razaoSocial, wire?.nomeInformadoOrgaoResponsavel];
  const name = published.map((value) => fields.text("sancoes.razaoSocial", value ?? null)).find(Boolean) ?? null;
  const code = rawText(wire?.cnpj) ?? rawText(wire?.cnpjFormatado);
  if (name === null && code === null) return [];
  return [{ taxId: identifySupplier(fields, "sancoes.cnpj", code, null).taxId, name: name ?? "Não informado" }];
}
