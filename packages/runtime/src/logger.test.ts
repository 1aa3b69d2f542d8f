import { expect, test } from "vitest";
import { createLogger, scrub } from "./logger.ts";

test("no CPF, token, key, webhook secret or e-mail reaches a log line, in whatever field it came", () => {
  const lines: string[] = [];
  const logger = createLogger({ process: "test", level: "info", write: (line) => void lines.push(line) });
  logger.child({ supplier: "529.982.247-25" }).error(
    {
      error: "POST https://discord.com/api/webhooks/123456/s3cret-Token_x failed",
      headers: { authorization: "Bearer abc.def-ghi", nested: { key: "gsk_0123456789abcdefghij" } },
      jwt: "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl",
    },
    "maria.silva@example.org disse que 52998224725 não paga",
  );
  const text = lines.join("");
  for (const secret of [
    "529.982.247-25",
    "52998224725",
    "s3cret-Token_x",
    "abc.def-ghi",
    "gsk_0123456789",
    "c2lnbmF0dXJl",
    "maria.silva@",
  ]) {
    expect(text).not.toContain(secret);
  }
  expect(JSON.parse(text)).toMatchObject({ level: "error", process: "test", supplier: "***.982.247-**" });
});

test("what is no secret stays as it is", () => {
  const line = '{"cnpj":"15.195.707/0001-78","contract":"000342023","pid":12345678901,"ms":52998224726}';
  expect(scrub(line)).toBe(line);
});
