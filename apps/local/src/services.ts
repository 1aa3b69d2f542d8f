import { closeSync, mkdirSync, openSync } from "node:fs";
import path from "node:path";
import { serviceNames, type ServiceName, type ServiceProcess, startService } from "@cidadao/testing/service-process";

const RESTART_DELAY_MS = 1_000;
const STOP_TIMEOUT_MS = 12_000;

/** Runs the services with a log file each. One that ends by itself is reported and started again. */
export function startServices(options: {
  environment: Record<ServiceName, Record<string, string>>;
  logFolder: string;
  onExit: (name: ServiceName, code: number | null, log: string) => void;
}): AsyncDisposable {
  mkdirSync(options.logFolder, { recursive: true });
  const running = new Map<ServiceName, ServiceProcess>();
  let stopping = false;
  const start = (name: ServiceName, flags: "w" | "a") => {
    const log = path.join(options.logFolder, `${name}.log`);
    const output = openSync(log, flags);
    const service = startService({ name, environment: options.environment[name], output });
    closeSync(output);
    running.set(name, service);
    void service.exited.then((code) => {
      if (stopping) return;
      options.onExit(name, code, log);
      setTimeout(() => {
        if (!stopping) start(name, "a");
      }, RESTART_DELAY_MS);
    });
  };
  for (const name of serviceNames) start(name, "w");
  return {
    [Symbol.asyncDispose]: async () => {
      stopping = true;
      await Promise.all([...running.values()].map((service) => service.stop(STOP_TIMEOUT_MS)));
    },
  };
}
