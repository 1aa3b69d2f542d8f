-- What is ingested from public sources. Each row is one record of one publisher: (source, source_id) names it,
-- content_hash tells whether it changed, url and retrieved_at let a person check it, sample says if it is a recording.
-- Money is in cents.

create table public.agencies (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  code text not null,
  name text not null,
  parent_code text,
  parent_name text,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);

create table public.suppliers (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  kind text not null
    constraint suppliers_kind_check check (kind in ('company', 'person', 'foreign', 'public_body', 'secret', 'unknown')),
  tax_id text,
  name text not null,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  constraint suppliers_person_masked_check check (kind <> 'person' or tax_id is null or tax_id like '***.%-**')
);
create index suppliers_tax_id on public.suppliers (tax_id);

create table public.contracts (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  number text not null,
  object text,
  procurement_method text not null
    constraint contracts_procurement_method_check
    check (procurement_method in ('open', 'selective', 'limited', 'direct', 'unknown')),
  procurement_method_details text,
  direct_award_kind text
    constraint contracts_direct_award_kind_check check (direct_award_kind in ('waived', 'no_competition')),
  legal_basis text,
  agency_code text not null,
  agency_name text not null,
  parent_agency_code text,
  parent_agency_name text,
  unit_code text not null,
  unit_name text not null,
  supplier_id text not null,
  supplier_kind text not null
    constraint contracts_supplier_kind_check
    check (supplier_kind in ('company', 'person', 'foreign', 'public_body', 'secret', 'unknown')),
  supplier_tax_id text,
  supplier_name text not null,
  signed_on date,
  published_on date,
  starts_on date,
  ends_on date,
  initial_value_cents bigint,
  current_value_cents bigint,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  foreign key (source, agency_code) references public.agencies (source, source_id),
  foreign key (source, supplier_id) references public.suppliers (source, source_id)
);
create index contracts_by_agency on public.contracts (agency_code, starts_on, ends_on);
create index contracts_by_supplier on public.contracts (supplier_tax_id);
create index contracts_supplier_reference on public.contracts (source, supplier_id);

create table public.contract_items (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  contract_id text not null,
  number text not null,
  description text,
  complement text,
  quantity numeric,
  unit_price_cents bigint,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  foreign key (source, contract_id) references public.contracts (source, source_id) on delete cascade
);
create index contract_items_by_contract on public.contract_items (source, contract_id);

create table public.amendments (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  contract_id text not null,
  number text not null,
  published_on date,
  object text,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  foreign key (source, contract_id) references public.contracts (source, source_id) on delete cascade
);
create index amendments_by_contract on public.amendments (source, contract_id);

create table public.sanctions (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  list text not null constraint sanctions_list_check check (list in ('ceis', 'cnep')),
  supplier_kind text not null
    constraint sanctions_supplier_kind_check check (supplier_kind in ('company', 'person', 'unknown')),
  tax_id text,
  name text not null,
  kind text not null,
  legal_basis text[] not null default '{}',
  starts_on date,
  ends_on date,
  end_known boolean not null,
  sanctioning_body text not null,
  body_sphere text not null
    constraint sanctions_body_sphere_check check (body_sphere in ('federal', 'state', 'municipal', 'unknown')),
  body_state text,
  scope text,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  constraint sanctions_person_masked_check check (supplier_kind <> 'person' or tax_id is null or tax_id like '***.%-**')
);
create index sanctions_by_tax_id on public.sanctions (tax_id);
create index sanctions_by_root on public.sanctions (left(tax_id, 8)) where supplier_kind = 'company';

-- One row a reading of one source: what was asked, what came, what was refused and why.
create table public.ingest_runs (
  id uuid primary key default gen_random_uuid(),
  source text not null,
  dataset text not null,
  scope jsonb not null,
  investigation_id uuid,
  status text not null
    constraint ingest_runs_status_check check (status in ('running', 'completed', 'partial', 'failed')),
  asked int not null default 0,
  answered int not null default 0,
  records int not null default 0,
  inserted int not null default 0,
  updated int not null default 0,
  unchanged int not null default 0,
  rejected int not null default 0,
  problems jsonb not null default '[]',
  sample text,
  started_at timestamptz not null default now(),
  finished_at timestamptz
);
create index ingest_runs_latest on public.ingest_runs (source, dataset, finished_at desc);

-- Where an incremental reading goes on.
create table public.ingest_cursors (
  source text not null,
  name text not null,
  position jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (source, name)
);

-- Answers of public sources, by every parameter of the question; errors never enter.
create table public.source_responses (
  key text primary key,
  response jsonb not null,
  stored_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index source_responses_expiry on public.source_responses (expires_at);

-- Upserts a batch into one of the tables above and says what it did. A row whose content hash is the stored one is not
-- written. Rows are taken in key order, so that two batches that overlap cannot deadlock; an update names no key column,
-- so that it does not lock out rows that refer to this one while they are written.
create function public.ingest_records(p_table text, p_rows jsonb)
returns table (inserted int, updated int, unchanged int)
language plpgsql
set search_path = ''
as $$
declare
  v_columns text;
  v_assignments text;
  v_given int;
begin
  if p_table not in ('agencies', 'suppliers', 'contracts', 'contract_items', 'amendments', 'sanctions') then
    raise exception 'ingest_records does not know the table %', p_table using errcode = '22023';
  end if;
  select string_agg(format('%I', c.column_name), ', ' order by c.ordinal_position),
         string_agg(format('%1$I = excluded.%1$I', c.column_name), ', ' order by c.ordinal_position)
           filter (where c.column_name not in ('source', 'source_id'))
    into v_columns, v_assignments
    from information_schema.columns c
   where c.table_schema = 'public' and c.table_name = p_table and c.column_name not in ('first_seen_at', 'changed_at');
  select count(distinct (r ->> 'source', r ->> 'source_id')) into v_given from jsonb_array_elements(p_rows) r;
  return query execute format(
    'with given as (
       select distinct on (source, source_id) %2$s from jsonb_populate_recordset(null::public.%1$I, $1)
       order by source, source_id
     ), written as (
       insert into public.%1$I as t (%2$s) select %2$s from given
       on conflict (source, source_id) do update set %3$s, changed_at = now()
       where t.content_hash is distinct from excluded.content_hash
       returning (xmax = 0) as is_new
     )
     select count(*) filter (where is_new)::int, count(*) filter (where not is_new)::int, ($2 - count(*))::int from written',
    p_table, v_columns, v_assignments)
  using p_rows, v_given;
end
$$;

alter table public.agencies enable row level security;
alter table public.suppliers enable row level security;
alter table public.contracts enable row level security;
alter table public.contract_items enable row level security;
alter table public.amendments enable row level security;
alter table public.sanctions enable row level security;
alter table public.ingest_runs enable row level security;
alter table public.ingest_cursors enable row level security;
alter table public.source_responses enable row level security;

create policy public_records on public.agencies for select to anon, authenticated using (true);
create policy public_records on public.suppliers for select to anon, authenticated using (true);
create policy public_records on public.contracts for select to anon, authenticated using (true);
create policy public_records on public.contract_items for select to anon, authenticated using (true);
create policy public_records on public.amendments for select to anon, authenticated using (true);
create policy public_records on public.sanctions for select to anon, authenticated using (true);

revoke execute on function public.ingest_records(text, jsonb) from public, anon, authenticated;
grant execute on function public.ingest_records(text, jsonb) to service_role;
