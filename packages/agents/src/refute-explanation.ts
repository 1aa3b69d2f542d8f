import type { Finding } from "@cidadao/domain/anomaly";
import { bareTaxId, maskCpf, parseCnpj } from "@cidadao/domain/tax-id";
import { type FindingText, findingText } from "./finding-text.ts";
import { ALLOWED, fold, plainText } from "./plain-text.ts";
import { readDates } from "./read-dates.ts";
import { hasVagueQuantity, readNumberWords } from "./read-number-words.ts";
import { type NumberKind, readNumbers, type WrittenNumber } from "./read-numbers.ts";

/** Why an answer is thrown away, as the model is told when it is asked once more. */
export const refutationTexts = {
  length: "o texto era curto ou longo demais",
  characters: "o texto tinha link, menção, marcação ou caracteres estranhos; escreva só texto corrido",
  accusation: "o texto acusava, ou usava palavra de crime; um indício não é acusação",
  verdict: "o texto absolvia, recomendava ou falava de si; limite-se ao indício",
  law: "o texto citava lei ou artigo que não está na evidência",
  identifier: "o texto citava documento, CNPJ ou CPF que não está na evidência",
  date: "o texto citava data que não está na evidência",
  number: "o texto citava número que não está na evidência, ou arredondado, ou por extenso",
  not_portuguese: "o texto não era português corrido",
  no_red_flag: "o texto não dizia que se trata de um indício",
} as const satisfies Record<string, string>;

export type Refutation = keyof typeof refutationTexts;

const CHARACTERS_MIN = 80;
const CHARACTERS_MAX = 4_000;

/**
 * Why the text must not be shown as an explanation of the finding, or `null`. Every number, date, law, document and tax
 * id in it has to be in the finding's evidence. Numbers may be rounded to the digits shown, by at most 5 %; shares may
 * be percentages; money is compared with money only. Sentences of the finding itself, word for word, and names of
 * its parties between quotation marks stand.
 */
export function refuteExplanation(text: string, finding: Finding, sample: string | null): Refutation | null {
  if (text.length < CHARACTERS_MIN || text.length > CHARACTERS_MAX) return "length";
  const line = text.normalize("NFC").replace(/\s+/g, " ");
  if (!ALLOWED.test(line) || LINK.test(line)) return "characters";
  const words = findingText(finding, sample);
  const names = [words.agency, words.supplier];
  const ownWords = withoutPassages(withoutQuotes(line, names), words);
  const folded = fold(ownWords);
  if (ACCUSATION.test(folded) || ACCUSATION_SPACED.test(folded.replace(/[^a-z]/g, ""))) return "accusation";
  if (VERDICT.test(folded)) return "verdict";
  if (!/\bindicios?\b/.test(fold(line))) return "no_red_flag";
  if (!isPortuguese(folded)) return "not_portuguese";
  return refuteFigures(withoutPassages(withoutQuotes(line, [...names, ...quotable(finding)]), words), finding, words);
}

const LINK = /\b(?:https?|www|discord|mailto)\b|:\s*\/|\/\/|(?<=[\p{L}\p{N}])\.(?=\p{L}{2})/iu;

const ACCUSATION = new RegExp(
  [
    "fraud",
    "\\bdesvi",
    "\\bculp",
    "corrup",
    "\\bcrim",
    "quadrilh",
    "\\blaranjas?\\b",
    "propin",
    "suborn",
    "\\broub",
    "\\bfurt",
    "\\bladr(ao|oes|a)\\b",
    "peculat",
    "conluio",
    "\\bcartel",
    "lavagem de dinheiro",
    "\\bilegal",
    "\\bilicit",
    "improb",
    "superfatur",
    "sobreprec",
    "favoreci",
    "direcionamento",
    "\\bgolp",
    "esquema",
    "bandid",
    "ma[- ]fe\\b",
    "\\bdolo",
    "escandal",
    "\\bmafi",
    "enriquecimento",
    "condenad",
    "\\breus?\\b",
    "\\bpres[oa]s?\\b",
    "desonest",
    "embols",
    "sujeira",
    "picaret",
    "malversa",
    "nepotis",
    "sonega",
  ].join("|"),
);
/** The gravest words with anything between their letters. */
const ACCUSATION_SPACED = /fraudul|fraudad|fraudar|corrup|criminos|culpad|quadrilha|propina/;

