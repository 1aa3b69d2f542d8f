import { alertKinds, alertStatuses, channelIds, deliveryStatuses } from "@cidadao/domain/alert";
import { anomalyStatuses, subjectKinds, verdicts } from "@cidadao/domain/anomaly";
import { amendmentKinds, directAwardKinds, procurementMethods, supplierKinds } from "@cidadao/domain/contract";
import {
  investigationOrigins,
  investigationOutcomes,
  investigationPhases,
  investigationPriorities,
  investigationStatuses,
} from "@cidadao/domain/investigation";
import { integrityRegisters } from "@cidadao/domain/register-entry";
import { expensePhases } from "@cidadao/domain/expense-document";
import { governmentSpheres, sanctionOrigins } from "@cidadao/domain/sanction";
import { severities } from "@cidadao/domain/severity";
import { watchKinds } from "@cidadao/domain/watch";
import { applyMigrations } from "@cidadao/embedded/migrate";
import { afterAll, describe, expect, test } from "vitest";
import { migrationsFolder } from "./support/folders.ts";
import { openEmptyDatabase, openTestStore } from "./support/stack.ts";

const db = await openTestStore();
afterAll(() => db[Symbol.asyncDispose]());

/** Every column that takes one of a few words, and the words as the code knows them. */
const words: Record<string, readonly string[]> = {
  "suppliers.kind": supplierKinds,
  "contracts.procurement_method": procurementMethods,
  "contracts.direct_award_kind": directAwardKinds,
  "contracts.supplier_kind": supplierKinds,
  "contracts.buyer_sphere": governmentSpheres,
  "amendments.kind": amendmentKinds,
  "sanctions.list": sanctionOrigins,
  "reference_prices.catalogue": ["CATMAT", "CATSER"],
  "reference_prices.supplier_kind": supplierKinds,
  "expense_documents.phase": expensePhases,
  "expense_documents.payee_kind": supplierKinds,
  "tenderers.kind": supplierKinds,
  "register_entries.register": integrityRegisters,
  "sanctions.supplier_kind": ["company", "person", "unknown"],
  "sanctions.body_sphere": governmentSpheres,
  "ingest_runs.status": ["running", "completed", "partial", "failed"],
  "investigations.origin": investigationOrigins,
  "investigations.priority": investigationPriorities,
  "investigations.visibility": ["public", "private"],
  "investigations.status": investigationStatuses,
  "investigations.outcome": investigationOutcomes,
  "investigations.phase": investigationPhases,
  "investigation_events.phase": investigationPhases,
  "anomalies.subject_kind": subjectKinds,
  "anomalies.severity": severities,
  "anomalies.explanation_source": ["model", "template"],
  "anomalies.status": anomalyStatuses,
  "alerts.severity": severities,
  "alerts.status": alertStatuses,
  "alerts.kind": alertKinds,
  "alert_findings.severity": severities,
  "alert_deliveries.channel": channelIds,
  "alert_targets.channel": channelIds,
  "alert_deliveries.status": deliveryStatuses,
  "watches.subject_kind": watchKinds,
  "watches.channel": channelIds,
  "watches.severity_min": severities,
  "investigation_feedback.verdict": verdicts,
  "ml_training_datasets.label": verdicts,
  "entity_risks.kind": ["supplier", "agency"],
  "schedule_runs.origin": ["schedule", "manual"],
  "schedule_runs.status": ["pending", "running", "completed", "failed"],
};

/** Checks that are about something else than the words of one column. */
const otherChecks = [
  "alerts_has_content",
  "anomalies_explained",
  "anomalies_score_check",
  "investigations_failure_when_failed",
  "investigations_outcome_when_completed",
  "investigations_private_has_owner",
  "investigations_progress_check",
  "municipalities_code_check",
  "municipalities_state_check",
  "sanctions_person_masked_check",
  "suppliers_person_masked_check",
  "tenderers_person_masked_check",
];

