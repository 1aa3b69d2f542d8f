import type { Registration } from "@cidadao/domain/registration";
import { chunks, readByKey, page } from "./records.ts";
import { type Store, unwrap } from "./store.ts";

/** CNPJs of companies with contracts that nobody has looked up for `ageDays`, those with the most money first. */
export async function suppliersWithoutRegistration(
  store: Store,
  { limit, ageDays }: { limit: number; ageDays: number },
  signal: AbortSignal,
): Promise<string[]> {
  const asking = store.rpc("suppliers_without_registration", { p_limit: limit, p_age_days: ageDays });
  const rows = (await unwrap(asking.abortSignal(signal), "choosing suppliers to look up")) as { cnpj: string }[];
  return rows.map(({ cnpj }) => cnpj);
}

/** That a company was looked up, and whether the registers have it. */
export async function noteRegistrationLookup(
  store: Store,
  { cnpj, isFound }: { cnpj: string; isFound: boolean },
  signal: AbortSignal,
): Promise<void> {
  const row = { cnpj, found: isFound, asked_at: new Date().toISOString() };
  const writing = store.from("registration_lookups").upsert(row).select("cnpj").abortSignal(signal);
  await unwrap(writing, "noting a look-up");
}

/** What was read of these companies. */
export async function loadRegistrations(store: Store, cnpjs: string[], signal: AbortSignal): Promise<Registration[]> {
  const found: Registration[] = [];
  for (const some of chunks(cnpjs)) {
    const rows = await readByKey<Registration>(
      (after) => page(store.from("registrations").select("*").in("cnpj", some), after, signal),
      "loading registrations",
    );
    found.push(...rows);
  }
  return found;
}
