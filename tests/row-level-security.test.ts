import { ingestRecords } from "./support/ingest-records.ts";
import type { Store } from "@cidadao/database/store";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agency, contract, noLimit, provenance, sanction, supplier } from "./support/records.ts";
import { openTestStore } from "./support/stack.ts";

/**
 * What anonymous visitors and signed-in users may read of each table. A table without an entry here fails the tests:
 * whoever adds one decides.
 */
const readable: Record<string, "all" | "of visible investigations" | "own" | "nothing"> = {
  agencies: "all",
  suppliers: "all",
  contracts: "all",
  contract_items: "all",
  amendments: "all",
  price_registrations: "all",
  sanctions: "all",
  register_entries: "all",
  municipalities: "all",
  reference_prices: "all",
  company_flags: "all",
  expense_documents: "all",
  tenderers: "all",
  commitments: "all",
  investigations: "of visible investigations",
  investigation_events: "of visible investigations",
  anomalies: "of visible investigations",
  reports: "of visible investigations",
  alerts: "nothing",
  alert_findings: "nothing",
  alert_deliveries: "nothing",
  alert_targets: "nothing",
  watches: "own",
  worker_presence: "nothing",
  ingest_runs: "nothing",
  ingest_cursors: "nothing",
  quarantined_records: "nothing",
  record_changes: "nothing",
  source_responses: "nothing",
  schedule_runs: "nothing",
  schedule_starts: "nothing",
  registrations: "nothing",
  registration_lookups: "nothing",
  daily_metrics: "all",
  detector_precision: "all",
  investigation_feedback: "nothing",
  ml_training_datasets: "nothing",
  entity_risks: "all",
  source_probes: "all",
  coverage_snapshots: "all",
  supplier_communities: "nothing",
  sanction_matches: "nothing",
  contract_screenings: "nothing",
};

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

const [alice, bob] = [crypto.randomUUID(), crypto.randomUUID()];
const principals: Record<string, Store> = {
  "an anonymous visitor": db.anonClient,
  "a signed-in user": db.clientFor(bob),
  "the owner of a private investigation": db.clientFor(alice),
};
const inventory = await db.sql<{ name: string }>(
  "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
);
const tables = inventory.map(({ name }) => name);
const functions = await db.sql<{ name: string; arguments: string[] }>(
  `select proname as name, proargnames[1:pronargs] as arguments from pg_proc
    where pronamespace = 'public'::regnamespace and prorettype <> 'trigger'::regtype order by proname`,
);
const investigationIds: Record<"public" | "private", string> = {
  public: crypto.randomUUID(),
  private: crypto.randomUUID(),
};

