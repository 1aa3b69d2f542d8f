import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createGunzip, gunzipSync } from "node:zlib";
import { detectors } from "@cidadao/detectors/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cidadao, type Run } from "./support/cidadao.ts";

const root = path.resolve(import.meta.dirname, "..");
const PORTAL = "data/portal-compras-202401";
const portalFiles = ["Compras", "ItemCompra", "TermoAditivo"].map((name) => `${PORTAL}/202401_${name}.csv.gz`);
const [comprasFile] = portalFiles as [string];
const CEIS = "data/sancoes/ceis-2020-companies.csv.gz";
const CNEP = "data/sancoes/cnep-recorded.json";
const FIXTURES = "packages/detectors/src/indicators/fixtures";
const fixtures = readdirSync(path.join(root, FIXTURES)).flatMap((name) => /^(.+)\.jsonl$/.exec(name)?.[1] ?? []);
const CPF = "111.444.777-35";
const MASKED = "***.444.777-**";
/** The publisher's own example of a CNPJ with letters. */
const CNPJ = "12.ABC.345/01DE-35";
const STACK = /^\s+at /m;

type Reasons = { reason: string; count: number }[];
type Report = { detector: string; fired: number; notFired: number; notComputable: Reasons; excluded: Reasons };
type Complaint = { kind: string; count: number; example: string; places: { file: string; line: number }[] };
type Found = { detector: string; subject: { kind: string; id: string }; supplierTaxId: string | null };
type Coverage = {
  records: Record<string, number>;
  sanctionListsRead: string[];
  files: { path: string; name: string; format: string | null }[];
  complaints: Complaint[];
  detectors: { detector: string; feeds: string }[];
};
type End = { coverage: Coverage; findings: number; reports: Report[]; risks: unknown[] };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cidadao-analyze-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("analyze, on a month of the Portal", () => {
  let whole: Run;
  beforeAll(async () => {
    whole = await cidadao(["analyze", ...portalFiles, "--json"]);
  });

  test("prints each finding as a line of JSON, and at the end what was covered and answered", () => {
    expect(whole).toMatchObject({ code: 0, stderr: "" });
    const { findings, end } = readJson(whole);
    expect(findings.length).toBeGreaterThan(100);
    for (const finding of findings) {
      expect(finding).toEqual(
        expect.objectContaining({
          detector: expect.any(String),
          version: expect.any(Number),
          subject: { kind: expect.any(String), id: expect.any(String), label: expect.any(String) },
          severity: expect.stringMatching(/^(?:info|low|medium|high|critical)$/),
          score: expect.any(Number),
          amountAtRiskCents: expect.any(Number),
          evidence: expect.objectContaining({ facts: expect.any(Array), records: expect.any(Array) }),
          explanation: expect.stringMatching(/\S/),
        }),
      );
    }
    expect(Object.keys(end)).toEqual(["coverage", "findings", "reports", "risks"]);
    expect(end.findings).toBe(findings.length);
    expect(end.reports.map(({ detector }) => detector)).toEqual(detectors.map(({ id }) => id));
    for (const { detector, fired } of end.reports)
      expect(findings.filter((one) => one.detector === detector)).toHaveLength(fired);
    expect(end.coverage.sanctionListsRead).toEqual([]);
  });

  test.each(["amendment-growth", "price-outlier", "publication-lag", "contract-term"])(
    "%s answers for every contract once",
    (id) => {
      const { end } = readJson(whole);
      const { fired, notFired, notComputable, excluded } = reportOf(end, id);
      const others = [...notComputable, ...excluded].reduce((sum, { count }) => sum + count, 0);
      expect(fired + notFired + others).toBe(end.coverage.records["contracts"]);
    },
  );

  test("answers the same whatever the order of the files", async () => {
    const other = readJson(await cidadao(["analyze", ...portalFiles.toReversed(), "--json"]));
    const { findings, end } = readJson(whole);
    const inOrder = ({ coverage, ...rest }: End) => ({
      ...rest,
      coverage: { ...coverage, files: coverage.files.toSorted((a, b) => (a.path < b.path ? -1 : 1)) },
    });
    expect(other.findings).toEqual(findings);
    expect(inOrder(other.end)).toEqual(inOrder(end));
  });

  test("answers the same from unpacked files", async () => {
    const unpacked = await Promise.all(
      portalFiles.map(async (file) => {
        const { atime, mtime } = await stat(path.join(root, file));
        const target = path.join(folder, path.basename(file, ".gz"));
        await writeFile(target, gunzipSync(readFileSync(path.join(root, file))));
        await utimes(target, atime, mtime);
        return target;
      }),
    );
    const other = readJson(await cidadao(["analyze", ...unpacked, "--json"]));
    const { findings, end } = readJson(whole);
    expect(other.findings.map(withoutTimes)).toEqual(findings.map(withoutTimes));
    expect({ ...other.end, coverage: null }).toEqual({ ...end, coverage: null });
    expect(other.end.coverage.records).toEqual(end.coverage.records);
  });

  test("runs the detectors that are asked for, with the parameters given", async () => {
    const [one, lag] = await Promise.all([
      cidadao(["analyze", ...portalFiles, "--json", "--detectors", "price-outlier,publication-lag"]),
      cidadao(["analyze", ...portalFiles, "--json", "--param", "publication-lag.tenderDays=60"]),
    ]);
    const { findings, end } = readJson(one);
    expect(end.reports).toEqual(["price-outlier", "publication-lag"].map((id) => reportOf(readJson(whole).end, id)));
    expect(new Set(findings.map(({ detector }) => detector))).toEqual(new Set(["publication-lag"]));
    const before = reportOf(readJson(whole).end, "publication-lag").fired;
    expect(reportOf(readJson(lag).end, "publication-lag").fired).toBeLessThan(before);
  });

  test("reads the standard input", async () => {
    const options = { input: path.join(root, comprasFile) };
    const piped = readJson(await cidadao(["analyze", "-", "--format", "portal-compras", "--json"], options));
    const plain = readJson(await cidadao(["analyze", comprasFile, "--json"]));
    expect(piped.end.reports).toEqual(plain.end.reports);
    expect(piped.end.coverage.files).toEqual([{ path: "-", name: "entrada-padrao", format: "portal-compras" }]);
  });

  test("puts what can be computed before the findings, and the complaints at the end", async () => {
    const { code, stdout } = await cidadao(["analyze", ...portalFiles, "--top", "3"]);
    expect(code).toBe(0);
    const headings = [
      "O que estes dados permitem calcular",
      "Os 3 indícios mais graves de",
      "O que cada detector respondeu",
      "Contratos de maior risco composto",
      "O que não fez sentido nos arquivos",
    ].map((text) => stdout.indexOf(text));
    expect(headings).not.toContain(-1);
    expect(headings).toEqual(headings.toSorted((a, b) => a - b));
    expect(stdout.slice(headings.at(-1))).toMatch(/\d+ × duplicate-row: .*202401_Compras\.csv\.gz:\d+/);
  });

  test("names the sanction lists that were read, and which is missing", async () => {
    const [one, both, cut, shown] = await Promise.all([
      cidadao(["analyze", comprasFile, "--json", "--sanctions", CEIS]),
      cidadao(["analyze", comprasFile, "--json", "--sanctions", CEIS, "--sanctions", CNEP]),
      cutShort(CEIS).then((file) => cidadao(["analyze", comprasFile, "--json", "--sanctions", file])),
      cidadao(["coverage", comprasFile, "--sanctions", CEIS]),
    ]);
    const sanctioned = (run: Run) => {
      const { end } = readJson(run);
      const { notFired, notComputable } = reportOf(end, "sanctioned-supplier");
      return {
        lists: end.coverage.sanctionListsRead,
        hasAnswers: notFired > 0,
        reasons: notComputable.map(({ reason }) => reason),
      };
    };
    expect(sanctioned(one)).toEqual({ lists: ["ceis"], hasAnswers: false, reasons: ["lista não lida: CNEP"] });
    expect(sanctioned(both)).toEqual({ lists: ["ceis", "cnep"], hasAnswers: true, reasons: [] });
    expect(sanctioned(cut)).toEqual({ lists: [], hasAnswers: false, reasons: ["lista não lida: CEIS, CNEP"] });
    expect(complaintsOf(readJson(cut).end)).toContain("truncated-gzip");
    expect(shown.stdout).toContain("Listas de sanções lidas por inteiro: CEIS; falta CNEP.");
  });
});

