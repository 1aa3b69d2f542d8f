/**
 * Starts the embedded services on the folder of its first argument, says on one line of JSON where they are, and holds
 * them until SIGTERM. A process of its own, so that a test may kill it.
 */
import { once } from "node:events";
import { startEmbedded } from "@cidadao/embedded/start-embedded";
import { migrationsFolder } from "./folders.ts";

const ended = once(process, "SIGTERM");
const alive = setInterval(() => {}, 60_000);
{
  await using stack = await startEmbedded({
    folder: process.argv[2]!,
    migrationsFolder,
    redisUrl: undefined,
    searchPath: process.env["PATH"] ?? "",
  });
  process.stdout.write(`${JSON.stringify(stack)}\n`);
  await ended;
}
clearInterval(alive);
