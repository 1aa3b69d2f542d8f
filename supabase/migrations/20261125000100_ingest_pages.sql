-- A page of a source is stored whole or not at all: its records, what of it was refused, and where the reading goes on.
-- What a record said before it changed is kept.

alter table public.contracts
  add column buyer_sphere text
    constraint contracts_buyer_sphere_check check (buyer_sphere in ('federal', 'state', 'municipal', 'unknown')),
  add column buyer_state text,
  add column category text,
  add column estimated_value_cents bigint;

alter table public.contract_items
  add column classification_scheme text,
  add column classification_id text,
  add column unit_of_measure text;

alter table public.amendments
  add column kind text constraint amendments_kind_check check (kind in ('amendment', 'endorsement', 'other')),
  add column signed_on date,
  add column increase_cents bigint,
  add column decrease_cents bigint,
  add column value_after_cents bigint;

create table public.price_registrations (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  number text not null,
  tender_id text,
  object text,
  agency_code text not null,
  agency_name text not null,
  unit_code text not null,
  unit_name text not null,
  signed_on date,
  starts_on date,
  ends_on date,
  cancelled boolean not null,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);

alter table public.ingest_runs
  add column excluded int not null default 0,
  add column complaints int not null default 0,
  add column quarantined int not null default 0,
  add column pages int not null default 0,
  add column pages_from_cache int not null default 0;

-- What a record said until a later answer of the source changed it: the columns that changed, with their old values.
create table public.record_changes (
  id uuid primary key default gen_random_uuid(),
  relation text not null,
  source text not null,
  source_id text not null,
  was jsonb not null,
  retrieved_at timestamptz not null,
  replaced_at timestamptz not null default now()
);
create index record_changes_of_record on public.record_changes (source, source_id, relation);

-- Records that could not be used, each once however often it comes. `raw` is cut short and holds no CPF.
create table public.quarantined_records (
  key text primary key,
  run_id uuid not null,
  source text not null,
  dataset text not null,
  source_id text,
  reason text not null,
  raw jsonb not null,
  first_seen_at timestamptz not null default now()
);
create index quarantined_records_of_run on public.quarantined_records (run_id);

create function public.keep_record_change() returns trigger
language plpgsql
set search_path = ''
as $$
begin
  insert into public.record_changes (relation, source, source_id, was, retrieved_at)
  select tg_table_name, old.source, old.source_id, jsonb_object_agg(before.key, before.value), old.retrieved_at
    from jsonb_each(to_jsonb(old)) before
    join jsonb_each(to_jsonb(new)) after using (key)
   where before.value is distinct from after.value
     and before.key not in ('content_hash', 'retrieved_at', 'changed_at')
  having count(*) > 0;
  return null;
end
$$;

create trigger keep_change after update on public.agencies for each row execute function public.keep_record_change();
create trigger keep_change after update on public.suppliers for each row execute function public.keep_record_change();
create trigger keep_change after update on public.contracts for each row execute function public.keep_record_change();
create trigger keep_change after update on public.contract_items for each row execute function public.keep_record_change();
create trigger keep_change after update on public.amendments for each row execute function public.keep_record_change();
create trigger keep_change after update on public.price_registrations for each row execute function public.keep_record_change();
create trigger keep_change after update on public.sanctions for each row execute function public.keep_record_change();

drop function public.ingest_records(text, jsonb);

-- Upserts a batch into a table of records and says what it did. The batch comes as lines of text, one a record, instead
-- of JSON, which costs PostgREST and PostgreSQL more than the writing itself: fields end with U+E000, lines with U+E001,
-- and U+E002 alone is null, private characters which the writer leaves out of every text. Lists and objects are JSON.
-- A row whose content hash is the stored one is not written, nor one that was read before the stored one. `p_only_new`:
-- rows that other records only mention, whose names differ from one mention to the next; the first stays. Rows are taken
-- in key order, so that two batches that overlap cannot deadlock; an update names no key column, so that it does not lock
-- out rows that refer to this one.
create function public.ingest_lines(p_table text, p_columns text[], p_lines text, p_only_new boolean default false)
returns table (inserted int, updated int, unchanged int)
language plpgsql
set search_path = ''
as $$
declare
  v_values text;
  v_columns text;
  v_assignments text;
  v_unknown text;
