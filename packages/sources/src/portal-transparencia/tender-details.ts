import type { Contract, ContractItem } from "@cidadao/domain/contract";
import { plain } from "@cidadao/domain/read-question";
import type { Tenderer } from "@cidadao/domain/tenderer";
import { AppError } from "@cidadao/runtime/errors";
import { z } from "zod";
import { askRecord } from "../ask-record.ts";
import type { SourcePage } from "../define-source.ts";
import { invalid } from "../outbound.ts";
import { supplierFields } from "../published-fields.ts";
import { type AnswerReader, pageOf, readerOf, readPages } from "../read-rows.ts";
import { fieldReader, idText, scalar, type Scalar } from "../reading.ts";
import { askAllPages, askRows, type PortalContext } from "./client.ts";
import { readTenders, TENDER_PREFIX, tenderNumber, tenderUrl, tenderWire } from "./tender.ts";
import { onceNamer, provenance } from "./wire.ts";

/** The procedure with the Portal's own id; an empty page when there is none. */
export async function* tenderById(
  context: PortalContext,
  input: { tenderId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Contract>, void, void> {
  yield pageOf(await askTender(context, input.tenderId, signal), readTenders());
}

/** Everything that was put out to tender. What the amount of an item is, the specification does not say: it is not read. */
export function tenderItems(
  context: PortalContext,
  input: { tenderId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<ContractItem>, void, void> {
  const question = { path: "/licitacoes/itens-licitados", params: { id: numberOf(input.tenderId) } };
  return readPages(askAllPages(context, question, null, signal), readTenderItems(input.tenderId));
}

/**
 * Who bid in a procedure. The Portal asks for them by unit, number and code of the method, of which the procedure itself
 * has only the name: its list of methods has both.
 */
export async function* tenderers(
  context: PortalContext,
  input: { tenderId: string },
  signal: AbortSignal,
): AsyncGenerator<SourcePage<Tenderer>, void, void> {
  const tender = tenderWire.safeParse((await askTender(context, input.tenderId, signal)).rows[0]).data;
  if (tender === undefined) return;
  const unit = idText(tender.unidadeGestora?.codigo);
  const number = idText(tender.licitacao?.numero);
  const method = idText(tender.modalidadeLicitacao);
  const { rows } = await askRows(context, { path: "/licitacoes/modalidades", params: {} }, signal);
  const methods = rows.flatMap((row) => methodWire.safeParse(row).data ?? []);
  const code = methods.find(({ descricao }) => method !== null && lettersOf(descricao) === lettersOf(method))?.codigo;
  const params = { codigoUG: unit, numero: number, codigoModalidade: idText(code) };
  const lacking = Object.entries(params).flatMap(([name, value]) => (value === null ? [name] : []));
  if (lacking.length > 0) {
    const why = `a licitação ${input.tenderId} não diz ${lacking.join(", ")}: os participantes não podem ser perguntados`;
    throw invalid(context.door, why);
  }
  yield* readPages(
    askAllPages(context, { path: "/licitacoes/participantes", params }, null, signal),
    readTenderers(input.tenderId),
  );
}

const methodWire = z.object({ codigo: scalar, descricao: scalar });

function askTender(context: PortalContext, tenderId: string, signal: AbortSignal) {
  return askRecord(context.door, { path: `/licitacoes/${numberOf(tenderId)}`, params: {} }, signal);
}

function numberOf(tenderId: string): string {
  const number = tenderNumber(tenderId);
  if (number === null)
    throw new AppError("invalid_request", `a procedure of the portal is ${TENDER_PREFIX} and a number`);
  return number;
}

/** The letters alone: two lists of the portal may differ in blanks and hyphens. */
function lettersOf(text: Scalar): string {
  return plain(String(text ?? "")).replace(/[^a-z]/g, "");
}

export const tenderItemWire = z.object({
  codigoItemCompra: scalar,
  numero: scalar,
  descricao: scalar,
  quantidade: scalar,
  descComplementarItemCompra: scalar,
  descUnidadeFornecimento: scalar,
});

export function readTenderItems(tenderId: string): AnswerReader<ContractItem> {
  const nameOnce = onceNamer();
  return readerOf(tenderItemWire, (wire, answer) => {
    const number = idText(wire.codigoItemCompra) ?? idText(wire.numero);
    if (number === null) return "no code and no number of the item (codigoItemCompra, numero)";
    const fields = fieldReader(nameOnce(`${tenderId}/${number}`));
    const record: ContractItem = {
      provenance: provenance(answer, fields.sourceId, tenderUrl(tenderId)),
      contractId: tenderId,
      number,
      description: fields.text("descricao", wire.descricao),
      complement: fields.text("descComplementarItemCompra", wire.descComplementarItemCompra),
      quantity: fields.quantity("quantidade", wire.quantidade),
      unitOfMeasure: fields.text("descUnidadeFornecimento", wire.descUnidadeFornecimento ?? null),
      unitPriceCents: null,
    };
    return { record, complaints: fields.complaints };
  });
}

export const tendererWire = z.object({
  tipoParticipante: scalar,
  idParticipante: scalar,
  cpfCnpj: scalar,
  nome: scalar,
});

export function readTenderers(tenderId: string): AnswerReader<Tenderer> {
  return readerOf(tendererWire, (wire, answer) => {
    const portalId = idText(wire.idParticipante);
    const fields = fieldReader(`${tenderId}/participante/${portalId ?? "?"}`);
    const party = supplierFields(fields, {
      field: "cpfCnpj",
      code: wire.cpfCnpj,
      name: fields.text("nome", wire.nome),
      isPerson: /f[ií]sica|^pf$/i.test(String(wire.tipoParticipante ?? "").trim()),
    });
    const key = portalId ?? (party.supplierId === "unknown" ? null : party.supplierId);
    if (key === null) return "neither id, code nor name of who took part (idParticipante, cpfCnpj, nome)";
    const record: Tenderer = {
      provenance: provenance(answer, `${tenderId}/participante/${key}`, tenderUrl(tenderId)),
      tenderId,
      kind: party.supplierKind,
      taxId: party.supplierTaxId,
      name: party.supplierName,
    };
    return { record, complaints: fields.complaints };
  });
}
