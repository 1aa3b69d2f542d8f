-- A page travels as one text instead of JSON: PostgREST hands it over as it came, and PostgreSQL cuts it at separators
-- instead of lexing it. What is the same in every line of a batch is said once.

drop function public.ingest_page(uuid, jsonb, jsonb, jsonb, jsonb);
drop function public.ingest_lines(text, text[], text, boolean);

-- Upserts a batch into a table of records and says what it did. The batch comes as lines of text, one a record: fields end
-- with U+001F, lines with U+001E, and U+001A alone is null, which the writer leaves out of every text. Lists and objects are
-- JSON. p_constants: the columns that are not in the lines, with the field that all of them have. A row whose content hash
-- is the stored one is not written, nor one that was read before the stored one. p_only_new: rows that other records only
-- mention, whose names differ from one mention to the next; the first stays. Rows are taken in key order, so that two
-- batches that overlap cannot deadlock; an update names no key column, so that it does not lock out rows that refer to
-- this one.
create function public.ingest_lines(
  p_table text, p_columns text[], p_constants jsonb, p_lines text, p_only_new boolean default false)
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
                    then 'array(select jsonb_array_elements_text((%s)::jsonb)) as %3$I' else '(%s)::%s as %I' end,
                  given.field, format_type(a.atttypid, a.atttypmod), given.name), ', ' order by given.name),
         string_agg(format('%I', given.name), ', ' order by given.name),
         string_agg(format('%1$I = excluded.%1$I', given.name), ', ' order by given.name)
           filter (where given.name not in ('source', 'source_id')),
         string_agg(given.name, ', ') filter (where a.attname is null)
    into v_values, v_columns, v_assignments, v_unknown
    from (select name, format('fields[%s]', place) as field
            from unnest(p_columns) with ordinality as of_lines (name, place)
           union all
          select key, format('%L', value) from jsonb_each_text(p_constants)) as given
    left join pg_catalog.pg_attribute a
      on a.attrelid = format('public.%I', p_table)::regclass and a.attname = given.name and a.attnum > 0
     and not a.attisdropped and given.name not in ('first_seen_at', 'changed_at');
  if v_unknown is not null then
    raise exception 'the table % has no column %', p_table, v_unknown using errcode = '42703';
  end if;
  return query execute format(
    'with given as (
       select distinct on (source, source_id) %2$s
         from (select %3$s from (select string_to_array(line, U&''\001F'', U&''\001A'') as fields
                                   from string_to_table($1, U&''\001E'') as line offset 0) as read) as records
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

-- One page, in one transaction: a head and the lines of each table, each part ended by U+001C. The head is JSON:
-- {"run", "tables": [{"table", "columns", "constants", "only_new"}], "rejects": [{"key", "source_id", "reason", "raw"}],
-- "cursor": {"name", "position"} or null, "seen"}; the tables are in the order in which they refer to one another, as are
-- their lines. What was seen is added to the counts of the run; rows that are only mentioned count when they are new. The
-- one parameter has no name, so that PostgREST passes it the body of a request in text/plain.
create function public.ingest_page(text)
returns table (inserted int, updated int, unchanged int, quarantined int)
language plpgsql
set search_path = ''
as $$
declare
  v_parts text[] := string_to_array($1, U&'\001C');
  v_head jsonb := v_parts[1]::jsonb;
  v_run uuid := (v_head ->> 'run')::uuid;
  v_seen jsonb := v_head -> 'seen';
  v_cursor jsonb := nullif(v_head -> 'cursor', 'null');
  v_source text;
  v_dataset text;
  v_given record;
  v_batch record;
  v_inserted int := 0;
  v_updated int := 0;
  v_unchanged int := 0;
  v_quarantined int;
begin
  if cardinality(v_parts) <> jsonb_array_length(v_head -> 'tables') + 1 then
    raise exception 'a page of % tables came with the lines of %', jsonb_array_length(v_head -> 'tables'),
      cardinality(v_parts) - 1 using errcode = '22023';
  end if;
  select r.source, r.dataset into v_source, v_dataset from public.ingest_runs r where r.id = v_run;
  if not found then
    raise exception 'there is no ingest run %', v_run using errcode = '22023';
  end if;
  for v_given in
    select t.about, t.place::int from jsonb_array_elements(v_head -> 'tables') with ordinality t (about, place)
     order by t.place
  loop
    select * into v_batch
      from public.ingest_lines(
        v_given.about ->> 'table', array(select jsonb_array_elements_text(v_given.about -> 'columns')),
        v_given.about -> 'constants', v_parts[v_given.place + 1], (v_given.about ->> 'only_new')::boolean);
    v_inserted := v_inserted + v_batch.inserted;
    v_updated := v_updated + v_batch.updated;
    if not (v_given.about ->> 'only_new')::boolean then
      v_unchanged := v_unchanged + v_batch.unchanged;
    end if;
  end loop;
  insert into public.quarantined_records (key, run_id, source, dataset, source_id, reason, raw)
  select distinct on (q ->> 'key') q ->> 'key', v_run, v_source, v_dataset, q ->> 'source_id', q ->> 'reason', q -> 'raw'
    from jsonb_array_elements(v_head -> 'rejects') q
   order by q ->> 'key'
  on conflict (key) do nothing;
  get diagnostics v_quarantined = row_count;
  if v_cursor is not null then
    insert into public.ingest_cursors (source, name, position, updated_at)
    values (v_source, v_cursor ->> 'name', v_cursor -> 'position', now())
    on conflict (source, name) do update set position = excluded.position, updated_at = excluded.updated_at;
  end if;
  update public.ingest_runs r
     set inserted = r.inserted + v_inserted,
         updated = r.updated + v_updated,
         unchanged = r.unchanged + v_unchanged,
         quarantined = r.quarantined + v_quarantined,
         records = r.records + (v_seen ->> 'records')::int,
         rejected = r.rejected + (v_seen ->> 'rejected')::int,
         excluded = r.excluded + (v_seen ->> 'excluded')::int,
         complaints = r.complaints + (v_seen ->> 'complaints')::int,
         pages = r.pages + (v_seen ->> 'pages')::int,
         pages_from_cache = r.pages_from_cache + (v_seen ->> 'pages_from_cache')::int
   where r.id = v_run;
  return query select v_inserted, v_updated, v_unchanged, v_quarantined;
end
$$;

revoke execute on function public.ingest_lines(text, text[], jsonb, text, boolean) from public, anon, authenticated;
grant execute on function public.ingest_lines(text, text[], jsonb, text, boolean) to service_role;
revoke execute on function public.ingest_page(text) from public, anon, authenticated;
grant execute on function public.ingest_page(text) to service_role;
