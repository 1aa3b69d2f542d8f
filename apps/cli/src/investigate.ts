import { parseArgs } from "node:util";
import { type Anomaly, listAnomaliesOf } from "@cidadao/database/anomalies";
import { listEvents } from "@cidadao/database/events";
import { findInvestigation } from "@cidadao/database/investigations";
import { databaseConfig, openStore } from "@cidadao/database/store";
import { investigationScope } from "@cidadao/domain/investigation";
import { formatBrl } from "@cidadao/domain/money";
import { severityNames } from "@cidadao/domain/severity";
import { openInvestigation } from "@cidadao/operations/open-investigation";
import { chooseBackend, queueConfig } from "@cidadao/queue/backend";
import { openProducer } from "@cidadao/queue/produce";
import { parseConfig } from "@cidadao/runtime/config";
import { pause } from "@cidadao/runtime/deadline";
import { createLogger } from "@cidadao/runtime/logger";
import { type Command, type CommandContext, asUsage } from "./command.ts";

const POLL_MS = 500;
const SHOWN_MAX = 20;

export const investigateCommand: Command = {
  usage:
    "investigate --query TEXT | --from YYYY-MM-DD --to YYYY-MM-DD [--source ID]… [--agency CODE|CNPJ]… [--place UF|IBGE]… [--supplier CNPJ] [--query TEXT] [--detector ID]… [--json]",
  summary:
    "Opens an investigation, follows it, prints what it found. Without days, the query says which contracts. A worker has to be running",
  run: async (args, context) => {
    const { values, request } = readArguments(args);
    const config = parseConfig(databaseConfig.extend(queueConfig.shape), context.environment);
    const logger = createLogger({ process: "cli", level: "warn", write: (line) => void process.stderr.write(line) });
    const store = openStore(config);
    await using producer = openProducer(chooseBackend(config), logger);
    const opening = { ...request, origin: "cli" as const, priority: "high" as const, idempotencyKey: null };
    const { investigation } = await openInvestigation(
      { store, enqueue: producer.enqueue, logger },
      opening,
      context.signal,
    );
    const { id } = investigation;
    if (!values.json) context.write(`investigation ${id}`);
    for (let seq = 0, finished = false; !finished;) {
      context.signal.throwIfAborted();
      for (const event of await listEvents(store, id, seq, context.signal)) {
        seq = event.seq;
        finished ||= event.phase === "finished";
        if (!values.json) context.write(`${String(Math.round(event.progress * 100)).padStart(4)} %  ${event.message}`);
      }
      if (!finished) await pause(POLL_MS, context.signal);
    }
    const ended = await findInvestigation(store, id, context.signal);
    const anomalies = await listAnomaliesOf(store, id, { afterRank: 0, limit: SHOWN_MAX }, context.signal);
    if (values.json) context.write(JSON.stringify({ investigation: ended, anomalies }));
    else show(anomalies, context);
    return ended?.status === "completed" && ended.outcome !== "source_unavailable" ? 0 : 1;
  },
};

function readArguments(args: string[]) {
  return asUsage(() => {
    const { values } = parseArgs({
      args,
      options: {
        from: { type: "string" },
        to: { type: "string" },
        source: { type: "string", multiple: true },
        agency: { type: "string", multiple: true },
        place: { type: "string", multiple: true },
        supplier: { type: "string" },
        detector: { type: "string", multiple: true },
        query: { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const { source, agency, place, supplier, query = null, detector = null } = values;
    const isOpen = [values.from, values.to, source, agency, place, supplier].every((value) => value === undefined);
    if (isOpen && query !== null) return { values, request: { query, scope: null, detectors: detector } };
    const isSiafi = (code: string) => /^\d{5}$/.test(code);
    const isState = (code: string) => /^[A-Z]{2}$/.test(code);
    const scope = investigationScope.safeParse({
      from: values.from,
      to: values.to,
      ...listed("sources", source),
      ...listed("agencyCodes", agency?.filter(isSiafi)),
      ...listed(
        "agencyCnpjs",
        agency?.filter((code) => !isSiafi(code)),
      ),
      ...listed("states", place?.filter(isState)),
      ...listed(
        "municipalityCodes",
        place?.filter((code) => !isState(code)),
      ),
      ...(supplier ? { supplierCnpj: supplier } : {}),
    });
    if (!scope.success)
      throw new Error(scope.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n"));
    return { values, request: { query, scope: scope.data, detectors: detector } };
  });
}

function listed(name: string, values: string[] | undefined): Record<string, string[]> {
  return values === undefined || values.length === 0 ? {} : { [name]: values };
}

function show(anomalies: Anomaly[], { write }: CommandContext): void {
  for (const { rank, severity, title, amountAtRiskCents, agencyName, supplierName, reason, evidence } of anomalies) {
    const who = [agencyName, supplierName].filter(Boolean).join(" → ");
    write(`\n${rank}. ${title} (${severityNames[severity]}), ${formatBrl(amountAtRiskCents)}\n   ${who}\n   ${reason}`);
    for (const record of evidence.records.slice(0, 1)) write(`   ${record.label}: ${record.url}`);
  }
}
