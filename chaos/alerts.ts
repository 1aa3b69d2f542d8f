import { openStore } from "@cidadao/database/store";
import { openBenchStack } from "../bench/stack.ts";
import { runAlertCampaign } from "./alert-campaign.ts";

/** 10,000 alerts, each its own message, then 2,000 in bursts; senders killed 50 and 10 times; a fifth of the answers bad. */
export async function chaosAlerts(): Promise<boolean> {
  const seed = Number(process.env["CAMPAIGN_SEED"] ?? 20_240_131);
  let isKept = true;
  for (const [alerts, kills, groupMax] of [
    [10_000, 50, 1],
    [2_000, 10, 10],
  ] as const) {
    await using bench = await openBenchStack();
    const { supabaseUrl, serviceRoleKey } = bench.stack;
    const store = openStore({ SUPABASE_URL: supabaseUrl, SUPABASE_SERVICE_ROLE_KEY: serviceRoleKey });
    const startedAt = performance.now();
    const campaign = {
      store,
      supabaseUrl,
      serviceRoleKey,
      alerts,
      kills,
      groupMax,
      sendLeaseSeconds: 60,
      faultShare: 0.2,
      seed,
    };
    const { violations, ...counts } = await runAlertCampaign(campaign);
    console.log(`alert campaign in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s`);
    for (const [name, value] of Object.entries(counts)) console.log(`  ${name.padEnd(16)} ${value}`);
    console.log(`  violations       ${violations.length}`);
    for (const violation of violations.slice(0, 20)) console.log(`    ${violation}`);
    isKept &&= violations.length === 0;
  }
  return isKept;
}
