import type { Contract, ContractItem, DirectAwardKind } from "@cidadao/domain/contract";
import { centsFromReais } from "@cidadao/domain/money";
import { formatCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";
import { type FieldReader, idText, safeText, type Scalar, scalar, withoutLabel } from "../reading.ts";
import { rawText } from "../terms.ts";
import type { Complain } from "./complaints.ts";
import {
  type Batch,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import type { OpenedFile } from "./open-text.ts";
import {
  contractValue,
  dayOf,
  expectedText,
  NOT_INFORMED,
  supplierFields,
  type SupplierFields,
} from "../published-fields.ts";
import { readEachRecord } from "./read-each-record.ts";
import { seenRecords } from "./seen.ts";

export const comprasgovDispensas = defineFileFormat({
  id: "comprasgov-dispensas",
  title: "Compras sem licitação do Compras.gov.br (JSON)",
  description:
    "Dispensas e inexigibilidades anteriores à Lei 14.133, uma compra por linha com seus itens, como na antiga API " +
    "compras.dados.gov.br.",
  attribution: "Compras.gov.br / MGI, compras sem licitação",
  recognises: (head) => head.includes('"co_uasg"'),
  read,
});

const SOURCE = "comprasgov-dispensas";
const QUERY = "https://dadosabertos.compras.gov.br/modulo-legado/5_consultarComprasSemLicitacao";

const itemWire = z.object({
  servico: scalar,
  material: scalar,
  nome: scalar,
  desc: scalar,
  qt: scalar,
  un: scalar,
  vr: scalar,
  tipo: scalar,
  fornecedor: scalar,
});

const purchaseWire = z.object({
  id: scalar,
  co_orgao: scalar,
  orgao: scalar,
  co_uasg: scalar,
  uasg: scalar,
  modalidade: scalar,
  modalidade_nome: scalar,
  inciso: scalar,
  objeto: scalar,
  vr_estimado: scalar,
  fundamento: scalar,
  dt_declaracao: scalar,
  dt_publicacao: scalar,
  itens: z.array(itemWire).nullish(),
});
type Purchase = z.infer<typeof purchaseWire>;
type Item = z.infer<typeof itemWire>;

function read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const isUnseen = seenRecords();
  return readEachRecord(files, ({ line, value }, { file, complain, out }) => {
    const parsed = purchaseWire.safeParse(value);
    const id = parsed.success ? idText(parsed.data.id) : null;
    if (!parsed.success || id === null) {
      complain("unusable-record", { line, reason: parsed.success ? "no id" : z.prettifyError(parsed.error) });
    } else if (isNew(isUnseen(id, JSON.stringify(value)), line, complain)) {
      const { contract, items } = readPurchase(parsed.data, { id, line, file, context, complain });
      out.batch.contracts.push(contract);
      out.batch.items.push(...items);
    }
  });
}

type Place = { id: string; line: number; file: OpenedFile; context: ReadContext; complain: Complain };

function readPurchase(wire: Purchase, place: Place): { contract: Contract; items: ContractItem[] } {
  const { id, line, file, context, complain } = place;
  const fields = rowFields(id, line, complain);
  const url = pageOf(id);
  const agencyCode = expectedText(fields, "co_orgao", wire.co_orgao, NOT_INFORMED);
  const unitCode = expectedText(fields, "co_uasg", wire.co_uasg, NOT_INFORMED);
  const value = contractValue(fields, "vr_estimado", wire.vr_estimado);
  const contract: Contract = {
    provenance: provenanceOf(context, file, { source: SOURCE, sourceId: id, url }),
    number: id,
    object: withoutLabel(fields.text("objeto", wire.objeto ?? null), "Objeto"),
    procurementMethod: "direct",
    procurementMethodDetails: fields.text("modalidade_nome", wire.modalidade_nome ?? null),
    directAwardKind: kindOf(fields, wire.modalidade),
    legalBasis: legalBasisOf(wire),
    agencyCode,
    agencyName: fields.text("orgao", wire.orgao) ?? `Órgão ${agencyCode}`,
    parentAgencyCode: null,
    parentAgencyName: null,
    unitCode,
    unitName: fields.text("uasg", wire.uasg) ?? `UASG ${unitCode}`,
    ...supplierOf(fields, id, wire.itens ?? []),
    buyerSphere: "federal",
    signedOn: fields.date("dt_declaracao", dayOf(wire.dt_declaracao)),
    publishedOn: fields.date("dt_publicacao", dayOf(wire.dt_publicacao ?? null)),
    startsOn: null,
    endsOn: null,
    initialValueCents: value,
    currentValueCents: null,
    estimatedValueCents: value,
  };
  const items = (wire.itens ?? []).map((item, index): ContractItem => {
    const number = String(index + 1);
    const sourceId = `${id}/${number}`;
    const quantity = fields.quantity("itens.qt", item.qt);
    const total = fields.money("itens.vr", item.vr);
    const catalogue = rawText(item.material) === null ? "CATSER" : "CATMAT";
    const classificationId = idText(item.material) ?? idText(item.servico);
    return {
      provenance: provenanceOf(context, file, { source: SOURCE, sourceId, url }),
      contractId: id,
      number,
      description: fields.text("itens.nome", item.nome ?? null),
      complement: fields.text("itens.desc", item.desc ?? null),
      quantity,
      classificationScheme: classificationId === null ? null : catalogue,
      classificationId,
      unitOfMeasure: fields.text("itens.un", item.un ?? null),
      // The publisher gives the value of the line.
      unitPriceCents:
        total === null || quantity === null || quantity === 0 ? null : centsFromReais(total / quantity / 100),
    };
  });
  return { contract, items };
}

/** The year is at the end of the id; the list of that year is where a person can look the purchase up. */
function pageOf(id: string): string {
  const year = /(?:19|20)\d{2}$/.exec(id)?.[0];
  return year === undefined ? QUERY : `${QUERY}?pagina=1&dt_ano_aviso=${year}`;
}

function kindOf(fields: FieldReader, value: Scalar): DirectAwardKind | null {
  const code = idText(value);
  if (code === "6") return "waived";
  if (code === "7") return "no_competition";
  fields.complain("modalidade", `neither 6 (dispensa) nor 7 (inexigibilidade): ${code ?? "nothing"}`, "unknown-method");
  return null;
}

/** A purchase names its suppliers in its items; only a single one is the purchase's. */
function supplierOf(fields: FieldReader, id: string, items: Item[]): SupplierFields {
  const codes = new Map(items.map((item) => [rawText(item.fornecedor), item]));
  const [code, item] = [...codes][0] ?? [null];
  if (codes.size > 1) return unknownSupplier(id, "Vários fornecedores");
  if (item === undefined || code === null) return unknownSupplier(id, "Não informado");
  const isPerson = rawText(item.tipo)?.toUpperCase() === "PF";
  // Reduced to "PF" before publication: nobody can tell whether two of them are one.
  if (isPerson && /^\D+$/.test(code) && !code.includes("*")) {
    return { ...unknownSupplier(id, "Pessoa física"), supplierKind: "person" };
  }
  const supplier = supplierFields(fields, { field: "itens.fornecedor", code, name: null, isPerson });
  if (supplier.supplierKind !== "company" || supplier.supplierTaxId === null) {
    return { ...supplier, supplierId: `${supplier.supplierId} ${id}` };
  }
  return { ...supplier, supplierName: `CNPJ ${formatCnpj(supplier.supplierTaxId)}` };
}

function unknownSupplier(id: string, supplierName: string): SupplierFields {
  return { supplierId: `unknown/${id}`, supplierKind: "unknown", supplierTaxId: null, supplierName };
}

/** "Lei 8.666/1993, art. 24, II" from the many ways in which it was typed; what cannot be read stays as published. */
function legalBasisOf({ fundamento, inciso }: Purchase): string | null {
  const published = rawText(fundamento);
  if (published === null) return null;
  const [, article, roman] = ARTICLE.exec(published) ?? [];
  const law = LAW.exec(published);
  if (article === undefined || law === null) return withoutLabel(safeText(published), "Fundamento Legal");
  const number = law[1]!.replace(".", "").replace(/^(\d+)(\d{3})$/, "$1.$2");
  const year = law[2]!.length === 4 ? law[2]! : `${Number(law[2]) > 50 ? "19" : "20"}${law[2]}`;
  return `Lei ${number}/${year}, art. ${article}, ${roman?.toUpperCase() ?? clauseOf(idText(inciso))}`;
}

const ARTICLE = /a?rt(?:igo)?\.?\s*(\d{1,3})(?:\s*[º°o]?[\s,]*inciso\s+([ivxlc]+)\b)?/i;
/** "Lei8.666/93", "Lei nº 8.666 de 21/06/1993", "Lei nº 8.666, de 21 de junho de 1993". */
const LAW =
  /lei(?:\s+n?[º°o.]*)?\s*(\d{1,2}\.?\d{3})(?:\s*\/\s*|,?\s+de\s+(?:\d{1,2}[/.]\d{1,2}[/.]|\d{1,2}º?\s+de\s+\p{L}+\s+de\s+))(\d{4}|\d{2})(?!\d)/iu;

/** The publisher's code of the clause; "00" is the article's own text. */
function clauseOf(code: string | null): string {
  const number = Number(code);
  return /^\d{1,2}$/.test(code ?? "") && number > 0 && number < 40 ? romanNumeral(number) : "caput";
}

function romanNumeral(number: number): string {
  const tens = "X".repeat(Math.floor(number / 10));
  return tens + (["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][number % 10] ?? "");
}
