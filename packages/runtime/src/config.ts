import { z } from "zod";

/** `""` and blanks count as unset: hosting panels cannot always delete a variable. */
type Environment = Record<string, string | undefined>;

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** Parses the environment once, at the start of a process; the error lists every problem, not the first. */
export function parseConfig<Schema extends z.ZodType>(schema: Schema, environment: Environment): z.output<Schema> {
  const set = Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) => (value?.trim() ? [[name, value.trim()]] : [])),
  );
  const parsed = schema.safeParse(set);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "environment");
    const missing = !(name in set);
    return `  ${name}: ${missing ? "missing. " : ""}${issue.message}`;
  });
  throw new ConfigError(
    `The configuration is not usable:\n${problems.join("\n")}\nSee .env.example for every variable.`,
  );
}

const environments = ["development", "test", "production"] as const;

const level = z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]);

/** Every process reads these. */
export const processConfig = z.object({
  ENVIRONMENT: z
    .preprocess((text) => (typeof text === "string" ? text.toLowerCase() : text), z.enum(environments))
    .default("development")
    .describe("development, test or production; production refuses embedded services and local alert targets"),
  LOG_LEVEL: z
    .preprocess((text) => (typeof text === "string" ? text.toLowerCase() : text), level)
    .default("info")
    .describe("trace, debug, info, warn, error, fatal or silent"),
  DRAIN_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(600)
    .default(50)
    .describe("Seconds a process may take to finish after SIGTERM before it ends itself"),
});
