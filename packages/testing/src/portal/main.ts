import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startPortal } from "./start-portal.ts";

const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    "api-key": { type: "string", default: "sample" },
    data: { type: "string", default: fileURLToPath(new URL("../../../../data", import.meta.url)) },
  },
});

const portal = await startPortal({
  port: Number(values.port),
  apiKey: values["api-key"],
  dataFolder: values.data,
});
/** One line on stdout is the sign that it listens. */
process.stdout.write(`${JSON.stringify({ url: portal.url })}\n`);
for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => void portal.stop());
