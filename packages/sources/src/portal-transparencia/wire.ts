import type { Agency, Amendment, Contract, ContractItem } from "@cidadao/domain/contract";
import type { Provenance } from "@cidadao/domain/provenance";
import type { Sanction, SanctionList } from "@cidadao/domain/sanction";
import { z } from "zod";
import type { Answer } from "../define-source.ts";
import { type AnswerReader, answeredProvenance, readerOf } from "../read-rows.ts";
import { SOURCE_ID } from "./client.ts";
import { type FieldReader, fieldReader, idText, isAbsent, type Scalar, scalar, withoutLabel } from "../reading.ts";
import { identifySupplier, methodOf, rawText, sphereOf } from "../terms.ts";

/* What the portal sends. Unknown keys are ignored; every scalar has been null, absent or "Sem informação" somewhere. */

export const personWire = z.object({
  id: scalar,
  cpfFormatado: scalar,
  cnpjFormatado: scalar,
  numeroInscricaoSocial: scalar,
  nome: scalar,
  razaoSocialReceita: scalar,
});

export const unitWire = z.object({
  codigo: scalar,
  nome: scalar,
  orgaoVinculado: z.object({ codigoSIAFI: scalar, nome: scalar }).nullish(),
  orgaoMaximo: z.object({ codigo: scalar, nome: scalar }).nullish(),
});

export const agencyWire = z.object({ codigo: scalar, descricao: scalar });

export const contractWire = z.object({
  id: scalar,
  numero: scalar,
  objeto: scalar,
  fundamentoLegal: scalar,
  modalidadeCompra: scalar,
  unidadeGestora: unitWire.nullish(),
  dataAssinatura: scalar,
  dataPublicacaoDOU: scalar,
  dataInicioVigencia: scalar,
  dataFimVigencia: scalar,
  fornecedor: personWire.nullish(),
  valorInicialCompra: scalar,
  valorFinalCompra: scalar,
});

export const itemWire = z.object({
  numero: scalar,
  descricao: scalar,
  quantidade: scalar,
  valor: scalar,
  descComplementarItemCompra: scalar,
});

export const amendmentWire = z.object({ numero: scalar, dataPublicacao: scalar, objetoAditivo: scalar });

/** The publisher does not say whether `valor` is what is added or what comes of it: it is not read. */
export const endorsementWire = z.object({ numero: scalar, descricao: scalar, dataInclusao: scalar });

/** CEIS and CNEP; the fine that CNEP adds is not read. */
export const sanctionWire = z.object({
  id: scalar,
  dataInicioSancao: scalar,
  dataFimSancao: scalar,
  tipoSancao: z.object({ descricaoResumida: scalar, descricaoPortal: scalar }).nullish(),
  fundamentacao: z.array(z.object({ codigo: scalar, descricao: scalar }).nullable()).nullish(),
  orgaoSancionador: z.object({ nome: scalar, siglaUf: scalar, esfera: scalar }).nullish(),
  sancionado: z.object({ nome: scalar, codigoFormatado: scalar }).nullish(),
  pessoa: personWire.nullish(),
  abrangenciaDefinidaDecisaoJudicial: scalar,
});

/* What it becomes. */

export const SITE = "https://portaldatransparencia.gov.br";

export function readAgencies(): AnswerReader<Agency> {
  return readerOf(agencyWire, (wire, answer) => {
    const code = idText(wire.codigo);
    if (code === null || !/^\d{5}$/.test(code)) return "no SIAFI code of 5 digits (codigo)";
    const fields = fieldReader(code);
    const name = fields.text("descricao", wire.descricao);
    if (name === null) fields.complain("descricao", "no name");
    const record: Agency = {
      provenance: provenance(answer, code, `${SITE}/orgaos/${code}`),
      code,
      name: name ?? `Órgão ${code}`,
      parentCode: null,
      parentName: null,
    };
    return { record, complaints: fields.complaints };
  });
}

