/** One campaign a file: work under kills and faults, and what has to hold all the same. Resolves with whether it held. */
const campaigns: Record<string, () => Promise<boolean>> = {
  ingest: async () => (await import("./ingest.ts")).chaosIngest(),
};

const [name] = process.argv.slice(2);
const campaign = name === undefined ? undefined : campaigns[name];
if (!campaign) {
  console.error(`npm run chaos -- ${Object.keys(campaigns).join(" | ")}`);
  process.exitCode = 2;
} else if (!(await campaign())) {
  console.error("A guarantee did not hold.");
  process.exitCode = 1;
}
