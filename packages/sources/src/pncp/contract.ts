import type { Contract } from "@cidadao/domain/contract";
import { z } from "zod";
import { contractValue, dayOf, period, supplierFields } from "../published-fields.ts";
import { type FieldReader, idText, scalar } from "../reading.ts";
import { rawText } from "../terms.ts";
import { buyerFields, buyerWire, controlNumber, pncpContractPage } from "./buyer.ts";

export const contractWire = z.object({
  ...buyerWire,
  numeroControlePNCP: scalar,
  anoContrato: scalar,
  sequencialContrato: scalar,
  numeroContratoEmpenho: scalar,
  categoriaProcesso: z.object({ nome: scalar }).nullish(),
  objetoContrato: scalar,
  receita: z.unknown().optional(),
  dataAssinatura: scalar,
  dataVigenciaInicio: scalar,
  dataVigenciaFim: scalar,
  dataPublicacaoPncp: scalar,
  niFornecedor: scalar,
  tipoPessoa: scalar,
  nomeRazaoSocialFornecedor: scalar,
  valorInicial: scalar,
  valorGlobal: scalar,
  valorParcela: scalar,
  numeroParcelas: scalar,
});
export type ContractWire = z.infer<typeof contractWire>;

/** The State receives: it is no purchase. */
export function isRevenue(wire: ContractWire): boolean {
  return wire.receita === true;
}

export function contractIdOf(wire: ContractWire): string | null {
  const parts = { cnpj: wire.orgaoEntidade?.cnpj, year: wire.anoContrato, sequence: wire.sequencialContrato };
  const id = controlNumber(wire.numeroControlePNCP, { ...parts, kind: 2 });
  return pncpContractPage(id) === null ? null : id;
}

export function contractOf(fields: FieldReader, wire: ContractWire): Omit<Contract, "provenance"> {
  const start = { field: "dataVigenciaInicio", value: dayOf(wire.dataVigenciaInicio) };
  complainOfDigitShift(fields, wire);
  return {
    number: idText(wire.numeroContratoEmpenho) ?? fields.sourceId,
    object: fields.text("objetoContrato", wire.objetoContrato),
    procurementMethod: "unknown",
    procurementMethodDetails: null,
    directAwardKind: null,
    legalBasis: null,
    ...buyerFields(fields, wire),
    ...supplierFields(fields, {
      field: "niFornecedor",
      code: wire.niFornecedor,
      name: fields.text("nomeRazaoSocialFornecedor", wire.nomeRazaoSocialFornecedor),
      isPerson: rawText(wire.tipoPessoa) === "PF",
    }),
    ...(rawText(wire.tipoPessoa) === "PE" ? { supplierKind: "foreign" as const } : {}),
    category: fields.text("categoriaProcesso.nome", wire.categoriaProcesso?.nome ?? null),
    signedOn: fields.date("dataAssinatura", dayOf(wire.dataAssinatura)),
    publishedOn: fields.date("dataPublicacaoPncp", dayOf(wire.dataPublicacaoPncp)),
    ...period(fields, start, { field: "dataVigenciaFim", value: dayOf(wire.dataVigenciaFim) }),
    initialValueCents: contractValue(fields, "valorInicial", wire.valorInicial),
    currentValueCents: fields.money("valorGlobal", wire.valorGlobal),
  };
}

/** Somebody lost or doubled zeros when the value is exactly ten, a hundred… times what its instalments add up to. */
function complainOfDigitShift(fields: FieldReader, { valorGlobal, valorParcela, numeroParcelas }: ContractWire): void {
  const [total, part, count] = [valorGlobal, valorParcela, numeroParcelas].map(Number) as [number, number, number];
  const [totalCents, sumCents] = [Math.round(total * 100), Math.round(part * 100) * count];
  if (!(totalCents > 0 && sumCents > 0) || totalCents === sumCents) return;
  const [small, large] = totalCents < sumCents ? [totalCents, sumCents] : [sumCents, totalCents];
  for (let power = 10; power <= 1_000_000; power *= 10) {
    if (small * power !== large) continue;
    const reason = `the value and the sum of its instalments differ by exactly ${power} times`;
    return fields.complain("valorGlobal", reason, "digit-shift");
  }
}