export function readContracts(): AnswerReader<Contract> {
  return readerOf(contractWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null || !/^\d{1,12}$/.test(id)) return "no id";
    const fields = fieldReader(id);
    const number = idText(wire.numero);
    if (number === null) return "no contract number (numero)";
    const unit = wire.unidadeGestora;
    const agencyCode = idText(unit?.orgaoVinculado?.codigoSIAFI);
    if (agencyCode === null || !/^\d{5}$/.test(agencyCode))
      return "no agency (unidadeGestora.orgaoVinculado.codigoSIAFI)";
    const unitCode = idText(unit?.codigo);
    // The number is unique only within the unit: without one, nobody could find the contract.
    if (unitCode === null) return "no managing unit (unidadeGestora.codigo)";

    const agencyName = fields.text("unidadeGestora.orgaoVinculado.nome", unit?.orgaoVinculado?.nome);
    const unitName = fields.text("unidadeGestora.nome", unit?.nome);
    const startsOn = fields.date("dataInicioVigencia", wire.dataInicioVigencia);
    const endsOn = fields.date("dataFimVigencia", wire.dataFimVigencia);
    const endsBeforeItStarts = startsOn !== null && endsOn !== null && endsOn < startsOn;
    if (endsBeforeItStarts) fields.complain("dataFimVigencia", `ends on ${endsOn}, before it starts on ${startsOn}`);

    const record: Contract = {
      provenance: provenance(answer, id, contractUrl(id)),
      number,
      object: withoutLabel(fields.text("objeto", wire.objeto), "Objeto"),
      ...methodOf(fields, wire.modalidadeCompra),
      legalBasis: withoutLabel(fields.text("fundamentoLegal", wire.fundamentoLegal), "Fundamento Legal"),
      agencyCode,
      agencyName: agencyName ?? `Órgão ${agencyCode}`,
      parentAgencyCode: fields.text("unidadeGestora.orgaoMaximo.codigo", unit?.orgaoMaximo?.codigo),
      parentAgencyName: fields.text("unidadeGestora.orgaoMaximo.nome", unit?.orgaoMaximo?.nome),
      unitCode,
      unitName: unitName ?? `UG ${unitCode}`,
      ...supplierOf(fields, wire.fornecedor),
      signedOn: fields.date("dataAssinatura", wire.dataAssinatura),
      publishedOn: fields.date("dataPublicacaoDOU", wire.dataPublicacaoDOU),
      startsOn,
      endsOn: endsBeforeItStarts ? null : endsOn,
      initialValueCents: fields.money("valorInicialCompra", wire.valorInicialCompra),
      currentValueCents: fields.money("valorFinalCompra", wire.valorFinalCompra),
    };
    return { record, complaints: fields.complaints };
  });
}

export function readContractItems(contractId: string): AnswerReader<ContractItem> {
  const nameOnce = onceNamer();
  return readerOf(itemWire, (wire, answer) => {
    const number = idText(wire.numero);
    if (number === null) return "no item number (numero)";
    const sourceId = nameOnce(`${contractId}/${number}`);
    const fields = fieldReader(sourceId);
    const record: ContractItem = {
      provenance: provenance(answer, sourceId, contractUrl(contractId)),
      contractId,
      number,
      description: fields.text("descricao", wire.descricao),
      complement: fields.text("descComplementarItemCompra", wire.descComplementarItemCompra),
      quantity: fields.quantity("quantidade", wire.quantidade),
      unitPriceCents: fields.money("valor", wire.valor),
    };
    return { record, complaints: fields.complaints };
  });
}

export function readAmendments(contractId: string): AnswerReader<Amendment> {
  const nameOnce = onceNamer();
  return readerOf(amendmentWire, (wire, answer) => {
    const number = idText(wire.numero);
    if (number === null) return "no amendment number (numero)";
    const sourceId = nameOnce(`${contractId}/${number}`);
    const fields = fieldReader(sourceId);
    const record: Amendment = {
      provenance: provenance(answer, sourceId, contractUrl(contractId)),
      contractId,
      number,
      publishedOn: fields.date("dataPublicacao", wire.dataPublicacao),
      object: withoutLabel(fields.text("objetoAditivo", wire.objetoAditivo), "Objetivo"),
    };
    return { record, complaints: fields.complaints };
  });
}

export function readEndorsements(contractId: string): AnswerReader<Amendment> {
  const nameOnce = onceNamer();
  return readerOf(endorsementWire, (wire, answer) => {
    const number = idText(wire.numero);
    if (number === null) return "no number of the endorsement (numero)";
    // Amendments of the contract have the same numbers.
    const sourceId = nameOnce(`${contractId}/apostilamento/${number}`);
    const fields = fieldReader(sourceId);
    const record: Amendment = {
      provenance: provenance(answer, sourceId, contractUrl(contractId)),
      contractId,
      number,
      publishedOn: fields.date("dataInclusao", wire.dataInclusao),
      object: fields.text("descricao", wire.descricao),
      kind: "endorsement",
    };
    return { record, complaints: fields.complaints };
  });
}

