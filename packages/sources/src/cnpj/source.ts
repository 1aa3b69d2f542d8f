import type { Registration } from "@cidadao/domain/registration";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { AppError } from "@cidadao/runtime/errors";
import type { z } from "zod";
import { defineSource, type SourcePage } from "../define-source.ts";
import { type Outbound, uncached } from "../outbound.ts";
import { pageOf } from "../read-rows.ts";
import { askRegisters, type CnpjContext, createCnpjContext } from "./client.ts";
import { cnpjConfig } from "./config.ts";
import { CNPJ, readRegistration, registrationWire } from "./wire.ts";

/** Banco do Brasil: a company that every register has. */
const PROBE_CNPJ = "00000000000191";

/** What the registers say today of a company; `null` for one that they do not have. */
export async function registration(
  context: CnpjContext,
  input: { cnpj: string },
  signal: AbortSignal,
): Promise<SourcePage<Registration> | null> {
  const cnpj = parseCnpj(input.cnpj);
  if (cnpj === null) throw new AppError("invalid_request", "not a CNPJ: its check digits are wrong");
  const answer = await askRegisters(context, cnpj, signal);
  return answer === null ? null : pageOf(answer, readRegistration());
}

export function openCnpj(config: z.output<typeof cnpjConfig>, outbound: Outbound): CnpjContext {
  return createCnpjContext({
    outbound,
    openCnpjUrl: config.OPENCNPJ_URL,
    minhaReceitaUrl: config.MINHARECEITA_URL,
    brasilApiUrl: config.BRASILAPI_URL,
    perMinute: config.CNPJ_PER_MINUTE,
    timeoutMs: config.CNPJ_TIMEOUT_SECONDS * 1_000,
  });
}

export const cnpj = defineSource({
  id: CNPJ,
  name: "Cadastro de CNPJ",
  publisher: "Receita Federal, pelos espelhos OpenCNPJ, Minha Receita e BrasilAPI",
  homepage:
    "https://www.gov.br/receitafederal/pt-br/assuntos/orientacao-tributaria/cadastros/consultas/dados-publicos-cnpj",
  attribution: "Receita Federal, dados públicos do CNPJ",
  licence: "Dados abertos do Poder Executivo federal (Decreto 8.777/2016), uso livre com citação da fonte",
  coverage: { spheres: [], states: "all" },
  cadence: "mensal",
  config: cnpjConfig,
  baseUrls: ["OPENCNPJ_URL", "MINHARECEITA_URL", "BRASILAPI_URL"],
  perMinute: "CNPJ_PER_MINUTE",
  needs: [],
  auth: "ninguém se identifica, mas todos dizem quem são no User-Agent",
  open: openCnpj,
  probeRecordsMin: 1,
  async probe(context, signal) {
    const fresh = { registers: context.registers.map(uncached) };
    const page = await registration(fresh, { cnpj: PROBE_CNPJ }, signal);
    return { records: page?.records.length ?? 0, sample: page?.sample ?? null };
  },
  resources: {
    registrations: {
      title: "Cadastro de uma empresa: abertura, situação, atividade, capital, endereço e sócios, como estão hoje",
      path: "/{cnpj}",
      kind: "registrations",
      cadence: "mensal",
      wire: registrationWire,
      read: readRegistration(),
    },
  },
  fixtures: ["derived-registrations.json", "recorded-errors.json"],
});
