// Runs on whatever Node the machine has (18 or newer): installs the locked packages once,
// Node 24 among them, and again whenever the lock file changes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const installed = `${root}node_modules/.package-lock.json`;
const stamp = `${root}node_modules/.installed-lock`;
const lock = createHash("sha256")
  .update(readFileSync(`${root}package-lock.json`))
  .digest("hex");

if (!existsSync(installed) || !existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
  console.log("Installing packages …");
  const { status, error } = spawnSync(
    "npm",
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (status !== 0) {
    console.error(
      `npm install failed${error ? `: ${error.message}` : ` with exit code ${status}`}. Check the network and run the command again.`,
    );
    process.exit(1);
  }
  writeFileSync(stamp, lock);
}
