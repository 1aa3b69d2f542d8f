import { addDays, type IsoDate, parseDate } from "./dates.ts";
import { federalAgencies } from "./federal-agencies.ts";
import type { InvestigationSource } from "./investigation.ts";
import { states } from "./states.ts";
import { parseCnpj } from "./tax-id.ts";

/** What a question in Portuguese names, found by rules alone. Nothing is guessed: what no rule finds is not there. */
export type QuestionParts = {
  agencyCodes: string[];
  /** Of buyers, where a word before it says so, and of suppliers. */
  agencyCnpjs: string[];
  supplierCnpjs: string[];
  /** Municipalities by name, with the state where it is said. */
  municipalities: { name: string; state: string | null }[];
  states: string[];
  sources: InvestigationSource[];
  period: { from: IsoDate; to: IsoDate } | null;
};

const MONTH_NAMES = "janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro".split(
  " ",
);
const MONTHS = MONTH_NAMES.join("|");

export function readQuestion(question: string, today: IsoDate): QuestionParts {
  const text = plain(question);
  const cnpjs = readCnpjs(text);
  const period = readPeriod(text, today);
  const [municipalities, withoutThem] = readMunicipalities(text);
  const [agencyCodes, withoutAgencies] = readAgencies(withoutThem);
  return {
    agencyCodes,
    agencyCnpjs: cnpjs.filter(({ isBuyer }) => isBuyer).map(({ cnpj }) => cnpj),
    supplierCnpjs: cnpjs.filter(({ isBuyer }) => !isBuyer).map(({ cnpj }) => cnpj),
    municipalities,
    states: readStates(withoutAgencies),
    sources: readSources(text),
    period,
  };
}

/** Lower case, without accents, blanks single: the form in which names are compared. */
export function plain(text: string): string {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/\s+/g, " ").trim();
}

const BUYER_WORDS =
  /(?:orgao|entidade|prefeitura|municipio|camara|ministerio|secretaria|comprador|contratante)[^.;,]{0,40}$/;

function readCnpjs(text: string): { cnpj: string; isBuyer: boolean }[] {
  const found = [...text.matchAll(/(?<![\w./-])[\da-z]{2}\.?[\da-z]{3}\.?[\da-z]{3}\/?[\da-z]{4}-?\d{2}(?![\w/-])/g)];
  return found.flatMap(({ 0: written, index }) => {
    const cnpj = parseCnpj(written.toUpperCase());
    return cnpj === null ? [] : [{ cnpj, isBuyer: BUYER_WORDS.test(text.slice(0, index)) }];
  });
}

/** Names as they are compared, the longest first: "Ministério da Justiça e Segurança Pública" before its first words. */
const agencyNames = federalAgencies
  .flatMap(([code, ...names]) => names.map((name) => ({ code, name: plain(name) })))
  .toSorted((a, b) => b.name.length - a.name.length || (a.name < b.name ? -1 : 1));

/** The agencies, and the text without their names: "Universidade Federal do Ceará" is no question about the state. */
function readAgencies(text: string): [codes: string[], rest: string] {
  const codes = [...text.matchAll(/(?:orgao|siafi|codigo)s?\s+(?:siafi\s+)?(\d{5})(?!\d)/g)].map(([, code]) => code!);
  let rest = text;
  for (const { code, name } of agencyNames) {
    const before = rest;
    rest = rest.replaceAll(wordsOf(name), " ; ");
    if (rest !== before) codes.push(code);
  }
  return [[...new Set(codes)], rest];
}

const STATE_CODES = states.map(({ code }) => code.toLowerCase()).join("|");
const STATE_NAMES = states.map(({ name }) => plain(name)).join("|");
/** A name goes on over small words: "Ilha de Itamaracá", "São João d'Aliança". */
const MUNICIPALITY = new RegExp(
  String.raw`\b(?:prefeituras?|municipios?|cidades?|camaras?) (?:municipa(?:l|is) )?(?:d[aeo]s? )?` +
    String.raw`([a-z'-]+(?: (?!(?:em|no|na|nos|nas|entre|desde|durante|de (?:\d|${MONTHS})|do estado)\b)[a-z'-]+)*?)` +
    String.raw`(?: ?[-/(,] ?(${STATE_CODES})\b\)?)?(?=$|[.;,?!)]| (?:em|no|na|nos|nas|entre|desde|durante|de (?:\d|${MONTHS})|do estado)\b)`,
  "g",
);

/** The municipalities, and the text without them: "prefeitura de São Paulo" is no question about the state. */
function readMunicipalities(text: string): [places: QuestionParts["municipalities"], rest: string] {
  const places: QuestionParts["municipalities"] = [];
  const rest = text.replace(MUNICIPALITY, (whole: string, name: string, state: string | undefined) => {
    if (/^(?:cnpj|orgao|todos|todas|municipa)/.test(name)) return whole;
    places.push({ name: name.trim(), state: state?.toUpperCase() ?? null });
    return " ; ";
  });
  return [places, rest];
}

