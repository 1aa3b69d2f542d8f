import path from "node:path";
import { collusion } from "@cidadao/detectors/bids/collusion";
import { type CollusionScreens, collusionScreens, type ScreenName } from "@cidadao/detectors/bids/collusion-screens";
import { readProcess } from "@cidadao/detectors/bids/read-process";
import { failuresOf, type Figure, figure, figuresTable, fixed } from "./figures/figure.ts";
import { readRows, type Row } from "./figures/rows.ts";
import { type EvaluationData, NOT_MEASURED, type Section } from "./section.ts";

type Tender = { id: string; rows: Row[]; screens: CollusionScreens; isLabelled: boolean };

const TITLE = "Telas de conluio sobre propostas rotuladas";
const AUC_MIN = 0.9;

/** Bids of 101 tenders of one buyer, 33 of them with a bid that research labelled. */
export async function collusionSection({ folder }: EvaluationData): Promise<Section> {
  if (folder === null) return { title: TITLE, markdown: NOT_MEASURED, failures: [] };
  const rows = await readRows(path.join(folder, "collusion-labelled", "DB_Collusion_Brazil_processed.csv"));
  const tenders = [...Map.groupBy(rows, (row) => row("Tender"))].map(([id, own]): Tender => ({
    id,
    rows: own,
    screens: collusionScreens(own.map((row) => Number(row("Bid_value")))),
    isLabelled: own.some((row) => Number(row("Collusive_competitor_original")) === 1),
  }));
  const figures = [...countFigures(tenders), ...aucFigures(tenders), ...ruleFigures(tenders)];
  const weak = (["cv", "spd"] as const).filter(
    (name) => !(aucOf(tenders, ({ screens }) => screens.values[name], "low") >= AUC_MIN),
  );
  return {
    title: TITLE,
    markdown: [INTRODUCTION, figuresTable(figures), patternText(tenders)].join("\n\n"),
    failures: [...failuresOf(TITLE, figures), ...weak.map((name) => `area under the curve of ${name} < ${AUC_MIN}`)],
  };
}

const INTRODUCTION =
  "As telas são calculadas das propostas pelo nosso código, uma vez por disputa. AUC é a chance de uma disputa rotulada ficar do lado " +
  "suspeito de uma não rotulada (empates contam metade). São obras e serviços de engenharia de um só comprador, com propostas lacradas: " +
  "nada aqui promete o mesmo em pregão eletrônico.";

function countFigures(tenders: Tender[]): Figure[] {
  const labelled = tenders.filter(({ isLabelled }) => isLabelled).length;
  const won = tenders.filter(({ rows }) => {
    const lowest = Math.min(...rows.map((row) => Number(row("Bid_value"))));
    return rows.some((row) => Number(row("Winner")) === 1 && Number(row("Bid_value")) === lowest);
  });
  return [
    figure("disputas", "todas; rotuladas; em que a menor proposta venceu", [
      "101; 33; 101",
      `${tenders.length}; ${labelled}; ${won.length}`,
    ]),
  ];
}

type Side = "low" | "high";

const screens: { name: ScreenName; side: Side; auc: string }[] = [
  { name: "cv", side: "low", auc: "0.901" },
  { name: "spd", side: "low", auc: "0.902" },
  { name: "skew", side: "low", auc: "0.716" },
  { name: "rd", side: "high", auc: "0.763" },
  { name: "diffp", side: "low", auc: "0.614" },
  { name: "ks", side: "high", auc: "0.589" },
];

function aucFigures(tenders: Tender[]): Figure[] {
  const sideTexts: Record<Side, string> = { low: "lado suspeito: baixo", high: "lado suspeito: alto" };
  const kurt = aucOf(tenders, zeroFilled("kurt"), "low");
  return [
    ...screens.map(({ name, side, auc }) => {
      const own = aucOf(tenders, ({ screens }) => screens.values[name], side);
      // The file has 0 where the skewness of two bids is undefined; its figure counts that tender.
      const measured = name === "skew" ? aucOf(tenders, zeroFilled(name), side) : own;
      return figure(
        `AUC ${name.toUpperCase()}`,
        sideTexts[side],
        [auc, fixed(measured, 3)],
        noteOn(tenders, name, own),
      );
    }),
    figure(
      "AUC KURT",
      "sem uso; o melhor dos dois lados",
      ["0.515", fixed(Math.max(kurt, 1 - kurt), 3)],
      noteOn(
        tenders,
        "kurt",
        aucOf(tenders, ({ screens }) => screens.values.kurt, "high"),
      ),
    ),
    figure("AUC RD publicada", "coluna do arquivo, de definição desconhecida; lado suspeito: alto", [
      "0.714",
      fixed(
        aucOf(tenders, ({ rows }) => Number(rows[0]!("RD")), "high"),
        3,
      ),
    ]),
  ];
}

