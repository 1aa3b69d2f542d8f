import { noteRegistrationLookup, suppliersWithoutRegistration } from "@cidadao/database/registrations";
import type { Store } from "@cidadao/database/store";
import type { Registration } from "@cidadao/domain/registration";
import type { CnpjContext } from "@cidadao/sources/cnpj/client";
import { cnpj as register, registration } from "@cidadao/sources/cnpj/source";
import { ingest, type IngestSummary } from "./ingest.ts";

/** What the register says is asked again after so long; a company that it did not have, as soon. */
const AGE_DAYS_MAX = 30;

/**
 * Looks up the suppliers that nobody has looked up in the last thirty days, those with the most money first. A company
 * that could not be looked up is missing in the coverage, with the reason, and is asked again by the next run.
 */
export async function refreshRegistrations(
  context: { store: Store; cnpj: CnpjContext },
  input: { suppliersMax: number },
  signal: AbortSignal,
): Promise<IngestSummary & { notFound: number }> {
  const { store } = context;
  const cnpjs = await suppliersWithoutRegistration(store, { limit: input.suppliersMax, ageDays: AGE_DAYS_MAX }, signal);
  let notFound = 0;
  const summary = await ingest<Registration>(
    context,
    {
      source: register.id,
      dataset: "registrations",
      scope: { suppliers: cnpjs.length },
      investigationId: null,
      questions: cnpjs.map((cnpj) => ({
        what: `cadastro de ${cnpj}`,
        async *pages(stop) {
          const page = await registration(context.cnpj, { cnpj }, stop);
          if (page !== null) yield page;
          else notFound++;
          await noteRegistrationLookup(store, { cnpj, isFound: page !== null }, stop);
        },
      })),
      store: { kind: "registrations", homepage: register.homepage },
    },
    signal,
  );
  return { ...summary, notFound };
}
