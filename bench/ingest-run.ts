import { openStore } from "@cidadao/database/store";
import { importFiles } from "@cidadao/operations/import-files";

/* One import in a process of its own: `node ingest-run.ts FILE…`, with the database in the environment. Prints JSON. */

const paths = process.argv.slice(2);
const store = openStore({
  SUPABASE_URL: process.env["SUPABASE_URL"]!,
  SUPABASE_SERVICE_ROLE_KEY: process.env["SUPABASE_SERVICE_ROLE_KEY"]!,
});
const startedMs = performance.now();
const { inserted, updated } = await importFiles({ store }, { paths }, new AbortController().signal);
const seconds = (performance.now() - startedMs) / 1000;
const peakBytes = process.resourceUsage().maxRSS * 1024;
process.stdout.write(JSON.stringify({ seconds, inserted, updated, peakBytes }));
