import { addDays, formatDate } from "@cidadao/domain/dates";
import type { ExpenseDocument, ExpensePhase } from "@cidadao/domain/expense-document";
import { AppError } from "@cidadao/runtime/errors";
import { z } from "zod";
import type { IngestScope, Position } from "../define-source.ts";
import { expectedText, NOT_INFORMED, supplierFields } from "../published-fields.ts";
import { type AnswerReader, readerOf, readPages } from "../read-rows.ts";
import { fieldReader, idText, scalar } from "../reading.ts";
import { askAllPages, type PortalContext } from "./client.ts";
import { provenance, SITE } from "./wire.ts";

export const expenseWire = z.object({
  data: scalar,
  documento: scalar,
  observacao: scalar,
  fase: scalar,
  especie: scalar,
  codigoFavorecido: scalar,
  nomeFavorecido: scalar,
  valor: scalar,
  codigoUg: scalar,
  ug: scalar,
  codigoOrgao: scalar,
  orgao: scalar,
  elemento: scalar,
  numeroProcesso: scalar,
});

/** The numbers by which the Portal asks for a phase. */
const PHASES: Record<ExpensePhase, { number: number; folder: string; words: RegExp }> = {
  commitment: { number: 1, folder: "empenho", words: /empenho/i },
  verification: { number: 2, folder: "liquidacao", words: /liquida/i },
  payment: { number: 3, folder: "pagamento", words: /pagamento/i },
};

/** Amounts are Brazilian text; those that an annulment takes away are negative, and are not read. */
export function readExpenses(): AnswerReader<ExpenseDocument> {
  return readerOf(expenseWire, (wire, answer) => {
    const code = idText(wire.documento);
    if (code === null || !/^[0-9A-Z]{10,30}$/i.test(code)) return "no code of the document (documento)";
    const said = String(wire.fase ?? "");
    const phase = (Object.keys(PHASES) as ExpensePhase[]).find((one) => PHASES[one].words.test(said));
    if (phase === undefined) return "neither commitment, verification nor payment (fase)";
    const { folder } = PHASES[phase];
    const fields = fieldReader(`${folder}/${code}`);
    const payee = supplierFields(fields, {
      field: "codigoFavorecido",
      code: wire.codigoFavorecido,
      name: fields.text("nomeFavorecido", wire.nomeFavorecido),
    });
    const agencyCode = expectedText(fields, "codigoOrgao", wire.codigoOrgao ?? null, NOT_INFORMED);
    const unitCode = expectedText(fields, "codigoUg", wire.codigoUg ?? null, NOT_INFORMED);
    const record: ExpenseDocument = {
      provenance: provenance(answer, fields.sourceId, `${SITE}/despesas/${folder}/${code}`),
      code,
      phase,
      issuedOn: fields.date("data", wire.data),
      kind: fields.text("especie", wire.especie),
      amountCents: fields.money("valor", wire.valor),
      payeeKind: payee.supplierKind,
      payeeTaxId: payee.supplierTaxId,
      payeeName: payee.supplierName,
      agencyCode,
      agencyName: fields.text("orgao", wire.orgao ?? null) ?? `Órgão ${agencyCode}`,
      unitCode,
      unitName: fields.text("ug", wire.ug ?? null) ?? `UG ${unitCode}`,
      processNumber: fields.text("numeroProcesso", wire.numeroProcesso),
      note: fields.text("observacao", wire.observacao),
      element: fields.text("elemento", wire.elemento),
    };
    return { record, complaints: fields.complaints };
  });
}

/** The Portal takes one day, one phase and one managing unit at once. */
export function expenseSlices({ from, to, agency: unitCode }: IngestScope) {
  if (unitCode === null || !/^\d{6}$/.test(unitCode))
    throw new AppError("invalid_request", "expenses are asked for by managing unit: name it by its six digits");
  const slices = [];
  for (let day = from; day <= to; day = addDays(day, 1)) {
    for (const { number, folder } of Object.values(PHASES)) {
      const params = { dataEmissao: formatDate(day), fase: number, unidadeGestora: unitCode };
      slices.push({
        name: `despesas ${folder} ${unitCode} ${day}`,
        what: `documentos de ${folder} da UG ${unitCode} em ${day}`,
        lastDay: day,
        pages: (context: PortalContext, position: Position | null, signal: AbortSignal) =>
          readPages(askAllPages(context, { path: EXPENSES, params }, position, signal), readExpenses()),
      });
    }
  }
  return slices;
}

export const EXPENSES = "/despesas/documentos";
/** Payments are corrected for days. */
export const EXPENSE_OVERLAP_DAYS = 30;
