import type { AmendmentKind } from "@cidadao/domain/contract";
import type { Cents } from "@cidadao/domain/money";
import { z } from "zod";
import { fieldReader, idText, isAbsent, type Scalar, scalar } from "../reading.ts";
import {
  COMPRASGOV_CONTRATOS,
  contractIdOf,
  contractOf,
  contractUrl,
  contractWire,
  isRevenue,
} from "../comprasgov-contratos/contract.ts";
import { rawText } from "../terms.ts";
import type { Complain } from "./complaints.ts";
import {
  type Batch,
  batchBuilder,
  type BatchBuilder,
  defineFileFormat,
  isNew,
  provenanceOf,
  type ReadContext,
  rowFields,
} from "./define-file-format.ts";
import { isObject, type JsonRecord, readJsonRecords } from "./json-records.ts";
import type { OpenedFile } from "./open-text.ts";
import { pncpContractPage } from "../pncp/buyer.ts";
import { fingerprint, seenRecords, seenRows } from "./seen.ts";

export const comprasgovContratos = defineFileFormat({
  id: "comprasgov-contratos",
  title: "Contratos do Compras.gov.br (JSON)",
  description:
    "contratos.json do módulo de contratos dos dados abertos (https://dadosabertos.compras.gov.br) e, do mesmo " +
    "coletor, historico.json (aditivos e apostilamentos) e itens.json. Informe-os juntos.",
  attribution: "Compras.gov.br / MGI, contratos",
  recognises: (head) =>
    head.includes('"contrato_id"') || (head.includes('"numeroContrato"') && head.includes('"codigoUnidadeGestora"')),
  read,
});

const SOURCE = COMPRASGOV_CONTRATOS;
const PAGE = "https://contratos.comprasnet.gov.br/transparencia/contratos";

const historyWire = z.object({
  contrato_id: scalar,
  dados: z.object({
    "Data Assinatura": scalar,
    Número: scalar,
    Tipo: scalar,
    Observação: scalar,
    "Vlr. Global": scalar,
    "Número Contrato": scalar,
  }),
});
type HistoryLine = z.infer<typeof historyWire>;

/** Kind, description, quantity, unit value, total. */
const itemWire = z.object({ contrato_id: scalar, dados: z.tuple([scalar, scalar, scalar, scalar, scalar]) });

/** What the history says of an instrument, by the site's own id. */
type Instrument = { number: string; initialValueCents: Cents | null; signedOn: string | null };

type Shape = "contracts" | "history" | "items" | "other";

async function* read(files: OpenedFile[], context: ReadContext): AsyncGenerator<Batch> {
  const out = batchBuilder();
  const byShape: Record<Shape, Source[]> = { contracts: [], history: [], items: [], other: [] };
  for (const file of files) {
    const { shape, records } = await lookAt(file, out.complainOf(file));
    byShape[shape].push({ file, records });
  }
  const instruments = await readInstruments(byShape.history);
  const idsByNumber = instrumentIds(instruments);
  for (const number of await sharedNumbers(byShape.contracts)) idsByNumber.set(number, null);
  const contractIds = new Map<string, string | null>();
  const [isUnseen, isUnseenRow] = [seenRecords(), seenRows()];
  const run: Run = { out, context, instruments, idsByNumber, contractIds, isUnseen, isUnseenRow };
  for (const shape of ["contracts", "history", "items", "other"] as const) {
    for (const { file, records } of byShape[shape]) {
      const complain = out.complainOf(file);
      const readRecord = readers[shape](run, file, complain);
      for await (const batch of records(complain)) {
        for (const record of batch) readRecord(record);
        if (out.isFull()) yield out.take();
      }
    }
  }
  if (!out.isEmpty()) yield out.take();
}

type Source = { file: OpenedFile; records: (complain: Complain) => AsyncIterable<JsonRecord[]> };

type Run = {
  out: BatchBuilder;
  context: ReadContext;
  instruments: Map<string, Instrument>;
  /** `null`: two instruments of the history, or two contracts, have this number. */
  idsByNumber: Map<string, string | null>;
  /** By contract number; `null`: two contracts have it. */
  contractIds: Map<string, string | null>;
  isUnseen: ReturnType<typeof seenRecords>;
  isUnseenRow: ReturnType<typeof seenRows>;
};