describe("a wrong command line", () => {
  test.concurrent.each([
    { args: ["analyze"], code: 2, says: /name at least one file/ },
    { args: ["coverage"], code: 2, says: /name at least one file/ },
    { args: ["indicators"], code: 2, says: /name a file of OCDS releases/ },
    { args: ["analyze", comprasFile, "--format", "xls"], code: 2, says: /no format xls; there are canonical, / },
    { args: ["analyze", comprasFile, "--detectors", "magic"], code: 2, says: /no detector magic; .* lists them/ },
    { args: ["analyze", comprasFile, "--detectors", ","], code: 2, says: /takes ids, separated by commas/ },
    {
      args: ["analyze", comprasFile, "--param", "publication-lag.days=3"],
      code: 2,
      says: /no parameter publication-lag\.days; there are .*tenderDays/,
    },
    {
      args: ["analyze", comprasFile, "--param", "publication-lag.tenderDays=soon"],
      code: 2,
      says: /publication-lag\.tenderDays: .*expected number/,
    },
    { args: ["analyze", comprasFile, "--param", "sanctioned-supplier.x=1"], code: 2, says: /it has none/ },
    { args: ["analyze", comprasFile, "--param", "tenderDays"], code: 2, says: /takes DETECTOR\.NAME=VALUE/ },
    { args: ["analyze", comprasFile, "--param", "magic.x=1"], code: 2, says: /no detector magic/ },
    { args: ["analyze", comprasFile, "--top", "0"], code: 2, says: /--top takes a whole number from 1/ },
    { args: ["analyze", comprasFile, "--sideways"], code: 2, says: /--sideways/ },
    { args: ["analyze", "gone.csv"], code: 1, says: /Não foi possível abrir gone\.csv/ },
    { args: ["coverage", "gone.csv"], code: 1, says: /Não foi possível abrir gone\.csv/ },
    { args: ["indicators", "gone.jsonl"], code: 1, says: /Não foi possível abrir gone\.jsonl/ },
    { args: ["indicators", "gone.jsonl", "--settings", "gone.ini"], code: 2, says: /gone\.ini/ },
    { args: ["analyze", PORTAL], code: 1, says: /é uma pasta; informe os arquivos/ },
    { args: ["analyze", "LICENSE"], code: 1, says: /formato não reconhecido.*Informe o formato: canonical, / },
    { args: ["analyze", `${FIXTURES}/R024.jsonl`, "--sanctions", CEIS], code: 2, says: /are for contracts/ },
    { args: ["conjure"], code: 2, says: /no command conjure/ },
    { args: ["toString"], code: 2, says: /no command toString/ },
  ])("$args", async ({ args, code, says }) => {
    const run = await cidadao(args);
    expect(run.code).toBe(code);
    expect(run.stderr).toMatch(says);
    expect(run.stderr).not.toMatch(STACK);
  });
});

