/** Counts by organization: `part` of `whole`. */
export type Fractions = Map<string, { part: number; whole: number }>;

export function addFraction(fractions: Fractions, id: string, part: number, whole: number): void {
  const before = fractions.get(id) ?? { part: 0, whole: 0 };
  fractions.set(id, { part: before.part + part, whole: before.whole + whole });
}

export function mergeFractions(a: Fractions, b: Fractions): Fractions {
  const merged = new Map(a);
  for (const [id, { part, whole }] of b) addFraction(merged, id, part, whole);
  return merged;
}
