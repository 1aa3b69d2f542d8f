import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = import.meta.dirname;

/**
 * Who may import whom; what is absent is closed. "name/file" opens one file only. Tests may import anything: they are
 * not shipped.
 */
const doors: Record<string, string[]> = {
  "packages/domain": [],
  "packages/runtime": ["domain"],
  "packages/detectors": ["domain"],
  "packages/llm": ["domain", "runtime"],
  "packages/agents": ["domain", "llm", "runtime"],
  "packages/sources": ["domain", "runtime"],
  "packages/channels": ["domain", "runtime"],
  "packages/database": ["domain", "runtime"],
  "packages/queue": ["domain", "runtime"],
  "packages/operations": [
    "domain",
    "runtime",
    "detectors",
    "agents",
    "llm",
    "sources",
    "channels",
    "database",
    "queue",
  ],
  "packages/embedded": ["runtime"],
  "packages/testing": ["domain"],
  "apps/api": ["operations", "database", "queue", "domain", "runtime", "detectors/registry", "agents/registry"],
  "apps/worker": [
    "operations",
    "database",
    "queue",
    "llm",
    "sources",
    "channels",
    "detectors",
    "agents",
    "domain",
    "runtime",
  ],
  // Told of by nobody else: when no worker is there, the scheduler alerts.
  "apps/scheduler": [
    "queue",
    "database",
    "domain",
    "runtime",
    "operations/watch-workers",
    "channels/config",
    "channels/open-targets",
  ],
  "apps/cli": ["operations", "database", "queue", "detectors", "sources", "domain", "runtime"],
  "apps/local": ["embedded", "testing", "runtime", "domain"],
};

/** The rooms, or the one file, that know a foreign package. One without an owner fails. */
const owners: Record<string, string[]> = {
  zod: Object.keys(doors),
  fastify: ["apps/api"],
  "@fastify/cors": ["apps/api"],
  "@bull-board/api": ["apps/api"],
  "@bull-board/fastify": ["apps/api"],
  "@fastify/helmet": ["apps/api"],
  "@fastify/swagger": ["apps/api"],
  "@fastify/swagger-ui": ["apps/api"],
  "fastify-type-provider-zod": ["apps/api"],
  bullmq: ["packages/queue"],
  ioredis: ["packages/queue", "packages/runtime"],
  "@supabase/supabase-js": ["packages/database"],
  openai: ["packages/llm"],
  "groq-sdk": ["packages/llm"],
  nodemailer: ["packages/channels"],
  undici: ["packages/runtime/src/http-client.ts"],
  pino: ["packages/runtime"],
  "prom-client": ["packages/runtime"],
  "rate-limiter-flexible": ["packages/runtime"],
  pg: ["packages/queue", "packages/embedded"],
  cockatiel: ["packages/sources/src/outbound.ts"],
  piscina: ["apps/worker"],
  "cron-parser": ["packages/queue"],
  "cli-table3": ["apps/cli", "apps/local"],
  "csv-parse": ["packages/sources/src/files", "packages/testing"],
  yauzl: ["packages/sources/src/files/zip.ts"],
  yazl: ["packages/testing"],
  ini: ["packages/detectors/src/indicators/settings.ts"],
};

const LINES_MAX = 500;

type SourceFile = { file: string; room: string; text: string; imports: string[] };

const rooms = ["apps", "packages"].flatMap((folder) => foldersIn(folder).map((name) => `${folder}/${name}`));
const sources = rooms.flatMap((room) =>
  filesBelow(`${room}/src`)
    .filter((file) => file.endsWith(".ts"))
    .map((file) => readSource(room, file)),
);
const shipped = sources.filter(({ file }) => !file.endsWith(".test.ts"));

describe("the doors", () => {
  test("every room has an entry in the table, and every entry a room", () => {
    expect(Object.keys(doors).toSorted()).toEqual(rooms.toSorted());
  });

  test("no file imports a room that its own may not see", () => {
    const closed = shipped.flatMap(({ file, room, imports }) =>
      imports.filter((name) => isOurs(name) && !isOpen(room, name)).map((name) => `${file} imports ${name}`),
    );
    expect(closed).toEqual([]);
  });

  test("no file reaches into another room by a relative path", () => {
    const escapes = sources.flatMap(({ file, room, imports }) =>
      imports
        .filter((name) => name.startsWith("."))
        .filter((name) => !path.join(path.dirname(file), name).startsWith(`${room}/src/`))
        .map((name) => `${file} imports ${name}`),
    );
    expect(escapes).toEqual([]);
  });

  test.each(rooms)("%s declares exactly what it imports", (room) => {
    const manifest = JSON.parse(readFileSync(path.join(root, room, "package.json"), "utf8")) as {
      dependencies?: Record<string, string>;
      optionalDependencies?: Record<string, string>;
    };
    const imported = shipped
      .filter((source) => source.room === room)
      .flatMap(({ imports }) => imports.filter((name) => !name.startsWith(".") && !name.startsWith("node:")))
      .map(packageOf)
      .filter((name) => name !== `@cidadao/${path.basename(room)}`);
    expect(Object.keys(manifest.dependencies ?? {}).toSorted()).toEqual([...new Set(imported)].toSorted());
    expect(Object.keys(manifest)).not.toContain("devDependencies");
  });

  test("every file is imported by its path", () => {
    const odd = sources.flatMap(({ file, imports }) =>
      imports.filter((name) => name.startsWith(".") && !name.endsWith(".ts")).map((name) => `${file} imports ${name}`),
    );
    expect(odd).toEqual([]);
  });
});