beforeAll(async () => {
  const { store, sql } = db;
  await ingestRecords(store, "agencies", [agency("26435")], noLimit);
  await ingestRecords(store, "suppliers", [supplier("15195707000178")], noLimit);
  await ingestRecords(store, "contracts", [contract("c1")], noLimit);
  const ofContract = { contractId: "c1", number: "1" };
  await ingestRecords(store, "contract_items", [{ provenance: provenance("i1"), ...ofContract }], noLimit);
  await ingestRecords(store, "amendments", [{ provenance: provenance("a1"), ...ofContract }], noLimit);
  const tenderer = { tenderId: "c1", kind: "unknown", name: "T" };
  await ingestRecords(store, "tenderers", [{ provenance: provenance("t1"), ...tenderer }], noLimit);
  const commitment = { contractId: "c1", code: "NE1" };
  await ingestRecords(store, "commitments", [{ provenance: provenance("n1"), ...commitment }], noLimit);
  await ingestRecords(store, "sanctions", [sanction("s1", "15195707000178")], noLimit);
  const company = { provenance: provenance("r1"), cnpj: "15195707000178", name: "Empresa", partners: [] };
  await ingestRecords(store, "registrations", [company], noLimit);
  await sql("insert into registration_lookups values ('15195707000178', true, now())");
  for (const visibility of ["public", "private"] as const) {
    const id = investigationIds[visibility];
    await sql(
      `insert into investigations (id, visibility, owner_id, scope, origin, request_hash)
       values ($1, $2, $3, '{}', 'api', 'r')`,
      [id, visibility, alice],
    );
    await sql("insert into investigation_events values ($1, 1, 'opened', 0, 'Aberta.')", [id]);
    await sql("insert into reports values ($1, 'Relatório', '#', '{}', '[]', '[]')", [id]);
    await sql(
      `insert into anomalies (investigation_id, rank, fingerprint, detector, detector_version, subject_kind, subject_id,
         subject_label, title, reason, score, severity, amount_at_risk_cents, evidence)
       values ($1, 1, 'f', 'd', 1, 'contract', 's', 'l', 't', 'r', 0.9, 'high', 1, '{}')`,
      [id],
    );
    const [alert] = await sql<{ id: string }>(
      "insert into alerts (investigation_id, dedupe_key, severity, findings) values ($1, $2, 'high', 1) returning id",
      [id, visibility],
    );
    await sql("insert into alert_findings values ($1, $2, 'high')", [`f-${visibility}`, alert!.id]);
    await sql("insert into alert_deliveries (alert_id, channel, target) values ($1, 'discord', 'main')", [alert!.id]);
  }
  await sql("insert into daily_metrics (day, figures) values ('2024-01-01', '{}')");
  await sql(
    "insert into entity_risks (kind, entity_id, name, risk_tenths, parts) values ('agency', 'a', 'n', 1, '{}')",
  );
  await sql("insert into source_probes (source, is_up, duration_ms) values ('s', true, 1)");
  await sql("insert into coverage_snapshots (apis, off) values ('[]', '[]')");
  await sql("insert into supplier_communities values ('s', '[]', '[]', 1, 1)");
  await sql("insert into sanction_matches values ('s', 'i', 't', 1, 1)");
  await sql("insert into contract_screenings values ('s', 'i', 1, '[]')");
  await sql(
    "insert into investigation_feedback (anomaly_id, fingerprint, detector, detector_version, verdict) select id, 'f', 'd', 1, 'confirmed' from anomalies limit 1",
  );
  await sql("insert into ml_training_datasets values ('f', 'd', 1, '{}', 'confirmed', now())");
  await sql("insert into detector_precision values ('d', 1, 1, 1)");
  await sql("insert into alert_targets (channel, target) values ('discord', 'main')");
  for (const owner of [alice, null])
    await sql(
      `insert into watches (owner_id, subject_kind, subject_id, channel, target, address)
       values ($1, 'agency', $2, 'email', 't', 'a')`,
      [owner, owner ?? "26435"],
    );
  await sql("insert into ingest_runs (source, dataset, scope, status) values ('s', 'd', '{}', 'running')");
  const registration = {
    number: "1",
    agencyCode: "1",
    agencyName: "A",
    unitCode: "1",
    unitName: "U",
    cancelled: false,
  };
  await ingestRecords(store, "price_registrations", [{ provenance: provenance("p1"), ...registration }], noLimit);
  const entry = { provenance: provenance("r1"), register: "cepim", companies: [] };
  await ingestRecords(store, "register_entries", [entry], noLimit);
  const place = { provenance: provenance("2611606"), code: "2611606", name: "Recife", state: "PE" };
  await ingestRecords(store, "municipalities", [place], noLimit);
  const buyer = { agencyCode: "1", agencyName: "A", unitCode: "1", unitName: "U" };
  const price = { catalogue: "CATMAT", itemCode: "1", supplierKind: "unknown", supplierName: "S", ...buyer };
  await ingestRecords(store, "reference_prices", [{ provenance: provenance("f1"), ...price }], noLimit);
  const flags = { taxId: "15195707000178", name: "N", flags: {} };
  await ingestRecords(store, "company_flags", [{ provenance: provenance("e1"), ...flags }], noLimit);
  const expense = { code: "1", phase: "payment", payeeKind: "unknown", payeeName: "P", ...buyer };
  await ingestRecords(store, "expense_documents", [{ provenance: provenance("x1"), ...expense }], noLimit);
  await sql(
    `insert into record_changes (relation, source, source_id, was, retrieved_at) values ('r', 's', 'i', '{}', now())`,
  );
  await sql(
    `insert into quarantined_records (key, run_id, source, dataset, reason, raw)
     values ('k', gen_random_uuid(), 's', 'd', 'r', '{}')`,
  );
  await sql("insert into worker_presence (worker) values ('w')");
  await sql("insert into ingest_cursors values ('s', 'n', '{}')");
  await sql("insert into source_responses values ('k', '{}', now(), now())");
  await sql("insert into schedule_runs (schedule_id, slot, job) values ('s', now(), 'j')");
  await sql("insert into schedule_starts (schedule_id, slot) values ('s', now())");
});