export function readSanctions(list: SanctionList): AnswerReader<Sanction> {
  return readerOf(sanctionWire, (wire, answer) => {
    const id = idText(wire.id);
    if (id === null || !/^\d{1,12}$/.test(id)) return "no id";
    const fields = fieldReader(`${list}/${id}`);
    const sanctioned = wire.sancionado;
    const name = fields.text("sancionado.nome", sanctioned?.nome) ?? fields.text("pessoa.nome", wire.pessoa?.nome);
    if (name === null) return "no name of the sanctioned (sancionado.nome)";
    const kind = fields.text("tipoSancao.descricaoResumida", wire.tipoSancao?.descricaoResumida);
    if (kind === null) fields.complain("tipoSancao.descricaoResumida", "no kind of sanction");

    const startsOn = fields.date("dataInicioSancao", wire.dataInicioSancao);
    const published = fields.date("dataFimSancao", wire.dataFimSancao);
    const endsBeforeItStarts = startsOn !== null && published !== null && published < startsOn;
    if (endsBeforeItStarts) fields.complain("dataFimSancao", `ends on ${published}, before it starts on ${startsOn}`);
    const endsOn = endsBeforeItStarts ? null : published;
    const saysThereIsNone = typeof wire.dataFimSancao !== "number" && isAbsent(wire.dataFimSancao ?? "");

    const record: Sanction = {
      provenance: provenance(answer, fields.sourceId, `${SITE}/sancoes/consulta/${id}`),
      list,
      ...sanctionedOf(fields, sanctioned?.codigoFormatado),
      name,
      kind: kind ?? "Não informada",
      legalBasis: (wire.fundamentacao ?? []).flatMap((basis) => {
        const text = fields.text("fundamentacao", basis?.descricao ?? basis?.codigo ?? null);
        return text === null ? [] : [text];
      }),
      startsOn,
      endsOn,
      // Type names contradict dates elsewhere, so "sem prazo" counts only where no date is given.
      endKnown: endsOn !== null || (saysThereIsNone && /sem prazo/i.test(kind ?? "")),
      sanctioningBody: fields.text("orgaoSancionador.nome", wire.orgaoSancionador?.nome) ?? "Não informado",
      bodySphere: sphereOf(wire.orgaoSancionador?.esfera),
      bodyState: stateOf(fields, wire.orgaoSancionador?.siglaUf),
      scope: fields.text("abrangenciaDefinidaDecisaoJudicial", wire.abrangenciaDefinidaDecisaoJudicial),
    };
    return { record, complaints: fields.complaints };
  });
}

/** Numbers repeat within a contract (secret items are all "0"); the order at the source tells them apart. */
export function onceNamer(): (sourceId: string) => string {
  const counts = new Map<string, number>();
  return (sourceId) => {
    const count = (counts.get(sourceId) ?? 0) + 1;
    counts.set(sourceId, count);
    return count === 1 ? sourceId : `${sourceId}#${count}`;
  };
}

export function contractUrl(id: string): string {
  return `${SITE}/contratos/${id}`;
}

export function provenance(answer: Answer, sourceId: string, url: string): Provenance {
  return answeredProvenance(answer, { source: SOURCE_ID, sourceId, url }, SITE);
}

type SupplierFields = Pick<Contract, "supplierId" | "supplierKind" | "supplierTaxId" | "supplierName">;

const SECRET = { code: "-11", name: "sigiloso" };

function supplierOf(fields: FieldReader, wire: z.infer<typeof personWire> | null | undefined): SupplierFields {
  const name = supplierName(fields, wire);
  const code =
    [wire?.cnpjFormatado, wire?.cpfFormatado, wire?.numeroInscricaoSocial].map(rawText).find(Boolean) ?? null;
  if (code === SECRET.code || name?.toLowerCase() === SECRET.name) {
    return { supplierId: "secret", supplierKind: "secret", supplierTaxId: null, supplierName: "Sigiloso" };
  }
  const { kind, taxId } = identifySupplier(fields, "fornecedor", code, wire?.cpfFormatado);
  const portalId = idText(wire?.id);
  // A masked CPF is shared by many people, so a person is told apart by the portal's own id, or by the name.
  const supplierId =
    kind === "person" || taxId === null
      ? portalId !== null
        ? `person/${portalId}`
        : [taxId, name].filter((part) => part !== null).join(" ") || "unknown"
      : taxId;
  return { supplierId, supplierKind: kind, supplierTaxId: taxId, supplierName: name ?? "Não informado" };
}

function supplierName(fields: FieldReader, wire: z.infer<typeof personWire> | null | undefined): string | null {
  const name = fields.text("fornecedor.nome", wire?.nome);
  return name ?? fields.text("fornecedor.razaoSocialReceita", wire?.razaoSocialReceita ?? null);
}

function sanctionedOf(fields: FieldReader, code: Scalar): Pick<Sanction, "supplierKind" | "taxId"> {
  const { kind, taxId } = identifySupplier(fields, "sancionado.codigoFormatado", rawText(code), null);
  return { supplierKind: kind === "company" || kind === "person" ? kind : "unknown", taxId };
}

function stateOf(fields: FieldReader, value: Scalar): string | null {
  const text = fields.text("orgaoSancionador.siglaUf", value)?.toUpperCase() ?? null;
  if (text === null || /^[A-Z]{2}$/.test(text)) return text;
  fields.complain("orgaoSancionador.siglaUf", `not a state: ${text.slice(0, 60)}`);
  return null;
}
