-- What sources other than the Portal tell of a contract, its items and its amendments.
alter table public.contracts
  add column category text,
  add column estimated_value_cents bigint,
  add column buyer_sphere text
    constraint contracts_buyer_sphere_check check (buyer_sphere in ('federal', 'state', 'municipal', 'unknown')),
  add column buyer_state text;
alter table public.contract_items
  add column classification_scheme text,
  add column classification_id text,
  add column unit_of_measure text;
alter table public.amendments
  add column kind text
    constraint amendments_kind_check check (kind in ('amendment', 'endorsement', 'other')),
  add column signed_on date,
  add column increase_cents bigint,
  add column decrease_cents bigint,
  add column value_after_cents bigint;

-- What the registry of legal persons says of a company. Not for anonymous readers: it holds telephones and e-mail addresses.
create table public.registrations (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  cnpj text not null,
  name text not null,
  opened_on date,
  status text,
  status_since date,
  main_activity text,
  capital_cents bigint,
  address text,
  phone text,
  email text,
  partners jsonb not null default '[]',
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index registrations_by_cnpj on public.registrations (cnpj);
alter table public.registrations enable row level security;

-- As ingest_records, for which it stands in: a batch as lines of text, one a record, instead of JSON, which costs
-- PostgREST and PostgreSQL more than the writing itself. Fields end with U+E000, lines with U+E001, and U+E002 alone is
-- null: private characters, which the writer leaves out of every text. Lists and objects are written as JSON.
create function public.ingest_lines(p_table text, p_columns text[], p_lines text)
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
  if p_table not in ('agencies', 'suppliers', 'contracts', 'contract_items', 'amendments', 'sanctions', 'registrations') then
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
       order by source, source_id
     ), written as (
       insert into public.%1$I as t (%2$s) select %2$s from given
       on conflict (source, source_id) do update set %4$s, changed_at = now()
       where t.content_hash is distinct from excluded.content_hash
       returning (xmax = 0) as is_new
     )
     select count(*) filter (where is_new)::int, count(*) filter (where not is_new)::int,
            ((select count(*) from given) - count(*))::int
       from written',
    p_table, v_columns, v_values, v_assignments)
  using p_lines;
end
$$;

revoke execute on function public.ingest_lines(text, text[], text) from public, anon, authenticated;
grant execute on function public.ingest_lines(text, text[], text) to service_role;
drop function public.ingest_records(text, jsonb);
