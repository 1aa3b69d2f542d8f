import { findAgencies } from "@cidadao/database/records";
import type { Store } from "@cidadao/database/store";
import { federalAgencies } from "@cidadao/domain/federal-agencies";
import { parseCnpj } from "@cidadao/domain/tax-id";
import { PNCP } from "@cidadao/sources/pncp/buyer";
import { SOURCE_ID as PORTAL } from "@cidadao/sources/portal-transparencia/client";

/**
 * The CNPJs under which the PNCP knows federal agencies, by their SIAFI codes. Nobody publishes such a table: an agency is
 * found when the PNCP has already given a record of one with the same name, and is left out otherwise.
 */
export async function agencyCnpjs(
  context: { store: Store },
  codes: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  if (codes.length === 0) return new Map();
  const stored = await findAgencies(context.store, PORTAL, { column: "code", values: [...codes] }, signal);
  const names = codes.flatMap((code) => {
    const known = federalAgencies.find(([listed]) => listed === code)?.slice(1) ?? [];
    const own = stored.filter((agency) => agency.code === code).map(({ name }) => name.split(" - Unidades")[0]!);
    return [...new Set([...known, ...own])].map((name) => ({ code, name }));
  });
  const written = [...new Set(names.flatMap(({ name }) => spellings(name)))];
  const found = await findAgencies(context.store, PNCP, { column: "name", values: written }, signal);
  const cnpjs = new Map<string, string>();
  for (const { code, name } of names) {
    const same = new Set(
      found.filter((agency) => spellings(name).includes(agency.name)).flatMap((agency) => parseCnpj(agency.code) ?? []),
    );
    // Two entities of one name: neither can be told to be meant.
    if (same.size === 1) cnpjs.set(code, [...same][0]!);
  }
  return cnpjs;
}

/** As it is, in capitals, and both without accents. */
function spellings(name: string): string[] {
  const bare = name.normalize("NFD").replace(/\p{M}/gu, "");
  return [...new Set([name, name.toUpperCase(), bare, bare.toUpperCase()])];
}
