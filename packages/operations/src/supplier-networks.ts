import { readSupplierLinks, replaceCommunities, type SupplierLink } from "@cidadao/database/scheduled-work";
import type { Store } from "@cidadao/database/store";

/** Two suppliers are linked when both won at so many of the same agencies, of those where few win. */
const SHARED_AGENCIES_MIN = 3;
const SUPPLIERS_PER_AGENCY_MAX = 200;
const LINKS_MAX = 100_000;
/** Larger than this it is a market, not a community. */
const COMMUNITY_SUPPLIERS_MAX = 50;

/**
 * Who wins where, with whom: suppliers that win at the same agencies again and again, as communities. Addresses and
 * partners are no part of it: no configured source tells them.
 */
export async function findCommunities(
  context: { store: Store },
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const bounds = { agenciesMin: SHARED_AGENCIES_MIN, suppliersMax: SUPPLIERS_PER_AGENCY_MAX, linksMax: LINKS_MAX };
  const links = await readSupplierLinks(context.store, bounds, signal);
  const all = communitiesOf(links);
  const communities = all.filter(({ suppliers }) => suppliers.length <= COMMUNITY_SUPPLIERS_MAX);
  const rows = communities.map(({ id, suppliers, agencies, contracts, valueCents }) => ({
    id,
    suppliers,
    agencies,
    contracts,
    value_cents: valueCents,
  }));
  const stored = await replaceCommunities(context.store, rows, signal);
  return {
    links: links.length,
    communities: stored,
    tooLarge: all.length - communities.length,
    isCut: links.length >= LINKS_MAX,
  };
}

export type Community = {
  id: string;
  suppliers: string[];
  agencies: string[];
  contracts: number;
  valueCents: number;
};

/** The connected parts of the graph of links, each named by its smallest supplier. */
function communitiesOf(links: SupplierLink[]): Community[] {
  const parent = new Map<string, string>();
  const find = (node: string): string => {
    let root = node;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    parent.set(node, root);
    return root;
  };
  for (const { a, b } of links) {
    const [one, other] = [find(a), find(b)].toSorted();
    parent.set(other!, one!);
    parent.set(one!, one!);
  }
  const communities = new Map<string, Community>();
  for (const link of links) {
    const id = find(link.a);
    const community = communities.get(id) ?? { id, suppliers: [], agencies: [], contracts: 0, valueCents: 0 };
    communities.set(id, community);
    community.suppliers.push(link.a, link.b);
    community.agencies.push(...link.agencies);
    // Of its strongest link: sums over links would count a contract once for each partner.
    community.contracts = Math.max(community.contracts, link.contracts);
    community.valueCents = Math.max(community.valueCents, link.valueCents);
  }
  const unique = (values: string[]) => [...new Set(values)].toSorted();
  return [...communities.values()].map((community) => ({
    ...community,
    suppliers: unique(community.suppliers),
    agencies: unique(community.agencies),
  }));
}