function zeroFilled(name: ScreenName): (tender: Tender) => number {
  return ({ screens }) => screens.values[name] ?? 0;
}

function noteOn(tenders: Tender[], name: ScreenName, own: number): string {
  const left = tenders.filter(({ screens }) => screens.values[name] === null).length;
  if (left === 0) return "";
  const few = `${left} disputa(s) sem propostas bastantes`;
  if (name === "rd") return `${few}, fora da conta`;
  return `${few}: aqui com 0, como no arquivo; para nós não há valor, e sem elas a AUC é ${fixed(own, 3)}`;
}

/** Mann and Whitney's: ties count half. Tenders without a value are left out. */
function aucOf(tenders: Tender[], valueOf: (tender: Tender) => number | null, side: Side): number {
  const score = (tender: Tender) => {
    const value = valueOf(tender);
    return value === null || Number.isNaN(value) ? [] : [side === "low" ? -value : value];
  };
  const labelled = tenders.filter(({ isLabelled }) => isLabelled).flatMap(score);
  const others = tenders.filter(({ isLabelled }) => !isLabelled).flatMap(score);
  const wins = labelled.reduce(
    (sum, value) => sum + others.reduce((own, other) => own + (value > other ? 1 : value === other ? 0.5 : 0), 0),
    0,
  );
  return wins / (labelled.length * others.length);
}

function ruleFigures(tenders: Tender[]): Figure[] {
  const expected = { 0.06: "16; 5", 0.1: "30; 11", 0.15: "32; 31" } as const;
  return ([0.06, 0.1, 0.15] as const).map((limit) => {
    const raised = tenders.filter(({ screens }) => (screens.values.cv ?? Infinity) <= limit);
    return figure(`CV ≤ ${limit}`, "rotuladas achadas; falsos alarmes", [expected[limit], countHits(raised)]);
  });
}

function countHits(raised: Tender[]): string {
  const hits = raised.filter(({ isLabelled }) => isLabelled).length;
  return `${hits}; ${raised.length - hits}`;
}

/** What the pattern makes of the same bids, given as contracting processes. */
function patternText(tenders: Tender[]): string {
  const processes = tenders.flatMap((tender) => {
    const process = readProcess(releaseOf(tender));
    return typeof process === "string" ? [] : [process];
  });
  const context = { currency: "BRL", comparesPrices: () => true };
  const { flags, tally } = collusion.assess(processes, context);
  const raised = new Set(flags.map(({ subject }) => subject.id));
  const hits = tenders.filter(({ id, isLabelled }) => raised.has(ocidOf(id)) && isLabelled).length;
  return (
    `O padrão \`${collusion.id}\` exige um sinal de dispersão e um de forma: julgou ${tally.tested} disputas e aponta ${raised.size}, das ` +
    `quais ${hits} rotuladas (de ${tenders.filter(({ isLabelled }) => isLabelled).length}) e ${raised.size - hits} não.`
  );
}

function releaseOf({ id, rows }: Tender) {
  const bids = rows.map((row) => ({
    id: row("Bid"),
    status: "valid",
    value: { amount: Number(row("Bid_value")), currency: "BRL" },
    tenderers: [{ id: row("Competitors") }],
  }));
  const winner = rows.find((row) => Number(row("Winner")) === 1);
  return {
    ocid: ocidOf(id),
    tender: { status: "complete", procurementMethod: "selective" },
    bids: { details: bids },
    awards: winner === undefined ? [] : [{ status: "active", suppliers: [{ id: winner("Competitors") }] }],
  };
}

function ocidOf(id: string): string {
  return `disputa-${id}`;
}