begin
  -- Tables of records are those with a content hash.
  if not exists (select 1 from pg_catalog.pg_attribute
                  where attrelid = to_regclass(format('public.%I', p_table)) and attname = 'content_hash') then
    raise exception 'ingest_lines does not know the table %', p_table using errcode = '22023';
  end if;
  select string_agg(
           format(case when a.atttypid = 'text[]'::regtype
                    then 'array(select jsonb_array_elements_text(fields[%s]::jsonb)) as %3$I' else 'fields[%s]::%s as %I' end,
                  given.place, format_type(a.atttypid, a.atttypmod), given.name), ', ' order by given.place),
         string_agg(format('%I', given.name), ', ' order by given.place),
         string_agg(format('%1$I = excluded.%1$I', given.name), ', ' order by given.place)
           filter (where given.name not in ('source', 'source_id')),
         string_agg(given.name, ', ') filter (where a.attname is null)
    into v_values, v_columns, v_assignments, v_unknown
    from unnest(p_columns) with ordinality as given (name, place)
    left join pg_catalog.pg_attribute a
      on a.attrelid = format('public.%I', p_table)::regclass and a.attname = given.name and a.attnum > 0
     and not a.attisdropped and given.name not in ('first_seen_at', 'changed_at');
  if v_unknown is not null then
    raise exception 'the table % has no column %', p_table, v_unknown using errcode = '42703';
  end if;
  return query execute format(
    'with given as (
       select distinct on (source, source_id) %2$s
         from (select %3$s from (select string_to_array(line, U&''\E000'', U&''\E002'') as fields
                                   from string_to_table($1, U&''\E001'') as line offset 0) as read) as records
       order by source, source_id, retrieved_at desc, content_hash
     ), written as (
       insert into public.%1$I as t (%2$s) select %2$s from given
       on conflict (source, source_id) do %4$s
       returning (xmax = 0) as is_new
     )
     select count(*) filter (where is_new)::int, count(*) filter (where not is_new)::int,
            ((select count(*) from given) - count(*))::int
       from written',
    p_table, v_columns, v_values,
    case when p_only_new then 'nothing' else format(
      'update set %s, changed_at = now()
        where t.content_hash is distinct from excluded.content_hash and t.retrieved_at <= excluded.retrieved_at',
      v_assignments) end)
  using p_lines;
end
$$;

-- One page, in one transaction. p_tables: [{"table", "columns", "lines", "only_new"}] in the order in which they refer to one
-- another; p_rejects: [{"key", "source_id", "reason", "raw"}]; p_cursor: {"name", "position"} or null; p_seen: what the
-- page held, added to the counts of its run.
create function public.ingest_page(p_run uuid, p_tables jsonb, p_rejects jsonb, p_cursor jsonb, p_seen jsonb)
returns table (inserted int, updated int, unchanged int, quarantined int)
language plpgsql
set search_path = ''
as $$
declare
  v_source text;
  v_dataset text;
  v_given jsonb;
  v_batch record;
  v_inserted int := 0;
  v_updated int := 0;
  v_unchanged int := 0;
  v_quarantined int;
begin
  select r.source, r.dataset into v_source, v_dataset from public.ingest_runs r where r.id = p_run;
  if not found then
    raise exception 'there is no ingest run %', p_run using errcode = '22023';
  end if;
  for v_given in select t.given from jsonb_array_elements(p_tables) with ordinality t (given, place) order by t.place
  loop
    select * into v_batch
      from public.ingest_lines(
        v_given ->> 'table', array(select jsonb_array_elements_text(v_given -> 'columns')), v_given ->> 'lines',
        coalesce((v_given ->> 'only_new')::boolean, false));
    v_inserted := v_inserted + v_batch.inserted;
    v_updated := v_updated + v_batch.updated;
    v_unchanged := v_unchanged + v_batch.unchanged;
  end loop;
  insert into public.quarantined_records (key, run_id, source, dataset, source_id, reason, raw)
  select distinct on (q ->> 'key') q ->> 'key', p_run, v_source, v_dataset, q ->> 'source_id', q ->> 'reason', q -> 'raw'
    from jsonb_array_elements(p_rejects) q
   order by q ->> 'key'
  on conflict (key) do nothing;
  get diagnostics v_quarantined = row_count;
  if p_cursor is not null then
    insert into public.ingest_cursors (source, name, position, updated_at)
    values (v_source, p_cursor ->> 'name', p_cursor -> 'position', now())
    on conflict (source, name) do update set position = excluded.position, updated_at = excluded.updated_at;
  end if;
  update public.ingest_runs r
     set inserted = r.inserted + v_inserted,
         updated = r.updated + v_updated,
         unchanged = r.unchanged + v_unchanged,
         quarantined = r.quarantined + v_quarantined,
         records = r.records + coalesce((p_seen ->> 'records')::int, 0),
         rejected = r.rejected + coalesce((p_seen ->> 'rejected')::int, 0),
         excluded = r.excluded + coalesce((p_seen ->> 'excluded')::int, 0),
         complaints = r.complaints + coalesce((p_seen ->> 'complaints')::int, 0),
         pages = r.pages + coalesce((p_seen ->> 'pages')::int, 0),
         pages_from_cache = r.pages_from_cache + coalesce((p_seen ->> 'pages_from_cache')::int, 0)
   where r.id = p_run;
  return query select v_inserted, v_updated, v_unchanged, v_quarantined;
end
$$;

alter table public.price_registrations enable row level security;
alter table public.record_changes enable row level security;
alter table public.quarantined_records enable row level security;
create policy public_records on public.price_registrations for select to anon, authenticated using (true);

revoke execute on function public.keep_record_change() from public, anon, authenticated;
revoke execute on function public.ingest_lines(text, text[], text, boolean) from public, anon, authenticated;
grant execute on function public.ingest_lines(text, text[], text, boolean) to service_role;
revoke execute on function public.ingest_page(uuid, jsonb, jsonb, jsonb, jsonb) from public, anon, authenticated;
grant execute on function public.ingest_page(uuid, jsonb, jsonb, jsonb, jsonb) to service_role;
