import { benchApi } from "./api.ts";
import { benchDetectors } from "./detectors.ts";
import { benchIngest } from "./ingest.ts";
import { benchMemory } from "./memory.ts";
import { benchPriorities } from "./priorities.ts";

const benches: Record<string, () => Promise<boolean>> = {
  api: benchApi,
  detectors: benchDetectors,
  ingest: benchIngest,
  memory: benchMemory,
  priorities: benchPriorities,
};

const [name] = process.argv.slice(2);
const bench = name === undefined ? undefined : benches[name];
if (!bench) {
  console.error(`npm run bench -- ${Object.keys(benches).join(" | ")}`);
  process.exitCode = 2;
} else if (!(await bench())) {
  console.error("A figure is outside its bound.");
  process.exitCode = 1;
}