const VERDICT = new RegExp(
  [
    "nada (de )?(errado|irregular|suspeito)",
    "tudo (certo|regular|em ordem)",
    "sem (qualquer )?(problemas?|irregularidades?)",
    "nao ha (qualquer )?(problemas?|irregularidades?|indicios?)",
    "\\bnao (e|ha|existe) (um )?indicio",
    "recomend",
    "exemplar",
    "idone[ao] e",
    "ignor(e|ar|ei|ando)",
    "instruc",
    "\\bprompt\\b",
    "modelo de linguagem",
    "inteligencia artificial",
    "\\bsenhas?\\b",
    "chave de api",
    "\\beu sou\\b",
  ].join("|"),
);

const FUNCTION_WORDS = new Set(
  (
    "a o as os e é de da do das dos em no na nos nas um uma que se por para com ao à aos às pelo pela este esta isso " +
    "não foi são ser está mais como também pode há sobre entre seu sua mas ou já"
  )
    .split(" ")
    .map(fold),
);
const ENGLISH_WORDS = new Set("the of and is was this that with for by are has have not from which".split(" "));
const FUNCTION_SHARE_MIN = 0.2;
const ENGLISH_SHARE_MAX = 0.05;
const WORDS_MIN = 10;

function isPortuguese(folded: string): boolean {
  const words = folded.match(/[a-z]+/g) ?? [];
  const share = (of: Set<string>) => words.filter((word) => of.has(word)).length / words.length;
  return (
    words.length >= WORDS_MIN &&
    share(FUNCTION_WORDS) >= FUNCTION_SHARE_MIN &&
    share(ENGLISH_WORDS) <= ENGLISH_SHARE_MAX
  );
}

const GAP = " ; ";

/** The finding's own sentences cannot say more than the finding. */
function withoutPassages(line: string, words: FindingText): string {
  const passages = [words.reason, words.title, words.sample, ...words.innocentExplanations]
    .filter((passage) => passage !== null && passage !== "")
    .toSorted((a, b) => b!.length - a!.length);
  return passages.reduce<string>((text, passage) => text.replace(whole(passage!), GAP), line);
}

/** The passage where no word or number goes on on either side of it. */
function whole(passage: string): RegExp {
  const literal = passage.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
  return new RegExp(`(?<![\\p{L}\\p{N}]|\\p{N}[.,/-])${literal}(?![\\p{L}\\p{N}$%]|[.,/-]\\p{N})`, "gu");
}

function withoutQuotes(line: string, quotable: (string | null)[]): string {
  const known = new Set(quotable.flatMap((text) => (text === null || text === "" ? [] : [fold(text)])));
  return line.replace(/[“"«]\s*([^“”"«»]*?)\s*[”"»]/gu, (found, inside: string) =>
    known.has(fold(inside)) ? GAP : found,
  );
}

const QUOTABLE_CHARACTERS_MAX = 300;

/** Texts of others in the evidence: their figures are theirs, between quotation marks and complete. */
function quotable(finding: Finding): string[] {
  const { facts, records } = finding.evidence;
  const texts = [
    finding.subject.label,
    ...records.map((record) => record.label),
    ...facts.flatMap((fact) => (fact.unit === "text" ? [String(fact.value)] : [])),
  ];
  return texts.map((text) => plainText(text, QUOTABLE_CHARACTERS_MAX));
}

function refuteFigures(ownWords: string, finding: Finding, words: FindingText): Refutation | null {
  const trusted = [words.title, words.reason, ...words.innocentExplanations, words.sample ?? ""].join(" ; ");
  const laws = refuteLaws(ownWords, finding, trusted);
  if (laws.refuted) return "law";
  const identifiers = refuteIdentifiers(laws.rest, finding);
  if (identifiers.refuted) return "identifier";
  const dates = readDates(identifiers.rest);
  const knownDates = knownDatesOf(finding, trusted);
  if (dates.dates.some((date) => !knownDates.some((known) => date.test(known)))) return "date";
  return refuteNumbers(dates.rest, knownNumbersOf(finding, trusted, knownDates));
}

// Laws

const NORM =
  /\b(lei(?: complementar)?|decreto(?:-lei)?|medida provis[oó]ria|mp|lc|emenda constitucional|instru[cç][aã]o normativa|portaria|resolu[cç][aã]o|ac[oó]rd[aã]o|s[uú]mula)s?\s*(?:n\s?[ºo°.]+\s*)?(\d[\d.]*)(?:\s*(?:\/|,? de )\s*(\d{2,4}))?/giu;
