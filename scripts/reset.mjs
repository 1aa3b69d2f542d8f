// Forgets everything the embedded services have stored.
import { existsSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const folder = path.resolve(fileURLToPath(new URL("..", import.meta.url)), process.env.DATA_FOLDER ?? ".data");
if (existsSync(path.join(folder, "postgres", "postmaster.pid"))) {
  console.error(
    `Something still runs on ${folder}. Stop it first; if nothing does, delete ${folder}/postgres/postmaster.pid.`,
  );
  process.exit(1);
}
rmSync(folder, { recursive: true, force: true });
console.log(`Deleted ${folder}.`);
