import { execFile } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import pg from "pg";
import { writeComprasFiles } from "./compras-files.ts";
import { openBenchStack, type BenchStack } from "./stack.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const SIZES = [10_000, 100_000, 1_000_000];
const MEASURED = 100_000;
const ROUNDS = 3;
const ROWS_PER_SECOND_MIN = 20_000;
/** Most that the importer's memory may grow from the smallest to the largest file. */
const PEAK_GROWTH_MAX = 1.5;
/** In the order in which they may be filled. */
const TABLES = ["agencies", "suppliers", "contracts", "contract_items", "amendments"];

/** Garbage is collected early instead of filling what memory there is, or the smallest import would look the leanest. */
const HEAP_FLAGS = ["--max-semi-space-size=4", "--max-old-space-size=160"];

type Import = { seconds: number; inserted: number; updated: number; peakBytes: number };

/** The Portal's bulk CSV into PostgreSQL through PostgREST, against a bare COPY of the same rows into the same tables. */
export async function benchIngest(): Promise<boolean> {
  await using bench = await openBenchStack();
  const client = new pg.Client({ connectionString: bench.stack.databaseUrl });
  client.on("error", () => {}); // the server goes away before the bench does
  await client.connect();
  const peaks = new Map<number, number>();
  const rates: number[] = [];
  const ratios: number[] = [];
  console.log("The files of January 2024, renumbered; importer in a process of its own.\n");
  for (const size of SIZES) {
    const folder = path.join(bench.folder, `files-${size}`);
    mkdirSync(folder);
    const files = await writeComprasFiles(folder, size);
    for (let round = 0; round < (size === MEASURED ? ROUNDS : 1); round++) {
      await client.query(`truncate ${TABLES.join(", ")} cascade`);
      const first = await runImport(bench, files.paths);
      const copySeconds = await copyAgain(client, bench.folder);
      const rows = first.inserted + first.updated;
      const rate = rows / first.seconds;
      console.log(
        `${String(files.rows).padStart(9)} rows of CSV: ${rows} rows written in ${first.seconds.toFixed(1)} s, ` +
          `${Math.round(rate).toLocaleString("en")} rows/s; bare COPY ${Math.round(rows / copySeconds).toLocaleString("en")} rows/s ` +
          `(${(first.seconds / copySeconds).toFixed(1)} times as long); importer's peak ${(first.peakBytes / 1e6).toFixed(0)} MB`,
      );
      peaks.set(size, first.peakBytes);
      if (size !== MEASURED) continue;
      rates.push(rate);
      ratios.push(first.seconds / copySeconds);
    }
    if (size === MEASURED) {
      const again = await runImport(bench, files.paths);
      console.log(
        `          the same files again: ${again.inserted + again.updated} rows written, ${again.seconds.toFixed(1)} s`,
      );
      if (again.inserted + again.updated !== 0) return false;
    }
    rmSync(folder, { recursive: true });
  }
  await client.end();
  const rate = median(rates);
  const growth = peaks.get(SIZES.at(-1)!)! / peaks.get(SIZES[0]!)!;
  console.log(
    `\nmedian at ${MEASURED.toLocaleString("en")} rows: ${Math.round(rate).toLocaleString("en")} rows/s (at least ${ROWS_PER_SECOND_MIN.toLocaleString("en")}), ${median(ratios).toFixed(1)} times as long as COPY`,
  );
  console.log(`importer's memory at 1 M ÷ at 10 k rows: ${growth.toFixed(2)} (at most ${PEAK_GROWTH_MAX})`);
  return rate >= ROWS_PER_SECOND_MIN && growth <= PEAK_GROWTH_MAX;
}

async function runImport({ environment }: BenchStack, paths: string[]): Promise<Import> {
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP_FLAGS, "bench/ingest-run.ts", ...paths], {
    cwd: root,
    env: environment,
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Import;
}

/** Empties the tables and fills them again from files that the server itself wrote and reads. */
async function copyAgain(client: pg.Client, folder: string): Promise<number> {
  const fileOf = (table: string) => path.join(folder, "postgres", `${table}.copy`);
  for (const table of TABLES) await client.query(`copy ${table} to '${fileOf(table)}'`);
  await client.query(`truncate ${TABLES.join(", ")} cascade`);
  const startedMs = performance.now();
  for (const table of TABLES) await client.query(`copy ${table} from '${fileOf(table)}'`);
  const seconds = (performance.now() - startedMs) / 1000;
  for (const table of TABLES) rmSync(fileOf(table));
  return seconds;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}