const NUMERAL = "(?:\\d{1,4}|[IVXLCDM]{1,7})\\s?[º°ªo]?(?![\\p{L}\\d])";
const ARTICLE = new RegExp(
  `(?:\\b(?:arts?|incs?)\\.|\\b(?:artigos?|incisos?|par[aá]grafos?|al[ií]neas?)\\b|§+)\\s*(${NUMERAL}(?:(?:\\s*,\\s*|\\s+e\\s+|\\s+a\\s+|\\s+ou\\s+)(?:§+\\s*)?${NUMERAL})*)`,
  "giu",
);
const NAMED_NORM =
  /\b(?:C[oó]digo (?:Penal|Civil)|Constitui[cç][aã]o|S[uú]mula|Ac[oó]rd[aã]o|Jurisprud[eê]ncia|Estatuto|[Ll]ei (?:d[aeo]s? )?\p{Lu})/u;
const ROMAN = /(?<![\p{L}\d])[IVXLCDM]{2,7}(?![\p{L}\d])/gu;
const LIST_OF_NORMS = /^(?:(?:Lei|Decreto|MP)[^,;]{1,40}[,;]?\s*)+$/;

function refuteLaws(text: string, finding: Finding, trusted: string): { refuted: boolean; rest: string } {
  const normTexts = [
    ...finding.legalBasis.map(({ norm }) => norm),
    ...finding.evidence.facts.flatMap(({ value }) =>
      typeof value === "string" && LIST_OF_NORMS.test(value) ? [value] : [],
    ),
    trusted,
  ];
  const norms = new Set(normTexts.flatMap((one) => [...one.matchAll(NORM)].flatMap(namesOfNorm)));
  const articles = [...finding.legalBasis.map(({ article }) => article), trusted].join(" ; ");
  const numerals = new Set(articles.match(/\d+|\b[IVXLCDM]+\b/g));
  let refuted = false;
  let rest = text.replace(NORM, (...match: string[]) => {
    const [name] = namesOfNorm(match);
    if (name === undefined || !norms.has(name)) refuted = true;
    return GAP;
  });
  rest = rest.replace(ARTICLE, (_, list: string) => {
    const cited = list.match(/\d+|[IVXLCDM]+/gi) ?? [];
    if (cited.some((numeral) => !numerals.has(numeral.toUpperCase()))) refuted = true;
    return GAP;
  });
  if (NAMED_NORM.test(rest)) refuted = true;
  rest = rest.replace(ROMAN, (numeral) => {
    if (!numerals.has(numeral)) refuted = true;
    return GAP;
  });
  return { refuted, rest };
}

/** With its year, when it has one, first; then without: a text may leave the year out but not change it. */
function namesOfNorm(match: readonly (string | undefined)[]): string[] {
  const kind = fold(match[1] ?? "")
    .replace(/^mp$/, "medida provisoria")
    .replace(/^lc$/, "lei complementar");
  const number = (match[2] ?? "").replaceAll(".", "");
  const year = match[3];
  return year === undefined ? [`${kind} ${number}`] : [`${kind} ${number}/${year.slice(-2)}`, `${kind} ${number}`];
}

// Documents

const TAX_ID =
  /(?<![\p{L}\d])(?=[A-Z./-]*\d)[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}\/?[0-9A-Z]{4}-?\d{2}(?![\p{L}\d])/gu;
const CPF = /(?:\d{3}|\*{2,})\.?\d{3}\.?\d{3}-?(?:\d{2}(?!\d)|\*+)/g;
/** A number that names a document counts as one only behind the document's name. */
const DOCUMENT =
  /\b(contratos?|termos? aditivos?|aditivos?|itens|item)\s+(?:n\s?[ºo°.]+\s*|n[uú]mero\s+)?([\p{L}\d][\p{L}\d./-]*\d[\p{L}\d/-]*|\d{3,})(?![\p{L}\d]|[.,]\d|\s*%)/giu;
const RECORD_LABEL = /^(?:Contrato|Termo aditivo|Item) ([^\s:—]{1,60})/u;

