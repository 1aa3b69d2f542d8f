-- Entries of registers that bar nobody from contracting (CEPIM, leniency agreements): apart from `sanctions`, so that no
-- question about who may contract can find them.
create table public.register_entries (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  register text not null check (register in ('cepim', 'leniency')),
  companies jsonb not null,
  reason text,
  status text,
  body text,
  agreement text,
  starts_on date,
  ends_on date,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index register_entries_by_company on public.register_entries using gin (companies jsonb_path_ops);
alter table public.register_entries enable row level security;
create policy public_records on public.register_entries for select to anon, authenticated using (true);
create trigger keep_change after update on public.register_entries for each row execute function public.keep_record_change();

-- As before, with one table more.
create or replace function public.ingest_lines(p_table text, p_columns text[], p_lines text, p_only_new boolean default false)
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
  if p_table not in ('agencies', 'suppliers', 'contracts', 'contract_items', 'amendments', 'price_registrations',
                     'sanctions', 'registrations', 'register_entries') then
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
