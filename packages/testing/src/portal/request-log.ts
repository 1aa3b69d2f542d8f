/** `fault`: in which way it was answered wrongly, if at all. */
export type LoggedRequest = { path: string; params: Record<string, string>; atMs: number; fault: string | null };

export type RequestLog = {
  total(): number;
  /** How many requests had this path and these parameters (others may have been there too). */
  count(filter: { path?: string; params?: Record<string, string> }): number;
  /** The last requests, oldest first. */
  list(): LoggedRequest[];
  /** How often each question (path and parameters) was answered well. */
  answeredWell(): Map<string, number>;
  /** The most requests any rolling minute saw. */
  perMinuteMax(): number;
  summary(): { total: number; perMinuteMax: number; byPath: Record<string, number> };
  reset(): void;
};

const LISTED_MAX = 50_000;
const MINUTE_MS = 60_000;

type Logged = { request: LoggedRequest; lastMinute: number };

export function createRequestLog(): RequestLog & { add(path: string, params: URLSearchParams): Logged } {
  let total = 0;
  let listed: LoggedRequest[] = [];
  let byPath = new Map<string, number>();
  let times: number[] = [];
  let oldest = 0;
  let busiest = 0;
  return {
    /** `lastMinute`: how many requests it saw, this one included. */
    add(path, params) {
      const atMs = performance.now();
      total++;
      byPath.set(path, (byPath.get(path) ?? 0) + 1);
      const request = { path, params: Object.fromEntries(params), atMs, fault: null };
      listed.push(request);
      if (listed.length > LISTED_MAX * 2) listed = listed.slice(-LISTED_MAX);
      times.push(atMs);
      while (times[oldest]! <= atMs - MINUTE_MS) oldest++;
      if (oldest > LISTED_MAX) {
        times = times.slice(oldest);
        oldest = 0;
      }
      const lastMinute = times.length - oldest;
      busiest = Math.max(busiest, lastMinute);
      return { request, lastMinute };
    },
    total: () => total,
    count: ({ path, params = {} }) =>
      listed.filter(
        (request) =>
          (path === undefined || request.path === path) &&
          Object.entries(params).every(([name, value]) => request.params[name] === value),
      ).length,
    list: () => [...listed],
    answeredWell() {
      const counts = new Map<string, number>();
      for (const { path, params, fault } of listed) {
        if (fault !== null) continue;
        const question = `${path}?${new URLSearchParams(params).toString()}`;
        counts.set(question, (counts.get(question) ?? 0) + 1);
      }
      return counts;
    },
    perMinuteMax: () => busiest,
    summary: () => ({ total, perMinuteMax: busiest, byPath: Object.fromEntries(byPath) }),
    reset() {
      total = 0;
      busiest = 0;
      listed = [];
      byPath = new Map();
      times = [];
      oldest = 0;
    },
  };
}
