import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Behaviour } from "@cidadao/testing/model-provider/behaviour";
import { type ModelProvider, startModelProvider } from "@cidadao/testing/model-provider/start-model-provider";
import { openSystem, type System } from "./support/system.ts";

const GROQ_KEY = "gsk_0123456789abcdefghijABCDEFGHIJ";
const OPENAI_KEY = "sk-proj-0123456789abcdefghijABCDEFGHIJ";
const GROQ = "groq/openai/gpt-oss-120b";
const OPENAI = "openai/gpt-5.4-mini";
/** Its findings are more than the five that are explained. */
const scope = { agencyCodes: ["52000", "26408", "26278", "30911"], from: "2024-01-01", to: "2024-01-31" };
const EXPLAINED = 5;

type Written = { source: string; model: string | null };

let provider: ModelProvider;
let system: System;

beforeAll(async () => {
  provider = await startModelProvider();
  system = await openSystem({
    queue: "postgres",
    environment: {
      ALERT_WEBHOOKS: "",
      GROQ_BASE_URL: provider.url,
      OPENAI_BASE_URL: `${provider.url}/v1`,
    },
  });
  system.start("api");
  await system.untilReady();
});
afterAll(async () => {
  await system[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

/** One investigation by a worker of its own: what a vendor did before is remembered by a worker, not by the next. */
async function explainedWith(changed: Record<string, string>): Promise<Written[]> {
  const worker = system.start("worker", changed);
  const { id } = (await (await system.post({ scope })).json()) as { id: string };
  await system.untilFinal([id]);
  await worker.stop(15_000);
  const [investigation] = await system.data.sql("select status, outcome from investigations where id = $1", [id]);
  expect(investigation, system.logs().slice(-3_000)).toMatchObject({ status: "completed" });
  return system.data.sql<Written>(
    `select explanation_source as source, explanation_model as model from anomalies
      where investigation_id = $1 and explanation is not null order by rank`,
    [id],
  );
}

const all = (written: Written): Written[] => Array.from({ length: EXPLAINED }, () => written);
const byTemplate = all({ source: "template", model: null });

describe("the gravest findings", () => {
  test("are explained by the model, by name, when its answers stand", async () => {
    provider.behave({});
    expect(await explainedWith({ GROQ_API_KEY: GROQ_KEY })).toEqual(all({ source: "model", model: GROQ }));
  });

  test("are explained by the second vendor when only the first misbehaves", async () => {
    provider.behave({ groq: [{ kind: "status", status: 429, retryAfter: "3600" }] });
    const keys = { GROQ_API_KEY: GROQ_KEY, OPENAI_API_KEY: OPENAI_KEY };
    expect(await explainedWith(keys)).toEqual(all({ source: "model", model: OPENAI }));
  });

  const bad: Behaviour[] = [
    { kind: "stall_before_headers" },
    { kind: "stall_in_body" },
    { kind: "drip" },
    { kind: "status", status: 429, retryAfter: "3600" },
    { kind: "status", status: 500 },
    { kind: "status", status: 498 },
    { kind: "reset" },
    { kind: "truncated_json" },
    { kind: "html" },
    { kind: "empty_body" },
    { kind: "silent" },
    { kind: "refusal" },
    { kind: "made_up_numbers" },
    { kind: "links" },
    { kind: "obeys_attacker" },
  ];

  test.each(bad.map((behaviour) => [JSON.stringify(behaviour), behaviour] as const))(
    "are explained by templates, and the investigation completes, when every vendor answers with %s",
    async (_name, behaviour) => {
      provider.behave({ groq: [behaviour], openai: [behaviour] });
      const asked = provider.calls.length;
      const keys = { GROQ_API_KEY: GROQ_KEY, OPENAI_API_KEY: OPENAI_KEY };
      const isSlow = behaviour.kind.startsWith("stall") || behaviour.kind === "drip";
      const patience: Record<string, string> = isSlow ? { MODEL_TIMEOUT_SECONDS: "0.2" } : {};
      expect(await explainedWith({ ...keys, ...patience })).toEqual(byTemplate);
      const vendors = new Set(provider.calls.slice(asked).map((call) => call.vendor));
      expect(vendors.has("groq")).toBe(true);
    },
  );

  test("are explained without any key ever reaching the logs or the database", async () => {
    const problems = system.logs();
    expect(problems).toContain("a model failed");
    const explained = JSON.stringify(await system.data.sql("select explanation from anomalies"));
    for (const key of [GROQ_KEY, OPENAI_KEY, "0123456789abcdefghij"]) {
      expect(problems).not.toContain(key);
      expect(explained).not.toContain(key);
    }
  });
});