/** The first record tells what is in a file. The history is read twice; from a pipe it is kept instead. */
async function lookAt(file: OpenedFile, complain: Complain): Promise<{ shape: Shape; records: Source["records"] }> {
  if (file.canReadTwice) {
    for await (const [first] of readJsonRecords(file, () => undefined)) {
      return { shape: shapeOf(first), records: (complain) => readJsonRecords(file, complain) };
    }
    return { shape: "other", records: (complain) => readJsonRecords(file, complain) };
  }
  const kept: JsonRecord[][] = [];
  for await (const batch of readJsonRecords(file, complain)) kept.push(batch);
  return { shape: shapeOf(kept[0]?.[0]), records: () => keptRecords(kept) };
}

async function* keptRecords(kept: JsonRecord[][]): AsyncGenerator<JsonRecord[]> {
  yield* kept;
}

function shapeOf(record: JsonRecord | undefined): Shape {
  if (record === undefined) return "other";
  const { contrato_id: id, dados, numeroContrato } = record.value;
  if (numeroContrato !== undefined) return "contracts";
  if (id !== undefined && isObject(dados) && "Tipo" in dados) return "history";
  // Invoices and guarantees have the same form; only items begin with a kind of thing.
  const isItem = Array.isArray(dados) && dados.length === 5 && /^(?:material|servi[cç]o)$/i.test(String(dados[0]));
  return id !== undefined && isItem ? "items" : "other";
}

const readers: Record<Shape, (run: Run, file: OpenedFile, complain: Complain) => (record: JsonRecord) => void> = {
  contracts: (run, file, complain) => (record) => readContract(record, run, file, complain),
  history: (run, file, complain) => (record) => readHistoryLine(record, run, file, complain),
  items: (run, file, complain) => {
    const counts = new Map<string, number>();
    return (record) => readItem(record, counts, run, file, complain);
  },
  other: (_run, _file, complain) => {
    const reason = "neither a contract, nor a line of a history, nor an item";
    return ({ line }) => complain("unusable-record", { line, reason });
  },
};

async function readInstruments(sources: Source[]): Promise<Map<string, Instrument>> {
  const instruments = new Map<string, Instrument>();
  for (const { records } of sources) {
    for await (const batch of records(() => undefined)) {
      for (const { value } of batch) {
        const parsed = historyWire.safeParse(value);
        if (!parsed.success) continue;
        const { contrato_id: id, dados } = parsed.data;
        const fields = fieldReader("");
        const [key, number] = [idText(id), idText(dados["Número Contrato"])];
        if (key === null || number === null) continue;
        const instrument = instruments.get(key) ?? { number, initialValueCents: null, signedOn: null };
        instruments.set(key, instrument);
        if (!isBase(dados)) continue;
        instrument.initialValueCents ??= fields.money("Vlr. Global", dados["Vlr. Global"]) || null;
        instrument.signedOn ??= fields.date("Data Assinatura", dados["Data Assinatura"]);
      }
    }
  }
  return instruments;
}

function instrumentIds(instruments: Map<string, Instrument>): Map<string, string | null> {
  const ids = new Map<string, string | null>();
  for (const [id, { number }] of instruments) ids.set(number, ids.has(number) ? null : id);
  return ids;
}

/** Numbers that contracts of several units have: a history, which names no unit, may be of any of them. */
async function sharedNumbers(sources: Source[]): Promise<Set<string>> {
  const units = new Map<string, string | null>();
  const shared = new Set<string>();
  for (const { records } of sources) {
    for await (const batch of records(() => undefined)) {
      for (const { value } of batch) {
        const wire = contractWire.safeParse(value).data;
        const [number, unit] = [idText(wire?.numeroContrato), idText(wire?.codigoUnidadeGestora)];
        if (number === null) continue;
        if (units.has(number) && units.get(number) !== unit) shared.add(number);
        units.set(number, unit);
      }
    }
  }
  return shared;
}

/** The instrument itself ("Contrato", "Empenho", "Termo de Adesão"…), and not what came after it. */
function isBase(dados: HistoryLine["dados"]): boolean {
  return !/aditivo|apostilamento|rescis/i.test(String(dados.Tipo ?? ""));
}

function readContract({ line, value }: JsonRecord, run: Run, file: OpenedFile, complain: Complain): void {
  const parsed = contractWire.safeParse(value);
  const wire = parsed.data;
  const sourceId = wire === undefined ? null : contractIdOf(wire);
  if (wire === undefined || sourceId === null) {
    return complain("unusable-record", { line, reason: "no contract number, or no managing unit" });
  }
  if (isRevenue(wire)) {
    return complain("revenue-contract", { line, reason: "the State receives: it is no purchase" });
  }
  if (!isNew(run.isUnseen(sourceId, JSON.stringify(value)), line, complain)) return;
  const contract = contractOf(rowFields(sourceId, line, complain), wire);
  const { number } = contract;
  run.contractIds.set(number, run.contractIds.has(number) ? null : sourceId);
  const instrumentId = run.idsByNumber.get(number) ?? null;
  const instrument = instrumentId === null ? undefined : run.instruments.get(instrumentId);
  const url =
    instrumentId === null || pncpContractPage(rawText(wire.numeroControlePncpContrato)) !== null
      ? contractUrl(wire, contract)
      : `${PAGE}/${encodeURIComponent(instrumentId)}`;
  run.out.batch.contracts.push({
    provenance: provenanceOf(run.context, file, { source: SOURCE, sourceId, url }),
    ...contract,
    signedOn: instrument?.signedOn ?? null,
    initialValueCents: instrument?.initialValueCents ?? null,
  });
}

