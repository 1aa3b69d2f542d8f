/** Ways in which a public API misbehaves. Delays are long enough to outlast any client's patience unless told otherwise. */
export type Fault =
  /** 429; without `retryAfter` the header is left out. */
  | { kind: "rate_limited"; retryAfter?: number | string }
  /** 401, the portal's own "Chave de API inválida!". */
  | { kind: "key_invalid" }
  /** 403, a page of the content network. */
  | { kind: "forbidden" }
  | { kind: "server_error"; status?: 500 | 502 | 503 | 504; retryAfter?: number | string }
  /** 200 with a web page instead of JSON. */
  | { kind: "html" }
  | { kind: "malformed_json" }
  /** The JSON ends in the middle, the connection ends well. */
  | { kind: "truncated_json" }
  | { kind: "stall_before_headers" }
  | { kind: "stall_in_body" }
  /** One byte every `everyMs`. */
  | { kind: "slow_drip"; everyMs?: number }
  | { kind: "reset" }
  | { kind: "reset_in_body" }
  /** 200 with `{ data: [...] }` where a bare list is expected. */
  | { kind: "envelope" }
  /** The field (dots for depth) is missing from, null in, or absurd in every row. */
  | { kind: "field_missing"; field: string }
  | { kind: "field_null"; field: string }
  | { kind: "field_value"; field: string; value: unknown }
  /** Every page asked for is answered with the page before it. */
  | { kind: "duplicate_page" }
  /** Every page but the first begins so many rows too early: records came in while the list was read. */
  | { kind: "shifted_page"; rows?: number }
  /** ISO-8859-1 under a header that says otherwise. */
  | { kind: "wrong_charset" }
  /** The right body, announced as a web page. */
  | { kind: "wrong_content_type" }
  /** A few kilobytes that unpack to 64 MB. */
  | { kind: "gzip_bomb" };

/** When a fault strikes. All conditions given have to hold; none means every request. */
export type FaultRule = {
  fault: Fault;
  /** Start of the path after /api-de-dados, for example "/contratos". */
  path?: string;
  page?: number;
  /** Part of the query, for example "dataInicial=20250616". */
  query?: string;
  /** Lets the first matching requests through. */
  skip?: number;
  /** Strikes so many times at most. */
  times?: number;
  /** From 0 to 1. */
  probability?: number;
  /** Only when the last minute, this request included, saw more requests than this. */
  abovePerMinute?: number;
};

export type FaultPlan = {
  rules?: FaultRule[];
  /** Nothing listens on the port: connections are refused. */
  down?: boolean;
  /** Listens again, without faults, after so long. */
  downMs?: number;
  /** The same seed and the same requests give the same faults. */
  seed?: number;
};

type FaultContext = { path: string; page: number; query: string; lastMinute: number };

/** The first rule that strikes decides. Returned function keeps the counts of its plan. */
export function faultDecider(plan: FaultPlan): (context: FaultContext) => Fault | null {
  const random = randomOf(plan.seed ?? 1);
  const rules = (plan.rules ?? []).map((rule) => ({ rule, seen: 0, struck: 0 }));
  return ({ path, page, query, lastMinute }) => {
    for (const state of rules) {
      const { rule } = state;
      if (rule.path !== undefined && !path.startsWith(rule.path)) continue;
      if (rule.page !== undefined && rule.page !== page) continue;
      if (rule.query !== undefined && !query.includes(rule.query)) continue;
      if (rule.abovePerMinute !== undefined && lastMinute <= rule.abovePerMinute) continue;
      state.seen++;
      if (state.seen <= (rule.skip ?? 0)) continue;
      if (state.struck >= (rule.times ?? Infinity)) continue;
      if (rule.probability !== undefined && random() >= rule.probability) continue;
      state.struck++;
      return rule.fault;
    }
    return null;
  };
}

/** mulberry32: 32 bits of state, enough for choosing faults. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The row at which the page begins that a misbehaving API gives for page `page`. */
export function pageAsked(fault: Fault | null, page: number, pageRows: number): number {
  const start = (page - 1) * pageRows;
  if (fault?.kind === "duplicate_page") return Math.max(0, start - pageRows);
  if (fault?.kind === "shifted_page") return Math.max(0, start - (fault.rows ?? 1));
  return start;
}

/** The rows with one field changed, as a portal that changed its format would send them. */
export function driftRows(rows: string[], fault: Fault): string[] {
  if (fault.kind !== "field_missing" && fault.kind !== "field_null" && fault.kind !== "field_value") return rows;
  const path = fault.field.split(".");
  return rows.map((text) => {
    const row = JSON.parse(text) as Record<string, unknown>;
    let holder: Record<string, unknown> | null = row;
    for (const name of path.slice(0, -1)) {
      const next: unknown = holder?.[name];
      holder = typeof next === "object" && next !== null ? (next as Record<string, unknown>) : null;
    }
    const last = path.at(-1)!;
    if (holder && fault.kind === "field_missing") delete holder[last];
    else if (holder && fault.kind === "field_value") holder[last] = fault.value;
    else if (holder) holder[last] = null;
    return JSON.stringify(row);
  });
}