function readStates(text: string): string[] {
  const spoken = new RegExp(
    String.raw`\b(?:estado (?:d[aeo]s? )?|governo (?:d[aeo]s? )?|n[ao] |em |d[aeo] )(${STATE_NAMES})\b`,
    "g",
  );
  const written = new RegExp(String.raw`\b(?:uf|estado)[ :]+(${STATE_CODES})\b`, "g");
  const byName = [...text.matchAll(spoken)].map(([, name]) => states.find((state) => plain(state.name) === name)!.code);
  const byCode = [...text.matchAll(written)].map(([, code]) => code!.toUpperCase());
  return [...new Set([...byName, ...byCode])];
}

function readSources(text: string): InvestigationSource[] {
  const named: [InvestigationSource, RegExp][] = [
    ["portal-transparencia", /\bportal da transparencia\b/],
    ["pncp", /\bpncp\b|\bportal nacional de contratacoes publicas\b/],
  ];
  return named.filter(([, words]) => words.test(text)).map(([source]) => source);
}

/** The first of the rules that finds something; none is later than `today`. */
function readPeriod(text: string, today: IsoDate): QuestionParts["period"] {
  const found =
    betweenDays(text) ??
    lastOf(text, today) ??
    namedMonths(text, today) ??
    relativePeriod(text, today) ??
    namedYear(text);
  if (found === null || found.from > today) return null;
  return { from: found.from, to: found.to > today ? today : found.to };
}

type Period = { from: IsoDate; to: IsoDate };

function betweenDays(text: string): Period | null {
  const days = [...text.matchAll(/\b(\d{4}-\d{2}-\d{2}|\d{2}\/\d{2}\/\d{4})\b/g)].flatMap(
    ([, day]) => parseDate(day!) ?? [],
  );
  const [from, to = from] = days;
  if (from === undefined || to === undefined || days.length > 2) return null;
  return from <= to ? { from, to } : { from: to, to: from };
}

const NUMBERS: Record<string, number> = {
  um: 1,
  uma: 1,
  dois: 2,
  duas: 2,
  tres: 3,
  quatro: 4,
  cinco: 5,
  seis: 6,
  nove: 9,
  doze: 12,
};
const UNIT_DAYS: Record<string, number> = { dia: 1, semana: 7, mes: 30, ano: 365 };

/** "nos últimos 3 meses", "no último ano": so many days back, a month being 30 of them. */
function lastOf(text: string, today: IsoDate): Period | null {
  const [, count, unit] = /\bultim[oa]s? (?:(\d{1,3}|[a-z]+) )?(dia|semana|mes|ano)(?:s|es)?\b/.exec(text) ?? [];
  if (unit === undefined) return null;
  const many = count === undefined ? 1 : /^\d/.test(count) ? Number(count) : NUMBERS[count];
  return many === undefined || many < 1 ? null : { from: addDays(today, -many * UNIT_DAYS[unit]!), to: today };
}

/** "janeiro de 2024", "de janeiro a março de 2024"; a month without a year is the last one that has begun. */
function namedMonths(text: string, today: IsoDate): Period | null {
  const range = new RegExp(
    String.raw`\b(${MONTHS})(?: (?:de )?(\d{4}))?(?: (?:a|ate|e) (${MONTHS}))?(?: (?:de )?(\d{4}))?\b`,
  ).exec(text);
  if (!range) return null;
  const [, first, firstYear, last = first, lastYear] = range;
  const [from, to] = [MONTH_NAMES.indexOf(first!), MONTH_NAMES.indexOf(last!)];
  const [thisYear, thisMonth] = [Number(today.slice(0, 4)), Number(today.slice(5, 7)) - 1];
  const end = Number(lastYear ?? firstYear ?? (to > thisMonth ? thisYear - 1 : thisYear));
  const start = Number(firstYear ?? (from > to ? end - 1 : end));
  return { from: firstDay(start, from), to: lastDay(end, to) };
}

function relativePeriod(text: string, today: IsoDate): Period | null {
  const year = Number(today.slice(0, 4));
  const month = Number(today.slice(5, 7)) - 1;
  if (/\b(?:este|neste) ano\b/.test(text)) return { from: `${year}-01-01`, to: today };
  if (/\bano passado\b/.test(text)) return { from: `${year - 1}-01-01`, to: `${year - 1}-12-31` };
  if (/\b(?:este|neste) mes\b/.test(text)) return { from: firstDay(year, month), to: today };
  if (!/\bmes passado\b/.test(text)) return null;
  const to = addDays(firstDay(year, month), -1);
  return { from: `${to.slice(0, 8)}01`, to };
}

function namedYear(text: string): Period | null {
  const [, year] = /\b(?:em|de|ano|durante) ((?:19|20)\d{2})\b/.exec(text) ?? [];
  return year === undefined ? null : { from: `${year}-01-01`, to: `${year}-12-31` };
}

function firstDay(year: number, month: number): IsoDate {
  return `${year}-${String(month + 1).padStart(2, "0")}-01`;
}

function lastDay(year: number, month: number): IsoDate {
  return addDays(month === 11 ? firstDay(year + 1, 0) : firstDay(year, month + 1), -1);
}

function wordsOf(name: string): RegExp {
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w-])${escaped}(?![\w-])`, "g");
}