async function rowsSeenBy(client: Store, table: string): Promise<Record<string, unknown>[]> {
  const { data, error } = await client.from(table).select("*");
  if (error) throw new Error(`${table}: ${error.message}`);
  return data as Record<string, unknown>[];
}

test("somebody has decided who may read each table, and each has rows to prove it on", async () => {
  expect(Object.keys(readable).toSorted()).toEqual(tables);
  for (const table of tables) expect(await rowsSeenBy(db.store, table), table).not.toEqual([]);
});

describe.each(Object.entries(principals))("%s", (_, client) => {
  const isAlice = client === principals["the owner of a private investigation"];
  const own = isAlice ? [investigationIds.private] : [];
  const mayRead = (table: string, row: Record<string, unknown>) => {
    const investigation = row[table === "investigations" ? "id" : "investigation_id"];
    const visible = [investigationIds.public, ...own].includes(String(investigation));
    const isOwn = isAlice && row["owner_id"] === alice;
    return { all: true, nothing: false, own: isOwn, "of visible investigations": visible }[readable[table]!];
  };

  test.each(tables)("reads of %s what was decided and no more", async (table) => {
    const whole = await rowsSeenBy(db.store, table);
    expect(await rowsSeenBy(client, table)).toEqual(whole.filter((row) => mayRead(table, row)));
  });

  test.each(tables)("inserts, replaces, changes and deletes nothing in %s", async (table) => {
    const before = await rowsSeenBy(db.store, table);
    const row = before[0]!;
    const [column, value] = Object.entries(row)[0]!;
    expect((await client.from(table).insert(row)).error?.code).toBe("42501");
    expect((await client.from(table).insert({})).error?.code).toBe("42501");
    expect((await client.from(table).upsert(row)).error?.code).toBe("42501");
    expect((await client.from(table).update(row).eq(column, value).select()).data ?? []).toEqual([]);
    expect((await client.from(table).delete().eq(column, value).select()).data ?? []).toEqual([]);
    expect(await rowsSeenBy(db.store, table)).toEqual(before);
  });

  test.each(functions)("may not call $name", async (one) => {
    const nothing = Object.fromEntries((one.arguments ?? []).map((argument) => [argument, null]));
    expect((await client.rpc(one.name, nothing)).error?.code).toBe("42501");
  });

  test("reaches no alert through the anomalies that it may read", async () => {
    const { data } = await client.from("anomalies").select("investigations(alerts(id))");
    const reached = data as unknown as { investigations: { alerts: unknown[] } }[];
    expect(reached.length).toBeGreaterThan(0);
    expect(reached.flatMap((row) => row.investigations.alerts)).toEqual([]);
  });
});

test("the service role writes every table", async () => {
  for (const table of tables) {
    const [row] = await rowsSeenBy(db.store, table);
    const [column, value] = Object.entries(row!)[0]!;
    const { data, error } = await db.store
      .from(table)
      .update({ [column]: value })
      .eq(column, value as string)
      .select();
    expect({ table, error }).toEqual({ table, error: null });
    expect(data).not.toEqual([]);
  }
});

test("a key that was signed by somebody else opens nothing", async () => {
  const [header, claims] = db.serviceRoleKey.split(".");
  const forged = `${header}.${claims}.${"A".repeat(43)}`;
  const answer = await fetch(`${db.supabaseUrl}/rest/v1/contracts`, { headers: { authorization: `Bearer ${forged}` } });
  expect(answer.status).toBe(401);
});