function readHistoryLine({ line, value }: JsonRecord, run: Run, file: OpenedFile, complain: Complain): void {
  const parsed = historyWire.safeParse(value);
  const dados = parsed.data?.dados;
  const instrumentId = idText(parsed.data?.contrato_id);
  const number = idText(dados?.Número);
  if (dados === undefined || instrumentId === null || number === null) {
    return complain("unusable-record", { line, reason: "no contract id, or no number of the term" });
  }
  if (isBase(dados)) return;
  const contractId = contractOfInstrument(instrumentId, line, "orphan-amendment", run, complain);
  if (contractId === null) return;
  const sourceId = `${contractId}/${number}-${fingerprint([JSON.stringify(dados)])}`;
  if (!isNew(run.isUnseenRow(fingerprint([sourceId])), line, complain)) return;
  const fields = rowFields(sourceId, line, complain);
  const after = fields.money("Vlr. Global", dados["Vlr. Global"]);
  run.out.batch.amendments.push({
    provenance: provenanceOf(run.context, file, {
      source: SOURCE,
      sourceId,
      url: `${PAGE}/${encodeURIComponent(instrumentId)}`,
    }),
    contractId,
    number,
    publishedOn: null,
    object: fields.text("Observação", dados.Observação),
    kind: amendmentKind(String(dados.Tipo ?? "")),
    signedOn: fields.date("Data Assinatura", dados["Data Assinatura"]),
    // "0,00" on a closing term is no value.
    valueAfterCents: after === 0 ? null : after,
  });
}

function amendmentKind(type: string): AmendmentKind {
  if (/aditivo/i.test(type)) return "amendment";
  return /apostilamento/i.test(type) ? "endorsement" : "other";
}

function readItem(
  { line, value }: JsonRecord,
  counts: Map<string, number>,
  run: Run,
  file: OpenedFile,
  complain: Complain,
): void {
  const parsed = itemWire.safeParse(value);
  const instrumentId = idText(parsed.data?.contrato_id);
  if (!parsed.success || instrumentId === null) {
    return complain("unusable-record", { line, reason: "no contract id, or not the five cells of an item" });
  }
  const contractId = contractOfInstrument(instrumentId, line, "orphan-item", run, complain);
  if (contractId === null) return;
  const count = (counts.get(contractId) ?? 0) + 1;
  counts.set(contractId, count);
  const sourceId = `${contractId}/item-${count}`;
  const fields = rowFields(sourceId, line, complain);
  const [kind, description, quantity, unitPrice] = parsed.data.dados;
  run.out.batch.items.push({
    provenance: provenanceOf(run.context, file, {
      source: SOURCE,
      sourceId,
      url: `${PAGE}/${encodeURIComponent(instrumentId)}`,
    }),
    contractId,
    number: String(count),
    description: fields.text("descrição", description),
    complement: fields.text("tipo", kind),
    quantity: fields.quantity("quantidade", decimal(quantity)),
    unitPriceCents: fields.money("valor unitário", decimal(unitPrice)),
  });
}

/** Here decimals have a dot. */
function decimal(value: Scalar): Scalar {
  if (typeof value !== "string" || isAbsent(value)) return value;
  const number = Number(value);
  return Number.isNaN(number) ? value : number;
}

function contractOfInstrument(
  instrumentId: string,
  line: number,
  orphan: "orphan-item" | "orphan-amendment",
  { instruments, idsByNumber, contractIds }: Run,
  complain: Complain,
): string | null {
  const number = instruments.get(instrumentId)?.number;
  const contractId = number === undefined ? undefined : contractIds.get(number);
  if (number === undefined || contractId === undefined) {
    complain(orphan, { line, reason: "its contract was read from none of the files" });
    return null;
  }
  if (contractId !== null && idsByNumber.get(number) !== null) return contractId;
  complain("ambiguous-contract-key", { line, reason: "two contracts, or two histories, share this number" });
  return null;
}
