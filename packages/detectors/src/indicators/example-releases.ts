/** A process as one line of the input would hold it. */
export function exampleRelease(ocid: string, parts: Record<string, unknown> = {}): Record<string, unknown> {
  return { ocid, ...parts };
}

export function exampleBid(tenderer: string, amount: number | null, status = "valid", currency = "BRL") {
  return { status, tenderers: [{ id: tenderer }], ...(amount === null ? {} : { value: { amount, currency } }) };
}

export function exampleAward(supplier: string, status = "active") {
  return { status, suppliers: [{ id: supplier }] };
}

/** A process won by the first bidder. */
export function exampleContest(
  ocid: string,
  bids: ReturnType<typeof exampleBid>[],
  tender: Record<string, unknown> = {},
) {
  const winner = bids[0]!.tenderers[0]!.id;
  return exampleRelease(ocid, { tender, bids: { details: bids }, awards: [exampleAward(winner)] });
}

/** Processes in which W bids 100 and L bids `ratio` more. */
export function exampleRatios(...ratios: number[]) {
  return ratios.map((ratio, index) =>
    exampleContest(`p${index + 1}`, [exampleBid("W", 100), exampleBid("L", 100 + 100 * ratio)]),
  );
}

export function examplePeriod(startDate: string, endDate: string) {
  return { tenderPeriod: { startDate, endDate } };
}