describe("files that make little sense", () => {
  test("are analysed where they make any; the rest is named with its lines", async () => {
    const file = await writeBadPortal("misto_Compras.csv");
    const empty = path.join(folder, "vazio.csv");
    await writeFile(empty, "");
    const [run, shown] = await Promise.all([
      cidadao(["analyze", file, empty, "--json"]),
      cidadao(["analyze", file, empty]),
    ]);
    for (const { code, stdout, stderr } of [run, shown]) {
      expect(code).toBe(0);
      expect(stderr).toBe("");
      expect(stdout).toContain(MASKED);
      expect(stdout.replace(/\D/g, " ")).not.toContain("111 444 777 35");
      expect(stdout).not.toContain("11144477735");
    }
    const { findings, end } = readJson(run);
    const linesOf = (kind: string) => end.coverage.complaints.find((one) => one.kind === kind)?.places;
    const at = (line: number) => [{ file: "misto_Compras.csv", line }];
    expect({
      zero: linesOf("zero-amount"),
      negative: linesOf("negative-amount"),
      absurd: linesOf("absurd-amount"),
      duplicate: linesOf("duplicate-row"),
      broken: linesOf("broken-csv-row"),
    }).toEqual({ zero: at(6), negative: at(7), absurd: at(8), duplicate: at(5), broken: at(10) });
    expect(complaintsOf(end)).toEqual(expect.arrayContaining(["empty-file", "mixed-encoding", "cpf-masked"]));
    expect(end.coverage.complaints.some(({ places }) => places.some(({ line }) => line === 9))).toBe(true);
    expect(end.coverage.records["contracts"]).toBe(8);
    expect(end.coverage.files.map(({ format }) => format)).toEqual(["portal-compras", null]);
    expect(findings.some(({ supplierTaxId }) => supplierTaxId === "12ABC34501DE35")).toBe(true);
    expect(findings.some(({ supplierTaxId }) => supplierTaxId === MASKED)).toBe(true);
    expect(run.stdout).toContain("Manutenção");
    expect(run.stdout).toContain("Órgão em UTF-8");
    expect(shown.stdout).toContain("(misto_Compras.csv:6)");
  });

  test("end with 1 when nothing could be read", async () => {
    const empty = path.join(folder, "nada.csv");
    await writeFile(empty, "");
    const run = await cidadao(["analyze", empty, "--json"]);
    expect(run.code).toBe(1);
    expect(complaintsOf(readJson(run).end)).toEqual(["empty-file"]);
  });

  test("may be broken JSON", async () => {
    const file = path.join(folder, "quebrado.jsonl");
    const contract = { kind: "contract", id: "c1", agencyCode: "1", initialValueCents: 100, signedOn: "2024-01-02" };
    const lines = ["{", JSON.stringify(contract), "[1", '{"kind":"riddle"}', '{"kind":"item"}', "\u0000"];
    await writeFile(file, lines.join("\n"));
    const run = await cidadao(["analyze", file, "--format", "canonical", "--json"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const { coverage } = readJson(run).end;
    expect(coverage.records["contracts"]).toBe(1);
    const places = (kind: string) =>
      coverage.complaints.find((one) => one.kind === kind)?.places.map(({ line }) => line);
    expect(places("broken-json")).toEqual([1, 3, 6]);
    expect(places("unusable-record")).toEqual([4, 5]);
  });
});

describe("indicators", () => {
  test.concurrent.each(fixtures)("answers as the reference: %s", async (name) => {
    const settings = await writeSettings(name);
    const file = `${FIXTURES}/${name}.jsonl`;
    const run = await cidadao(["indicators", file, "--settings", settings, "--no-meta"]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(run.stdout)).toEqual(
      JSON.parse(readFileSync(path.join(root, FIXTURES, `${name}.expected`), "utf8")),
    );
  });

  test("adds maps, counts on the standard error, and reads the standard input", async () => {
    const file = `${FIXTURES}/R024.jsonl`;
    const settings = await writeSettings("R024");
    const [plain, full] = await Promise.all([
      cidadao(["indicators", file, "-s", settings]),
      cidadao(["indicators", "-", "-s", settings, "--map", "--count"], { input: path.join(root, file) }),
    ]);
    const { Maps: maps, ...rest } = JSON.parse(full.stdout) as Record<string, Record<string, unknown>>;
    expect(rest).toEqual(JSON.parse(plain.stdout));
    expect(Object.keys(rest)).toContain("Meta");
    expect(Object.keys(maps!).length).toBeGreaterThan(0);
    expect(full.stderr).toBe(
      ["OCID", "Tenderer"].map((group) => `${group}: ${Object.keys(rest[group]!).length}\n`).join(""),
    );
  });

  test("warns of broken lines on the standard error; the standard output stays JSON", async () => {
    const file = path.join(folder, "linhas.jsonl");
    const good = readFileSync(path.join(root, FIXTURES, "R024.jsonl"), "utf8").trimEnd();
    await writeFile(file, `{\n[]\n${good}\nnope\n`);
    const settings = await writeSettings("R024");
    const run = await cidadao(["indicators", file, "-s", settings, "--no-meta"]);
    expect(run.code).toBe(0);
    expect(JSON.parse(run.stdout)).toEqual(
      JSON.parse(readFileSync(path.join(root, FIXTURES, "R024.expected"), "utf8")),
    );
    const last = good.split("\n").length + 3;
    expect(run.stderr).toContain(`warning: 2 × invalid-json (lines 1, ${last})\n`);
    expect(run.stderr).toContain("warning: 1 × not-an-object (lines 2)\n");
  });

  test("names an unknown key of the settings", async () => {
    const settings = path.join(folder, "errado.ini");
    await writeFile(settings, "[R024]\nunheard_of = 1\n");
    const run = await cidadao(["indicators", `${FIXTURES}/R024.jsonl`, "-s", settings]);
    expect(run).toMatchObject({ code: 2, stdout: "" });
    expect(run.stderr).toMatch(/unheard_of: unknown key/);
    expect(run.stderr).not.toMatch(STACK);
  });
});

describe("OCDS releases", () => {
  const file = `${FIXTURES}/R028.jsonl`;

  test("are analysed in the shape of contracts, from a file and from the standard input", async () => {
    const [named, piped] = await Promise.all([
      cidadao(["analyze", file, "--json"]),
      cidadao(["analyze", "-", "--format", "ocds", "--json"], { input: path.join(root, file) }),
    ]);
    expect(named).toMatchObject({ code: 0, stderr: "" });
    expect(piped.code).toBe(0);
    const { findings, end } = readJson(named);
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(Object.keys(finding)).toEqual(
        expect.arrayContaining(
          "detector version subject severity score amountAtRiskCents evidence explanation".split(" "),
        ),
      );
    }
    expect(end.findings).toBe(findings.length);
    expect(Object.keys(end)).toEqual(["coverage", "findings", "reports"]);
    expect(readJson(piped).end).toEqual(end);
    expect(readJson(piped).findings.map(withoutTimes)).toEqual(findings.map(withoutTimes));
  });

  test("have their coverage told path by path", async () => {
    const run = await cidadao(["coverage", file]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    const counts = JSON.parse(run.stdout) as Record<string, number>;
    expect(counts["/ocid"]).toBe(counts["/"]);
    expect(counts["/bids/details[]/status"]).toBeGreaterThan(0);
  });
});

test("coverage says what a file of contracts can feed", async () => {
  const run = await cidadao(["coverage", comprasFile, "--json"]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  const { coverage } = JSON.parse(run.stdout) as Pick<End, "coverage">;
  expect(coverage.records).toMatchObject({ contracts: 3808, items: 0 });
  expect(coverage.detectors.map(({ detector }) => detector)).toEqual(detectors.map(({ id }) => id));
  const feeds = (id: string) => coverage.detectors.find(({ detector }) => detector === id)?.feeds;
  expect([feeds("publication-lag"), feeds("price-outlier"), feeds("unit-price-outlier")]).toEqual([
    "yes",
    "partly",
    "no",
  ]);
});

test("detectors lists them all", async () => {
  const { code, stdout } = await cidadao(["detectors"]);
  expect(code).toBe(0);
  expect(stdout.match(/^[a-z-]+ v\d+$/gm)).toEqual(detectors.map(({ id, version }) => `${id} v${version}`));
});

test("a reader that stops early gets no stack", async () => {
  const run = await cidadao(["analyze", ...portalFiles, "--json"], { stopsReading: true });
  expect(run.stderr).toBe("");
});

/** `input` is a file for the standard input, as it is. */
function readJson({ stdout }: Run): { findings: Found[]; end: End } {
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  return { findings: lines.slice(0, -1) as Found[], end: lines.at(-1) as End };
}

function reportOf({ reports }: End, id: string): Report {
  return reports.find(({ detector }) => detector === id)!;
}

function complaintsOf({ coverage }: End): string[] {
  return coverage.complaints.map(({ kind }) => kind);
}

function withoutTimes(finding: Found): string {
  return JSON.stringify(finding, (key, value: unknown) => (key === "retrievedAt" ? null : value));
}

async function cutShort(file: string): Promise<string> {
  const packed = readFileSync(path.join(root, file));
  const target = path.join(folder, `cortado-${path.basename(file)}`);
  await writeFile(target, packed.subarray(0, packed.length / 2));
  return target;
}

/** Windows-1252 but for one row, with a problem in almost every row. */
async function writeBadPortal(name: string): Promise<string> {
  const header = (await firstLine(path.join(root, comprasFile))).toString("latin1");
  const columns = header
    .trim()
    .split(";")
    .map((column) => column.replaceAll('"', ""));
  let number = 0;
  const row = (given: Record<string, string>) => {
    const values: Record<string, string> = {
      "Número do Contrato": `0000${++number}2023`,
      Objeto: "Manutenção de elevadores",
      "Modalidade Compra": "Pregão",
      "Código Órgão": "26000",
      "Nome Órgão": "Órgão",
      "Código UG": "150001",
      "Data Assinatura Contrato": "10/01/2023",
      "Data Publicação DOU": "01/12/2023",
      "Data Início Vigência": "10/01/2023",
      "Data Fim Vigência": "10/01/2024",
      "Código Contratado": "11.222.333/0001-81",
      "Nome Contratado": "Empresa",
      "Valor Inicial Compra": "150000,0000",
      "Valor Final Compra": "150000,0000",
      ...given,
    };
    return columns.map((column) => `"${values[column] ?? ""}"`).join(";");
  };
  const lines = [
    header.trim(),
    row({ "Código Contratado": CPF, "Nome Contratado": `Fulano ${CPF}`, Objeto: `Aulas de ${CPF}` }),
    row({ "Código Contratado": CNPJ, "Nome Contratado": "Empresa com letras" }),
    row({}),
  ];
  const repeated = lines[3]!;
  lines.push(
    repeated,
    row({ "Valor Inicial Compra": "0,0000" }),
    row({ "Valor Inicial Compra": "-10,0000" }),
    row({ "Valor Inicial Compra": "99999999999999999,0000" }),
    row({ "Data Assinatura Contrato": "01/01/0022" }),
    '"1";"duas colunas"',
  );
  const utf8 = row({ "Nome Órgão": "Órgão em UTF-8" });
  const file = path.join(folder, name);
  await writeFile(
    file,
    Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n`, "latin1"), Buffer.from(`${utf8}\r\n`)]),
  );
  return file;
}

async function firstLine(file: string): Promise<Buffer> {
  let start = Buffer.alloc(0);
  for await (const chunk of createReadStream(file).pipe(createGunzip())) {
    start = Buffer.concat([start, chunk as Buffer]);
    const end = start.indexOf("\n");
    if (end !== -1) return start.subarray(0, end);
  }
  return start;
}

/** As the name of the fixture says: "R003-threshold-10". */
async function writeSettings(name: string): Promise<string> {
  const [code, ...parts] = name.replaceAll("+", "|").split("-");
  const pairs = (texts: string[]) =>
    texts.flatMap((key, index) => (index % 2 === 0 ? [`${key} = ${texts[index + 1]}`] : []));
  const own = parts.length > 2 ? [`[${code}.${parts[0]}]`, ...pairs(parts.slice(1))] : [`[${code}]`, ...pairs(parts)];
  const file = path.join(folder, `${name}.ini`);
  const lines = [
    "no_price_comparison_procurement_methods = NPC",
    ...own,
    "[exclusions]",
    "procurement_method_details = EXC",
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}
