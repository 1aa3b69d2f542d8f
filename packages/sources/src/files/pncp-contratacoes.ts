import type { Contract, DirectAwardKind, ProcurementMethod } from "@cidadao/domain/contract";
import { z } from "zod";
import { type FieldReader, idText, type Scalar, scalar } from "../reading.ts";
import {
  type Batch,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import { buyerFields, buyerWire, controlNumber, PNCP, pncpTenderPage } from "./pncp-wire.ts";
import { dayOf, NOT_INFORMED } from "./published-fields.ts";
import { readEachRecord } from "./read-each-record.ts";
import { seenRecords } from "./seen.ts";

export const pncpContratacoes = defineFileFormat({
  id: "pncp-contratacoes",
  title: "Contratações do PNCP (JSON)",
  description:
    "Respostas de /v1/contratacoes/publicacao ou /atualizacao da API de consulta do PNCP " +
    "(https://pncp.gov.br/api/consulta): processos, com valor estimado e homologado e sem fornecedor.",
  attribution: "Portal Nacional de Contratações Públicas (PNCP), contratações",
  recognises: (head) =>
    head.includes('"modalidadeId"') &&
    /"(?:numeroControlePNCP|sequencialCompra)"/.test(head) &&
    !head.includes('"niFornecedor"'),
  read,
});

const tenderWire = z.object({
  ...buyerWire,
  numeroControlePNCP: scalar,
  anoCompra: scalar,
  sequencialCompra: scalar,
  objetoCompra: scalar,
  modalidadeId: scalar,
  modalidadeNome: scalar,
  amparoLegal: z.object({ nome: scalar }).nullish(),
  valorTotalEstimado: scalar,
  valorTotalHomologado: scalar,
  dataPublicacaoPncp: scalar,
});
type TenderWire = z.infer<typeof tenderWire>;

/** Auctions sell (1, 13); expressions of interest, pre-qualification and accreditation (10 to 12) buy nothing yet. */
const METHODS = new Map<string, [ProcurementMethod, DirectAwardKind | null]>([
  ["1", ["open", null]],
  ["2", ["selective", null]],
  ["3", ["open", null]],
  ["4", ["open", null]],
  ["5", ["open", null]],
  ["6", ["open", null]],
  ["7", ["open", null]],
  ["8", ["direct", "waived"]],
  ["9", ["direct", "no_competition"]],
  ["10", ["unknown", null]],
  ["11", ["unknown", null]],
  ["12", ["unknown", null]],
  ["13", ["open", null]],
]);

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const isUnseen = seenRecords();
  return readEachRecord(files, ({ line, value }, { file, complain, out }) => {
    const wire = tenderWire.safeParse(value).data;
    const id = wire === undefined ? null : idOf(wire);
    if (wire === undefined || id === null) {
      complain("unusable-record", { line, reason: "no control number, or not the fields of a procurement" });
    } else if (isNew(isUnseen(id, JSON.stringify(value)), line, complain)) {
      const url = pncpTenderPage(id)!;
      const provenance = provenanceOf(context, file, { source: PNCP, sourceId: id, url });
      out.batch.contracts.push({ provenance, ...processOf(rowFields(id, line, complain), wire) });
    }
  });
}

function idOf(wire: TenderWire): string | null {
  const parts = { cnpj: wire.orgaoEntidade?.cnpj, year: wire.anoCompra, sequence: wire.sequencialCompra };
  const id = controlNumber(wire.numeroControlePNCP, { ...parts, kind: 1 });
  return pncpTenderPage(id) === null ? null : id;
}

function processOf(fields: FieldReader, wire: TenderWire): Omit<Contract, "provenance"> {
  return {
    number: fields.sourceId,
    object: fields.text("objetoCompra", wire.objetoCompra),
    ...methodOf(fields, wire),
    legalBasis: fields.text("amparoLegal.nome", wire.amparoLegal?.nome ?? null),
    ...buyerFields(fields, wire),
    supplierId: `unknown/${fields.sourceId}`,
    supplierKind: "unknown",
    supplierTaxId: null,
    supplierName: NOT_INFORMED,
    signedOn: null,
    publishedOn: fields.date("dataPublicacaoPncp", dayOf(wire.dataPublicacaoPncp)),
    startsOn: null,
    endsOn: null,
    initialValueCents: openAmount(fields, "valorTotalHomologado", wire.valorTotalHomologado),
    currentValueCents: null,
    estimatedValueCents: openAmount(fields, "valorTotalEstimado", wire.valorTotalEstimado),
  };
}

/** Zero while the procurement is open or its estimate is secret. */
function openAmount(fields: FieldReader, field: string, value: Scalar): number | null {
  return fields.money(field, value ?? null) || null;
}

type Method = Pick<Contract, "procurementMethod" | "procurementMethodDetails" | "directAwardKind">;

function methodOf(fields: FieldReader, wire: TenderWire): Method {
  const code = idText(wire.modalidadeId);
  const known = METHODS.get(code ?? "");
  if (known === undefined) fields.complain("modalidadeId", `unknown method: ${code ?? "none"}`, "unknown-method");
  const [procurementMethod, directAwardKind] = known ?? ["unknown" as const, null];
  const details = fields.text("modalidadeNome", wire.modalidadeNome ?? null);
  return { procurementMethod, procurementMethodDetails: details, directAwardKind };
}