describe("the foreign systems", () => {
  test("each is known to its owner alone", () => {
    const strangers = shipped.flatMap(({ file, imports }) =>
      imports
        .filter((name) => !name.startsWith(".") && !name.startsWith("node:") && !isOurs(name))
        .filter(
          (name) => !(owners[packageOf(name)] ?? []).some((owner) => file === owner || file.startsWith(`${owner}/`)),
        )
        .map((name) => `${file} imports ${name}`),
    );
    expect(strangers).toEqual([]);
  });

  test("nobody calls the global fetch: it has no limits of its own", () => {
    expect(filesWith(/(?<![\w.])fetch\(|globalThis\.fetch/)).toEqual([]);
  });

  test("the environment is read in main.ts only", () => {
    const readers = filesWith(/process\.env\b|process\["env"\]|env\b.*from "node:process"/);
    expect(readers.filter((file) => !/^apps\/[^/]+\/src\/main\.ts$/.test(file))).toEqual([]);
  });
});

describe("the pure rooms", () => {
  const pure = shipped.filter(({ room }) => room === "packages/domain" || room === "packages/detectors");

  test("do no input or output", () => {
    const impure = pure.flatMap(({ file, imports }) =>
      imports.filter((name) => name.startsWith("node:") && name !== "node:crypto").map((name) => `${file}: ${name}`),
    );
    expect(impure).toEqual([]);
  });

  test("read no clock, no chance and no process", () => {
    const impure =
      /Date\.now|new Date\(\)|performance\.|Math\.random|random(?:UUID|Bytes|Int)|getRandomValues|\bconsole\./;
    // A contracting process may be called so; what Node calls so is known by its members.
    const ofNode =
      /globalThis\.process|\bprocess\.(?:argv|chdir|cpuUsage|cwd|emit|env|exit|hrtime|kill|memoryUsage|nextTick|once?|pid|platform|std|uptime|version)/;
    expect(pure.filter(({ text }) => impure.test(text) || ofNode.test(text)).map(({ file }) => file)).toEqual([]);
  });
});

describe("the lists", () => {
  const lists = [
    { folder: "packages/detectors/src", define: "defineDetector" },
    { folder: "packages/detectors/src/indicators", define: "defineIndicator" },
    { folder: "packages/sources/src", define: "defineSource" },
    { folder: "packages/agents/src", define: "defineAgent" },
  ];
  const members = (folder: string, define: string) => {
    const call = new RegExp(`(?<!function )\\b${define}\\s*[<(]`);
    return shipped.filter(({ file, text }) => file.startsWith(`${folder}/`) && call.test(text)).map(({ file }) => file);
  };
  test.each(lists)("$folder/registry.ts names every file that calls $define", ({ folder, define }) => {
    const registry = shipped.find(({ file }) => file === `${folder}/registry.ts`);
    const listed = new Set((registry?.imports ?? []).map((name) => path.join(folder, name)));
    expect(members(folder, define)).not.toEqual([]);
    expect(members(folder, define).filter((file) => !listed.has(file))).toEqual([]);
  });
});

describe("the text", () => {
  const written = filesBelow(".").filter((file) => !file.startsWith("data/"));

  test(`is in files of at most ${LINES_MAX} lines`, () => {
    const code = written.filter((file) => /\.(?:ts|mjs|js)$/.test(file));
    const long = code.map((file) => ({ file, lines: readText(file).split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
  });

  test("names no package registry: which one is used belongs to the machine, not to the project", () => {
    const host = new RegExp(["\\bregistry", "(?:npmjs|yarnpkg|npmmirror)", "(?:org|com)\\b"].join("\\."), "i");
    const text = written.filter((file) => !/\.(?:png|jpg|gif|ico|woff2?|gz|zip|pdf)$/.test(file));
    expect(text.filter((file) => host.test(readText(file)))).toEqual([]);
  });
});

function readSource(room: string, file: string): SourceFile {
  const text = readText(file);
  const statements = /(?:^|[\s;}])(?:from|import)\s*\(?\s*"([^"\n]+)"/g;
  return { file, room, text, imports: [...text.matchAll(statements)].map(([, name]) => name!) };
}

function readText(file: string): string {
  return readFileSync(path.join(root, file), "utf8");
}

function isOurs(name: string): boolean {
  return name.startsWith("@cidadao/");
}

function isOpen(room: string, name: string): boolean {
  const target = name.slice("@cidadao/".length);
  const [neighbour] = target.split("/");
  return neighbour === path.basename(room) || doors[room]!.some((door) => door === neighbour || door === target);
}

function packageOf(name: string): string {
  return name.split("/", name.startsWith("@") ? 2 : 1).join("/");
}

function filesWith(pattern: RegExp): string[] {
  return shipped.filter(({ text }) => pattern.test(text)).map(({ file }) => file);
}

function foldersIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

/** Files below a folder of the repository, leaving out what is installed, generated or kept by tools. */
function filesBelow(folder: string): string[] {
  if (!existsSync(path.join(root, folder))) return [];
  const left = new Set(["node_modules", ".git", ".data", ".turbo", "coverage"]);
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (left.has(entry.name)) return [];
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(file);
    return entry.isFile() ? [file] : [];
  });
}