function refuteIdentifiers(text: string, finding: Finding): { refuted: boolean; rest: string } {
  const { facts, records } = finding.evidence;
  const taxIds = new Set(
    [finding.supplierTaxId, ...facts.map(({ value }) => value)].flatMap((value) => {
      if (typeof value !== "string") return [];
      return parseCnpj(value) ?? maskCpf(value) ?? [];
    }),
  );
  const ids = records.flatMap((record) => [record.id, RECORD_LABEL.exec(record.label)?.[1] ?? record.id]);
  const known = new Set([...ids, RECORD_LABEL.exec(finding.subject.label)?.[1] ?? "", finding.subject.id]);
  let refuted = false;
  let rest = text.replace(TAX_ID, (found) => {
    if (!taxIds.has(bareTaxId(found))) refuted = true;
    return GAP;
  });
  rest = rest.replace(CPF, (found) => {
    if (!found.startsWith("*") || !taxIds.has(found)) refuted = true;
    return GAP;
  });
  for (const id of known) if (/\/.*\d|\d.*\//.test(id)) rest = rest.replace(whole(id), GAP);
  rest = rest.replace(DOCUMENT, (_, noun: string, id: string) => {
    if (!known.has(id)) refuted = true;
    return `${noun}${GAP}`;
  });
  return { refuted, rest };
}

// Dates and numbers

function knownDatesOf(finding: Finding, trusted: string): string[] {
  const { facts, records } = finding.evidence;
  return [
    ...facts.flatMap(({ unit, value }) => (unit === "date" && typeof value === "string" ? [value] : [])),
    ...records.map(({ retrievedAt }) => retrievedAt.slice(0, 10)),
    ...readDates(trusted).dates.flatMap((date) => date.iso ?? []),
  ];
}

type KnownNumber = { kind: NumberKind; value: number; slack: number };

function knownNumbersOf(finding: Finding, trusted: string, dates: string[]): KnownNumber[] {
  const { facts, records, baseRate, formula } = finding.evidence;
  const known: KnownNumber[] = [
    number("money", finding.amountAtRiskCents / 100),
    number("plain", finding.score),
    number("plain", baseRate.tested),
    number("plain", baseRate.fired),
    number("plain", records.length),
    ...(baseRate.tested > 0 ? [number("percent", (100 * baseRate.fired) / baseRate.tested)] : []),
    ...dates.map((date) => number("plain", Number(date.slice(0, 4)))),
  ];
  for (const { value, unit } of facts) {
    if (typeof value !== "number") continue;
    if (unit === "cents") known.push(number("money", value / 100));
    else known.push(number("plain", value));
    // Facts hold four decimals of a share; the percentage made from the whole share may differ in its third digit.
    if (unit === "share") known.push({ kind: "percent", value: value * 100, slack: 0.005 });
  }
  // Only the plain readings of the trusted sentences: what is a date or a norm there is none here.
  const sentences = readNumbers(readDates(`${trusted} ; ${formula}`.replace(NORM, GAP).replace(ARTICLE, GAP)).rest);
  for (const { kind, value } of sentences.numbers) if (value !== null) known.push(number(kind, value));
  return known;
}

function number(kind: NumberKind, value: number): KnownNumber {
  return { kind, value, slack: 0 };
}

const ORDINAL = /(?<![\p{L}\d.,])(\d{1,3})\s?[ºª°](?![\p{L}\d])/gu;
const NEGATIVE = /(?:^|[\s(])[-−]\s?(?:R\$\s?)?\d/u;
const ROUNDING_SHARE_MAX = 0.05;

function refuteNumbers(text: string, known: KnownNumber[]): Refutation | null {
  if (NEGATIVE.test(text) || /[²³½]/u.test(text)) return "number";
  const plain = text.replace(ORDINAL, "$1");
  if (/[\p{L}*]\d|\d[\p{L}*]/u.test(plain)) return "number";
  const { numbers, rest } = readNumbers(plain);
  if (hasVagueQuantity(rest)) return "number";
  const written = [...numbers, ...readNumberWords(rest)];
  return written.every((one) => known.some((fact) => bears(fact, one))) ? null : "number";
}

function bears(fact: KnownNumber, written: WrittenNumber): boolean {
  if (written.value === null || fact.kind !== written.kind) return false;
  const distance = Math.abs(fact.value - written.value);
  const slack = fact.slack + 1e-9 * Math.max(1, Math.abs(fact.value));
  return distance <= written.step / 2 + slack && distance <= ROUNDING_SHARE_MAX * Math.abs(fact.value) + slack;
}
