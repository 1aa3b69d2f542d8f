import { loadMunicipalities } from "@cidadao/database/records";
import type { Store } from "@cidadao/database/store";
import { addDays, type IsoDate } from "@cidadao/domain/dates";
import { type InvestigationScope, type InvestigationSource, investigationScope } from "@cidadao/domain/investigation";
import { plain, type QuestionParts, readQuestion } from "@cidadao/domain/read-question";
import { AppError } from "@cidadao/runtime/errors";
import { agencyCnpjs } from "./agency-cnpjs.ts";

/** What is looked at where a question names no days. */
const DAYS_DEFAULT = 90;
const SHOWN_MAX = 10;

/**
 * The scope that a question in Portuguese asks for, found by rules and by what is stored, never by a model. A question
 * that names nothing a source can be asked for, or a place that is two, is refused with what to say instead.
 */
export async function resolveQuestion(
  context: { store: Store },
  input: { question: string; today: IsoDate },
  signal: AbortSignal,
): Promise<InvestigationScope> {
  const parts = readQuestion(input.question, input.today);
  const municipalityCodes = await findPlaces(context, parts.municipalities, signal);
  if (parts.supplierCnpjs.length > 1)
    throw refused("A pergunta nomeia mais de um fornecedor: pergunte por um de cada vez");
  const [supplierCnpj] = parts.supplierCnpjs;
  const { agencyCodes, states, sources: named } = parts;
  const isKnownToPncp = (await agencyCnpjs(context, agencyCodes, signal)).size > 0;
  const cnpjs = parts.agencyCnpjs;
  const isOfPncp = isKnownToPncp || [cnpjs, municipalityCodes, states].some(({ length }) => length > 0);
  const isOfPortal = agencyCodes.length > 0 || supplierCnpj !== undefined;
  if (!isOfPncp && !isOfPortal) {
    throw refused(
      "A pergunta não nomeia nenhum órgão federal, fornecedor (CNPJ), estado ou município que se conheça. " +
        "Exemplos: «contratos do Ministério da Saúde nos últimos 3 meses», «compras da prefeitura de Recife em 2024»",
    );
  }
  const fitting: InvestigationSource[] = [
    ...(isOfPortal ? (["portal-transparencia"] as const) : []),
    ...(isOfPncp ? (["pncp"] as const) : []),
  ];
  const { from, to } = parts.period ?? { from: addDays(input.today, -DAYS_DEFAULT), to: input.today };
  const scope = investigationScope.safeParse({
    sources: named.length > 0 ? named : fitting,
    ...(agencyCodes.length > 0 ? { agencyCodes } : {}),
    ...(cnpjs.length > 0 ? { agencyCnpjs: cnpjs } : {}),
    ...(municipalityCodes.length > 0 ? { municipalityCodes } : {}),
    ...(states.length > 0 ? { states } : {}),
    ...(supplierCnpj === undefined ? {} : { supplierCnpj }),
    from,
    to,
  });
  if (scope.success) return scope.data;
  throw refused(scope.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "));
}

async function findPlaces(
  { store }: { store: Store },
  places: QuestionParts["municipalities"],
  signal: AbortSignal,
): Promise<string[]> {
  if (places.length === 0) return [];
  const all = await loadMunicipalities(store, signal);
  if (all.length === 0) {
    throw refused(
      "A lista de municípios ainda não foi lida: npx cidadao ingest ibge --from … --to …, ou dê os códigos do IBGE",
    );
  }
  return places.map(({ name, state }) => {
    const found = all.filter((one) => plain(one.name) === name && (state === null || one.state === state));
    if (found.length === 1) return found[0]!.code;
    if (found.length === 0) throw refused(`Não há município «${name}»${state ? ` em ${state}` : ""} na lista do IBGE`);
    const which = found.slice(0, SHOWN_MAX).map((one) => `${one.name}/${one.state}`);
    throw refused(`Há ${found.length} municípios «${name}»: diga o estado, como em ${which.join(", ")}`);
  });
}

function refused(message: string): AppError {
  return new AppError("invalid_request", `${message}.`);
}
