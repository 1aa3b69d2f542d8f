import { afterEach, beforeEach, expect, test } from "vitest";
import { startModelProvider } from "./start-model-provider.ts";

let provider: Awaited<ReturnType<typeof startModelProvider>>;
beforeEach(async () => {
  provider = await startModelProvider();
});
afterEach(() => provider.stop());

const evidence = { constatacao: "O valor foi de R$ 5,00", casos_testados: 9, casos_sinalizados: 1 };
const ask = (path: string) =>
  fetch(provider.url + path, {
    method: "POST",
    headers: { authorization: "Bearer k" },
    body: JSON.stringify({
      model: "m",
      messages: [{ role: "user", content: JSON.stringify({ evidencia: evidence }) }],
    }),
  });

test("answers at the addresses of both vendors, from the evidence in the prompt", async () => {
  for (const path of ["/openai/v1/chat/completions", "/v1/chat/completions"]) {
    const answer = (await (await ask(path)).json()) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]!.message.content).toContain("O valor foi de R$ 5,00");
  }
  expect(provider.calls.map(({ vendor, model }) => [vendor, model])).toEqual([
    ["groq", "m"],
    ["openai", "m"],
  ]);
  expect((await ask("/v1/models")).status).toBe(404);
});

test("keeps to its plan: one behaviour a call, the last one for ever, the other vendor truthful", async () => {
  provider.behave({ groq: [{ kind: "status", status: 503, retryAfter: "7" }, { kind: "html" }] });
  const first = await ask("/openai/v1/chat/completions");
  expect([first.status, first.headers.get("retry-after")]).toEqual([503, "7"]);
  for (let call = 0; call < 2; call++) {
    expect(await (await ask("/openai/v1/chat/completions")).text()).toContain("<!doctype html>");
  }
  expect((await ask("/v1/chat/completions")).status).toBe(200);
});
