import { parseConfig } from "@cidadao/runtime/config";
import { stopOnConfigError } from "@cidadao/runtime/lifecycle";
import { localConfig } from "./config.ts";
import { runLocal } from "./run-local.ts";

try {
  const config = parseConfig(localConfig, process.env);
  process.exitCode = await runLocal(config, process.env, process.argv.includes("--once"));
} catch (error) {
  stopOnConfigError(error);
}
