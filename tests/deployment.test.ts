import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";

type Service = {
  image?: string;
  command?: string | string[];
  mem_limit?: string;
  healthcheck?: object;
  depends_on?: string[] | Record<string, object>;
  environment?: Record<string, string>;
  volumes?: string[];
};

const compose = parse(readFileSync("docker-compose.yml", "utf8"), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const entries = Object.entries(compose.services);
const procfile = Object.fromEntries(
  readFileSync("Procfile", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(/:\s*(.*)/).slice(0, 2) as [string, string]),
);

test("the compose file starts Redis, PostgreSQL, PostgREST and the three services within 1 GB", () => {
  expect(Object.keys(compose.services)).toEqual(
    expect.arrayContaining(["redis", "postgres", "postgrest", "web", "worker", "beat"]),
  );
  const megabytes = entries.map(([name, service]) => {
    expect(service.mem_limit, name).toMatch(/^\d+m$/);
    return Number.parseInt(service.mem_limit!, 10);
  });
  expect(megabytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(1_000);
});

test("every service of the compose file that answers has a health check, in the file or in the image", () => {
  const dockerfile = readFileSync("Dockerfile", "utf8");
  expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  expect(dockerfile).toMatch(/^USER node$/m);
  for (const [name, service] of entries) {
    const isOurs = service.image === "cidadao-ai";
    // PostgREST's image holds nothing that could ask; the gateway before it asks through it.
    expect(isOurs || name === "postgrest" || service.healthcheck !== undefined, name).toBe(true);
  }
});

test("what depends on a service names one that exists, and mounted files exist", () => {
  for (const [name, service] of entries) {
    const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
    for (const other of needed) expect(compose.services[other], `${name} → ${other}`).toBeDefined();
    for (const volume of service.volumes ?? []) {
      const source = volume.split(":")[0]!;
      expect(source.startsWith("./") ? existsSync(source) : source in compose.volumes, `${name}: ${source}`).toBe(true);
    }
  }
});

test("Redis of the compose file keeps an append-only file and evicts nothing", () => {
  const command = String(compose.services["redis"]!.command);
  expect(command).toContain("--appendonly yes");
  expect(command).toContain("--maxmemory-policy noeviction");
});

test("web, worker and beat are the same commands in the Procfile and the compose file, and their files exist", () => {
  expect(Object.keys(procfile)).toEqual(["web", "worker", "beat"]);
  for (const [name, command] of Object.entries(procfile)) {
    expect(compose.services[name]!.command, name).toEqual(command.split(" "));
    expect(existsSync(command.split(" ").at(-1)!), command).toBe(true);
  }
});

test("Railway drains for as long as a process may take, and always restarts", () => {
  const railway = JSON.parse(readFileSync("railway.json", "utf8")) as { deploy: Record<string, unknown> };
  expect(railway.deploy).toMatchObject({ restartPolicyType: "ALWAYS", drainingSeconds: 60, overlapSeconds: 0 });
});
