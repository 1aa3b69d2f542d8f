import path from "node:path";
import { openStore } from "@cidadao/database/store";
import pg from "pg";
import { openBenchStack } from "../bench/stack.ts";
import { runWeekCampaign } from "./week-campaign.ts";

const START = new Date("2024-01-07T07:50:00Z");
const WEEK_MS = 7 * 86_400_000;

/** A week of the whole timetable on the recorded portals, from a Sunday at 04:50 in São Paulo, five minutes at a time. */
export async function chaosWeek(): Promise<boolean> {
  await using bench = await openBenchStack();
  const { supabaseUrl, serviceRoleKey, databaseUrl } = bench.stack;
  const store = openStore({ SUPABASE_URL: supabaseUrl, SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey });
  await using closing = new AsyncDisposableStack();
  const database = new pg.Client({ connectionString: databaseUrl });
  await database.connect();
  closing.defer(() => database.end());
  const startedAt = performance.now();
  const figures = await runWeekCampaign({
    store,
    supabaseUrl,
    serviceRoleKey,
    sql: async <Row extends object>(query: string, parameters: unknown[] = []) =>
      (await database.query<Row>(query, parameters)).rows,
    dataFolder: path.resolve(import.meta.dirname, "../data"),
    agencies: null,
    start: START,
    end: new Date(START.getTime() + WEEK_MS),
    stepMinutes: 5,
  });
  console.log(`a week of the timetable in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  console.table(figures.schedules.map(({ seconds, ...row }) => ({ ...row, seconds: Number(seconds.toFixed(1)) })));
  console.table(figures.investigations);
  console.table(figures.alerts);
  console.log(`${figures.messages} messages arrived; ${figures.problems.length} problems`);
  for (const problem of figures.problems.slice(0, 20)) console.log(`  ${problem}`);
  return figures.problems.length === 0;
}