describe("the schema", () => {
  test("takes exactly the words that the code knows, in every column that takes words", async () => {
    const checks = await db.sql<{ relation: string; name: string; definition: string }>(
      `select c.conrelid::regclass::text as relation, c.conname as name, pg_get_constraintdef(c.oid) as definition
         from pg_constraint c where c.contype = 'c' and c.connamespace = 'public'::regnamespace`,
    );
    const found: Record<string, string[]> = {};
    const others: string[] = [];
    for (const { relation, name, definition } of checks) {
      const check = /^CHECK \(\((\w+) = (?:ANY \(ARRAY\[(.+)\]\)|('[^']+'::text))\)\)$/.exec(definition);
      if (check)
        found[`${relation}.${check[1]}`] = [...(check[2] ?? check[3]!).matchAll(/'([^']+)'::text/g)].map(
          ([, word]) => word!,
        );
      else others.push(name);
    }
    const sorted = (table: Record<string, readonly string[]>) =>
      Object.fromEntries(Object.entries(table).map(([column, list]) => [column, list.toSorted()]));
    expect(sorted(found)).toEqual(sorted(words));
    expect(others.toSorted()).toEqual(otherChecks);
  });

  test("has row-level security on every table", async () => {
    const tables = await db.sql<{ name: string; secured: boolean }>(
      `select relname as name, relrowsecurity as secured from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')`,
    );
    expect(tables.length).toBeGreaterThan(0);
    expect(tables.filter((table) => !table.secured)).toEqual([]);
  });

  test("holds nothing in public but tables, indexes and functions: a view would pass by row-level security", async () => {
    const others = await db.sql(
      `select relname, relkind from pg_class
        where relnamespace = 'public'::regnamespace and relkind not in ('r', 'p', 'i', 'I', 'S')`,
    );
    expect(others).toEqual([]);
  });

  test("lets the service role alone execute its functions, each with an empty search path and the caller's rights", async () => {
    const functions = await db.sql<{ name: string; callers: string[]; settings: string[]; definer: boolean }>(
      `select p.proname as name, coalesce(p.proconfig, '{}') as settings, p.prosecdef as definer,
              array(select r from unnest(array['anon', 'authenticated', 'service_role']) r
                     where has_function_privilege(r, p.oid, 'execute')) as callers
         from pg_proc p where p.pronamespace = 'public'::regnamespace order by p.proname`,
    );
    expect(functions.length).toBeGreaterThan(0);
    for (const one of functions) {
      expect(one).toEqual({ name: one.name, callers: ["service_role"], settings: ['search_path=""'], definer: false });
    }
  });

  test("is proven where new functions and tables are open to everybody, as on hosted Supabase", async () => {
    await using session = await db.session();
    await session.sql("begin");
    await session.sql("create function public.open_to_all() returns int language sql as 'select 1'");
    await session.sql("create table public.open_to_all ()");
    const [open] = await session.sql(
      `select has_function_privilege('anon', 'public.open_to_all()', 'execute') as function,
              has_table_privilege('anon', 'public.open_to_all', 'insert') as table`,
    );
    await session.sql("rollback");
    expect(open).toEqual({ function: true, table: true });
  });

  test("names every ingested record by its source and its id there", async () => {
    const tables = await db.sql<{ name: string; key: string[] }>(
      `select t.relname as name,
              array(select a.attname::text from pg_constraint c, unnest(c.conkey) with ordinality k (attnum, position)
                      join pg_attribute a using (attnum)
                     where c.conrelid = t.oid and c.contype = 'p' and a.attrelid = t.oid order by k.position) as key
         from pg_class t join pg_attribute h on h.attrelid = t.oid and h.attname = 'content_hash'
        where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' order by t.relname`,
    );
    const ingested = [
      "agencies",
      "amendments",
      "commitments",
      "company_flags",
      "contract_items",
      "contracts",
      "expense_documents",
      "municipalities",
      "price_registrations",
      "reference_prices",
      "register_entries",
      "registrations",
      "sanctions",
      "suppliers",
      "tenderers",
    ];
    expect(tables).toEqual(ingested.map((name) => ({ name, key: ["source", "source_id"] })));
  });

  test("keeps money in whole cents and says so in the column's name", async () => {
    const columns = await db.sql<{ column: string; type: string }>(
      `select table_name || '.' || column_name as column, data_type as type from information_schema.columns
        where table_schema = 'public' and column_name ~ '(cents|value|price|amount|cost|total)' and data_type <> 'jsonb'`,
    );
    expect(columns.length).toBeGreaterThan(0);
    for (const { column, type } of columns)
      expect({ column, type }).toEqual({ column: expect.stringMatching(/_cents$/), type: "bigint" });
  });

  test("has floating-point and decimal columns only where a number is no money", async () => {
    const columns = await db.sql<{ column: string }>(
      `select table_name || '.' || column_name as column from information_schema.columns
        where table_schema = 'public' and data_type in ('real', 'double precision', 'numeric', 'money') order by 1`,
    );
    expect(columns.map(({ column }) => column)).toEqual([
      "anomalies.score",
      "contract_items.quantity",
      "investigation_events.progress",
      "investigations.progress",
      "reference_prices.quantity",
    ]);
  });

  test("keeps every moment with its zone", async () => {
    const zoneless = `select table_name, column_name from information_schema.columns
                       where table_schema = 'public' and data_type = 'timestamp without time zone'`;
    expect(await db.sql(zoneless)).toEqual([]);
  });
});

describe("migrations", () => {
  test("apply to an empty server once, also when two processes apply them at the same moment", async () => {
    await using empty = await openEmptyDatabase();
    const apply = () => applyMigrations(empty.databaseUrl, migrationsFolder);
    const [first, second] = await Promise.all([apply(), apply()]);
    const applied = [...first, ...second];
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
    expect([first, second]).toContainEqual([]);
    const recorded = await empty.sql(
      "select version || '_' || name || '.sql' as file from supabase_migrations.schema_migrations",
    );
    expect(new Set(recorded.map(({ file }) => file))).toEqual(new Set(applied));
    expect(await apply()).toEqual([]);
  });
});
