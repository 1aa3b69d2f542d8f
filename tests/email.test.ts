import { renderEmail, sendEmail } from "@cidadao/channels/email";
import type { AlertMessage } from "@cidadao/domain/alert";
import { freePort } from "@cidadao/embedded/bound-process";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type MailFault, type MailSink, startMailSink } from "./support/mail-sink.ts";
import { noLimit } from "./support/records.ts";

const message: AlertMessage = {
  ids: ["0199a0a0-0000-7000-8000-000000000001"],
  title: "Alerta de anomalia: 12 indícios novos",
  severity: "critical",
  summary: "Os mais graves somam R$ 10.000,00.",
  notes: ["2 alertas sem confirmação de entrega"],
  findings: [
    {
      title: "Preço <b>acima</b> dos pares",
      severity: "critical",
      reason: 'Doze vezes a mediana. <script>alert("x")</script> CPF 529.982.247-25',
      agencyName: "Órgão & Cia",
      supplierName: "Fornecedora\r\nBcc: todos@evil.example",
      amountAtRiskCents: 1_000_000,
      url: "https://portaldatransparencia.gov.br/contratos/1?a=1&b=2",
    },
  ],
  findingsTotal: 12,
  investigationUrl: "https://api.example/api/v1/investigations/1/report",
  sample: "Amostra de janeiro de 2024",
};

let sink: MailSink;
beforeEach(async () => {
  sink = await startMailSink();
});
afterEach(async () => {
  await sink[Symbol.asyncDispose]();
});
const from = "Cidadão.AI <alertas@cidadao.example>";
const send = (url = sink.url) => sendEmail({ url, from }, { to: "alguem@orgao.example", message }, noLimit);

test("an alert arrives as text and as HTML, and says the same in both", async () => {
  expect(await send()).toEqual({ kind: "sent", externalId: expect.stringContaining("0199a0a0") });
  const [mail] = sink.accepted;
  expect(mail!.subject).toBe("[CRÍTICA] Alerta de anomalia: 12 indícios novos");
  expect(mail!.headers.get("auto-submitted")).toBe("auto-generated");
  const shown = [mail!.text!, String(mail!.html).replaceAll("&amp;", "&")];
  for (const body of shown) {
    expect(body).toContain("R$ 10.000,00");
    expect(body).toContain("Órgão & Cia");
    expect(body).toContain("2 alertas sem confirmação de entrega");
    expect(body).toContain("Amostra de janeiro de 2024");
    expect(body).toContain("E mais 11 indícios.");
    expect(body).toContain("https://portaldatransparencia.gov.br/contratos/1?a=1&b=2");
    expect(body).toContain("https://api.example/api/v1/investigations/1/report");
  }
});

test("a stranger's text is no markup, no header and no CPF", async () => {
  await send();
  const [mail] = sink.accepted;
  expect(String(mail!.html)).not.toMatch(/<script|<b>/);
  expect(String(mail!.html)).toContain("&lt;script&gt;");
  expect(mail!.headers.has("bcc")).toBe(false);
  expect(`${mail!.text}${String(mail!.html)}`).not.toContain("529.982.247-25");
  const { subject } = renderEmail({ ...message, title: "x\r\nBcc: todos@evil.example" });
  expect(subject).not.toMatch(/[\r\n]/);
});

describe("when the server answers", () => {
  const cases: [string, MailFault, string, number][] = [
    ["450 for the message", { reply: 450 }, "retry", 0],
    ["421 for the recipient", { recipient: 421 }, "retry", 0],
    ["550 for the recipient", { recipient: 550 }, "failed", 0],
    ["554 for the message", { reply: 554 }, "failed", 0],
    ["nothing, and cuts the line after the message", { cut: "after" }, "unknown", 1],
    ["nothing, and cuts the line before it took the message", { cut: "before" }, "unknown", 0],
  ];
  test.each(cases)("%s", async (_, fault, kind, arrived) => {
    sink.setFaults([fault]);
    expect(await send()).toMatchObject({ kind, problem: expect.any(String) });
    expect(sink.accepted).toHaveLength(arrived);
  });

  test("nothing at all because it is away, the alert is tried again", async () => {
    expect(await send(`smtp://127.0.0.1:${await freePort()}`)).toMatchObject({ kind: "retry" });
  });
});
