import { parseArgs } from "node:util";
import { parseDate } from "@cidadao/domain/dates";
import type { Gazette } from "@cidadao/domain/gazette";
import { parseConfig } from "@cidadao/runtime/config";
import { queridoDiarioConfig } from "@cidadao/sources/querido-diario/config";
import { type GazetteSearch, openQueridoDiario, searchGazettes } from "@cidadao/sources/querido-diario/source";
import Table from "cli-table3";
import { type Command, asUsage } from "./command.ts";
import { openOutbound } from "./open-outbound.ts";

const GAZETTES_SHOWN = 100;
const GAZETTES_MAX = 1_000;
const EXCERPT_COLUMNS = 70;

export const gazettesCommand: Command = {
  usage: "gazettes QUERY [--from YYYY-MM-DD] [--to YYYY-MM-DD] [--city IBGE]… [--limit N] [--json]",
  summary: "Searches municipal gazettes (Querido Diário) for a supplier or an agency; nothing is stored",
  run: async (args, { environment, write, signal }) => {
    const { search, json } = readArguments(args);
    await using open = new AsyncDisposableStack();
    const { outbound } = await openOutbound(environment, open);
    const context = openQueridoDiario(parseConfig(queridoDiarioConfig, environment), outbound);
    const gazettes: Gazette[] = [];
    let [total, unread] = [0, 0];
    for await (const page of searchGazettes(context, search, signal)) {
      gazettes.push(...page.records);
      unread += page.rejects.length;
      total = page.total;
    }
    if (json) {
      write(JSON.stringify({ total, unread, gazettes }));
      return 0;
    }
    if (gazettes.length > 0) write(tableOf(gazettes));
    write(`${gazettes.length} de ${total} diários${unread > 0 ? `; ${unread} ilegíveis` : ""}`);
    return 0;
  },
};

function tableOf(gazettes: Gazette[]): string {
  const table = new Table({
    head: ["dia", "município", "trecho (OCR)", "endereço"],
    colWidths: [null, null, EXCERPT_COLUMNS, null],
    wordWrap: true,
  });
  for (const { publishedOn, territoryName, state, excerpts, provenance } of gazettes) {
    table.push([publishedOn, `${territoryName}${state ? `/${state}` : ""}`, excerpts[0] ?? "", provenance.url]);
  }
  return table.toString();
}

function readArguments(args: string[]): { search: GazetteSearch; json: boolean } {
  return asUsage(() => {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        from: { type: "string" },
        to: { type: "string" },
        city: { type: "string", multiple: true, default: [] },
        limit: { type: "string", default: String(GAZETTES_SHOWN) },
        json: { type: "boolean", default: false },
      },
    });
    const query = positionals.join(" ").trim();
    if (query === "") throw new Error("say what to search for");
    const dayOf = (name: "from" | "to") => {
      const text = values[name];
      const day = text === undefined ? null : parseDate(text);
      if (text !== undefined && day === null) throw new Error(`--${name} is a day, as YYYY-MM-DD`);
      return day;
    };
    const [from, to] = [dayOf("from"), dayOf("to")];
    if (from !== null && to !== null && from > to) throw new Error("the window ends before it begins");
    if (values.city.some((code) => !/^\d{7}$/.test(code))) throw new Error("--city is an IBGE code of 7 digits");
    const gazettesMax = Number(values.limit);
    if (!Number.isInteger(gazettesMax) || gazettesMax < 1 || gazettesMax > GAZETTES_MAX)
      throw new Error(`--limit is a number from 1 to ${GAZETTES_MAX}`);
    return { search: { query, from, to, territories: values.city, gazettesMax }, json: values.json };
  });
}
