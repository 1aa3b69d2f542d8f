import type { Registration } from "@cidadao/domain/registration";
import { maskCpf, parseCnpj } from "@cidadao/domain/tax-id";
import { z } from "zod";
import { answeredProvenance, readerOf } from "../read-rows.ts";
import { fieldReader, type FieldReader, safeText, scalar, type Scalar } from "../reading.ts";

export const CNPJ = "cnpj";
const SITE = "https://solucoes.receita.fazenda.gov.br/servicos/cnpjreva/cnpjreva_solicitacao.asp";

const partnerWire = z.object({
  nome_socio: scalar,
  cnpj_cpf_do_socio: scalar,
  // OpenCNPJ's name of it.
  cnpj_cpf_socio: scalar,
});

/** The registers give the same data of the Receita Federal under names that differ here and there. */
export const registrationWire = z.object({
  cnpj: scalar,
  razao_social: scalar,
  data_inicio_atividade: scalar,
  situacao_cadastral: scalar,
  descricao_situacao_cadastral: scalar,
  data_situacao_cadastral: scalar,
  cnae_fiscal: scalar,
  cnae_principal: scalar,
  capital_social: scalar,
  descricao_tipo_de_logradouro: scalar,
  tipo_logradouro: scalar,
  logradouro: scalar,
  numero: scalar,
  complemento: scalar,
  bairro: scalar,
  municipio: scalar,
  uf: scalar,
  cep: scalar,
  ddd_telefone_1: scalar,
  // A list that cannot be read costs the list, not the company.
  telefones: z.unknown().optional(),
  email: scalar,
  qsa: z.unknown().optional(),
  QSA: z.unknown().optional(),
});
type RegistrationWire = z.infer<typeof registrationWire>;

export const readRegistration = () =>
  readerOf(registrationWire, (wire, answer) => {
    const cnpj = parseCnpj(String(wire.cnpj ?? ""));
    if (cnpj === null) return "cnpj: missing, or its check digits are wrong";
    const fields = fieldReader(cnpj);
    const name = fields.text("razao_social", wire.razao_social);
    if (name === null) return "razao_social: nothing is published";
    const record: Registration = {
      provenance: answeredProvenance(answer, { source: CNPJ, sourceId: cnpj, url: SITE }, SITE),
      cnpj,
      name,
      openedOn: fields.date("data_inicio_atividade", wire.data_inicio_atividade),
      status: statusOf(fields, wire),
      statusSince: fields.date("data_situacao_cadastral", wire.data_situacao_cadastral ?? null),
      mainActivity: activityOf(wire.cnae_fiscal ?? wire.cnae_principal),
      capitalCents: fields.money("capital_social", wire.capital_social ?? null),
      address: addressOf(wire),
      phone: phoneOf(fields, wire),
      email: fields.text("email", wire.email ?? null)?.toLowerCase() ?? null,
      partners: listOf(fields, "qsa", partnerWire, wire.qsa ?? wire.QSA).flatMap((partner) => partnerOf(partner)),
    };
    return { record, complaints: fields.complaints };
  });

const STATUSES: Record<string, string> = { 1: "NULA", 2: "ATIVA", 3: "SUSPENSA", 4: "INAPTA", 8: "BAIXADA" };

/** A word, or the Receita's number of it. */
function statusOf(fields: FieldReader, wire: RegistrationWire): string | null {
  const published = wire.descricao_situacao_cadastral ?? wire.situacao_cadastral ?? null;
  const text = fields.text("situacao_cadastral", published)?.toUpperCase() ?? null;
  return text === null ? null : (STATUSES[String(Number(text))] ?? text);
}

/** CNAE subclasses have seven digits; as a number they lose a leading zero. */
function activityOf(value: Scalar): string | null {
  const digits = String(value ?? "").replace(/\D/g, "");
  return digits === "" || digits.length > 7 || Number(digits) === 0 ? null : digits.padStart(7, "0");
}

function addressOf(wire: RegistrationWire): string | null {
  const kind = wire.descricao_tipo_de_logradouro ?? wire.tipo_logradouro;
  const parts = [kind, wire.logradouro, wire.numero, wire.complemento, wire.cep].map((part) =>
    safeText(String(part ?? "").replaceAll(/\s+/g, " ")),
  );
  return parts.slice(0, 4).every((part) => part === "") ? null : parts.filter((part) => part !== "").join(" ");
}

const phoneWire = z.object({ ddd: scalar, numero: scalar });

function phoneOf(fields: FieldReader, { ddd_telefone_1: whole, telefones }: RegistrationWire): string | null {
  const [first] = listOf(fields, "telefones", phoneWire, telefones);
  const digits = `${whole ?? (first ? `${first.ddd ?? ""}${first.numero ?? ""}` : "")}`.replace(/\D/g, "");
  // Eleven digits may be a mobile telephone or a CPF; what passes for a CPF is not kept.
  return digits === "" || safeText(digits) !== digits ? null : digits;
}

function listOf<Wire>(fields: FieldReader, field: string, schema: z.ZodType<Wire>, value: unknown): Wire[] {
  if (value === undefined || value === null) return [];
  const parsed = z.array(schema).safeParse(value);
  if (!parsed.success) fields.complain(field, "not a list of what is expected there");
  return parsed.data ?? [];
}

/** A company by its CNPJ; a person by a masked CPF, whatever was sent. */
function partnerOf(partner: z.infer<typeof partnerWire>): Registration["partners"] {
  const name = fieldReader("").text("nome_socio", partner.nome_socio ?? null);
  if (name === null) return [];
  const code = String(partner.cnpj_cpf_do_socio ?? partner.cnpj_cpf_socio ?? "").trim();
  const isMasked = /^\*{3}\.?\d{3}\.?\d{3}-?\*{2}$/.test(code);
  return [{ taxId: parseCnpj(code) ?? (isMasked ? withPoints(code) : maskCpf(code)), name }];
}

function withPoints(masked: string): string {
  const digits = masked.replace(/\D/g, "");
  return `***.${digits.slice(0, 3)}.${digits.slice(3)}-**`;
}
