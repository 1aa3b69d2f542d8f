import { openStore } from "@cidadao/database/store";
import { openBenchStack } from "../bench/stack.ts";
import { runSchedulerCampaign } from "./scheduler-campaign.ts";

/** 30 virtual days, three replicas, 200 kills, 50 redeploys at a due time, 60 clock steps of an hour. */
export async function chaosScheduler(): Promise<boolean> {
  await using bench = await openBenchStack();
  const { supabaseUrl, serviceRoleKey } = bench.stack;
  const store = openStore({ SUPABASE_URL: supabaseUrl, SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey });
  const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_181_104);
  const startedAt = performance.now();
  const figures = await runSchedulerCampaign({
    store,
    supabaseUrl,
    serviceRoleKey,
    days: 30,
    kills: 200,
    redeploys: 50,
    clockSteps: 60,
    seed,
  });
  const { violations, ...counts } = figures;
  console.log(`scheduler campaign in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
  for (const [name, value] of Object.entries(counts)) console.log(`  ${name.padEnd(12)} ${value}`);
  console.log(`  violations   ${violations.length}`);
  for (const violation of violations.slice(0, 20)) console.log(`    ${violation}`);
  return violations.length === 0;
}
