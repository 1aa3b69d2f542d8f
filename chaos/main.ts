/** One campaign a file: work under kills and faults, and what has to hold all the same. Resolves with whether it held. */
const campaigns: Record<string, () => Promise<boolean>> = {
  alerts: async () => (await import("./alerts.ts")).chaosAlerts(),
  ingest: async () => (await import("./ingest.ts")).chaosIngest(),
  scheduler: async () => (await import("./scheduler.ts")).chaosScheduler(),
  week: async () => (await import("./week.ts")).chaosWeek(),
};

const [name] = process.argv.slice(2);
const campaign = name === undefined ? undefined : campaigns[name];
if (!campaign) {
  console.error(`npm run chaos -- ${Object.keys(campaigns).join(" | ")}`);
  process.exitCode = 2;
} else if (!(await campaign())) {
  console.error("A promise was broken.");
  process.exitCode = 1;
}
