-- What the scheduled jobs compute and keep.

-- Figures of one day of São Paulo, written again whole when the day is computed again.
create table public.daily_metrics (
  day date primary key,
  figures jsonb not null,
  computed_at timestamptz not null default now()
);

-- Risk 0-10 of a supplier or an agency, in tenths, with the parts that add up to it.
create table public.entity_risks (
  kind text not null constraint entity_risks_kind_check check (kind in ('supplier', 'agency')),
  entity_id text not null,
  name text not null,
  risk_tenths int not null,
  parts jsonb not null,
  computed_at timestamptz not null default now(),
  primary key (kind, entity_id)
);
create index entity_risks_highest on public.entity_risks (kind, risk_tenths desc);

-- Suppliers that win at the same agencies, as communities: the smallest CNPJ of each names it.
create table public.supplier_communities (
  id text primary key,
  suppliers jsonb not null,
  agencies jsonb not null,
  contracts int not null,
  value_cents bigint not null,
  computed_at timestamptz not null default now()
);

-- Each probe of a source: up or not, how many rows, how long it took, and why not.
create table public.source_probes (
  source text not null,
  probed_at timestamptz not null default now(),
  is_up boolean not null,
  records int,
  duration_ms int not null,
  problem text,
  sample text,
  primary key (source, probed_at)
);

-- Suppliers with contracts in force that a sanction list names: told once each.
create table public.sanction_matches (
  source text not null,
  sanction_id text not null,
  supplier_tax_id text not null,
  contracts int not null,
  value_cents bigint not null,
  found_at timestamptz not null default now(),
  primary key (source, sanction_id, supplier_tax_id)
);

-- What the opening rule said of each contract as it was published: the points of each sign, and what it opened.
create table public.contract_screenings (
  source text not null,
  source_id text not null,
  points int not null,
  signs jsonb not null,
  investigation_id uuid references public.investigations (id) on delete set null,
  screened_at timestamptz not null default now(),
  primary key (source, source_id)
);

alter table public.daily_metrics enable row level security;
alter table public.entity_risks enable row level security;
alter table public.supplier_communities enable row level security;
alter table public.source_probes enable row level security;
alter table public.sanction_matches enable row level security;
alter table public.contract_screenings enable row level security;
create policy public_figures on public.daily_metrics for select to anon, authenticated using (true);
create policy public_figures on public.entity_risks for select to anon, authenticated using (true);
create policy public_figures on public.source_probes for select to anon, authenticated using (true);

create function public.compute_daily_metrics(p_day date)
returns jsonb language sql set search_path = '' as $$
  with bounds as (
    select p_day::timestamp at time zone 'America/Sao_Paulo' as since, (p_day + 1)::timestamp at time zone 'America/Sao_Paulo' as until
  ), ended as (
    select i.* from public.investigations i, bounds where i.completed_at >= since and i.completed_at < until
  ), figures as (
    select jsonb_build_object(
      'opened', (select count(*) from public.investigations i, bounds where i.created_at >= since and i.created_at < until),
      'completed', (select count(*) from ended where status = 'completed'),
      'failed', (select count(*) from ended where status = 'failed'),
      'cancelled', (select count(*) from ended where status = 'cancelled'),
      'outcomes', (select coalesce(jsonb_object_agg(o.outcome, o.n), '{}') from (select outcome, count(*) n from ended where outcome is not null group by 1) o),
      'successShare', (select round(count(*) filter (where status = 'completed')::numeric / nullif(count(*) filter (where status in ('completed', 'failed')), 0), 4) from ended),
      'secondsMean', (select round(avg(extract(epoch from completed_at - started_at))::numeric, 1) from ended where status = 'completed'),
      'secondsMax', (select round(max(extract(epoch from completed_at - started_at))::numeric, 1) from ended where status = 'completed'),
      'anomalies', (select coalesce(jsonb_object_agg(s.severity, s.n), '{}') from (
                      select a.severity, count(*) n from public.anomalies a, bounds where a.created_at >= since and a.created_at < until group by 1) s),
      'alerts', (select coalesce(jsonb_object_agg(s.status, s.n), '{}') from (
                   select d.status, count(*) n from public.alert_deliveries d, bounds where d.created_at >= since and d.created_at < until group by 1) s),
      'stillOpen', (select count(*) from public.investigations i where i.status in ('pending', 'running'))) as f
  )
  insert into public.daily_metrics as m (day, figures) select p_day, f from figures
  on conflict (day) do update set figures = excluded.figures, computed_at = now()
  returning m.figures
$$;

-- min(0.3 × investigations, 3) + min(3 × findings / investigations, 3) + (degree > 10 ? min(degree / 10, 2) : 0)
-- + (sanctioned ? 2 : 0), of 10 at most. The degree is how many partners its contracts have. Returns how many were written.
create function public.compute_entity_risks()
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_counts jsonb;
begin
  with flagged as (
    select 'supplier' as kind, a.supplier_tax_id as entity_id, max(a.supplier_name) as name,
           count(distinct a.investigation_id) as investigations, count(distinct a.fingerprint) as findings
      from public.anomalies a where a.supplier_tax_id is not null group by a.supplier_tax_id
    union all
    select 'agency', a.agency_code, max(a.agency_name), count(distinct a.investigation_id), count(distinct a.fingerprint)
      from public.anomalies a where a.agency_code is not null group by a.agency_code
  ), known as (
    select f.*,
           case f.kind
             when 'supplier' then (select count(distinct c.agency_code) from public.contracts c where c.supplier_tax_id = f.entity_id)
             else (select count(distinct c.supplier_tax_id) from public.contracts c where c.agency_code = f.entity_id)
           end as degree,
           f.kind = 'supplier' and exists (
             select 1 from public.sanctions s
              where s.tax_id = f.entity_id and coalesce(s.starts_on, '-infinity') <= current_date
                and coalesce(s.ends_on, 'infinity') >= current_date) as sanctioned
      from flagged f
  ), scored as (
    select k.*, least(0.3 * investigations, 3) as p_investigations, least(3.0 * findings / investigations, 3) as p_findings,
           case when degree > 10 then least(degree / 10.0, 2) else 0 end as p_degree,
           case when sanctioned then 2 else 0 end as p_sanction
      from known k
  ), gone as (
    delete from public.entity_risks r where not exists (select 1 from scored s where s.kind = r.kind and s.entity_id = r.entity_id)
    returning 1
  ), written as (
    insert into public.entity_risks as r (kind, entity_id, name, risk_tenths, parts)
    select kind, entity_id, coalesce(name, entity_id),
           least(round(10 * (p_investigations + p_findings + p_degree + p_sanction)), 100)::int,
           jsonb_build_object('investigations', investigations, 'findings', findings, 'degree', degree, 'sanctioned', sanctioned,
                              'points', jsonb_build_object('investigations', p_investigations, 'findings', round(p_findings, 2),
                                                           'degree', p_degree, 'sanction', p_sanction))
      from scored
    on conflict (kind, entity_id) do update
       set name = excluded.name, risk_tenths = excluded.risk_tenths, parts = excluded.parts, computed_at = now()
    returning r.kind
  )
  select jsonb_build_object('suppliers', count(*) filter (where w.kind = 'supplier'),
                            'agencies', count(*) filter (where w.kind = 'agency'), 'gone', (select count(*) from gone))
    into v_counts from written w;
  return v_counts;
end
$$;

-- Pairs of suppliers that both won at p_agencies_min agencies or more, of the suppliers of no more than p_suppliers_max:
-- where very many win, two that do have nothing in common.
create function public.supplier_links(p_agencies_min int, p_suppliers_max int)
returns table (a text, b text, agencies text[], contracts int, value_cents bigint) language sql stable set search_path = '' as $$
  with wins as (
    select c.agency_code, c.supplier_tax_id, count(*)::int as contracts, coalesce(sum(c.initial_value_cents), 0)::bigint as value_cents
      from public.contracts c where c.supplier_kind = 'company' and c.supplier_tax_id is not null
     group by 1, 2
  ), narrow as (
    select w.* from wins w
      join (select agency_code from wins group by 1 having count(*) <= p_suppliers_max) n using (agency_code)
  )
  select x.supplier_tax_id, y.supplier_tax_id, array_agg(x.agency_code order by x.agency_code),
         sum(x.contracts + y.contracts)::int, sum(x.value_cents + y.value_cents)::bigint
    from narrow x join narrow y on y.agency_code = x.agency_code and y.supplier_tax_id > x.supplier_tax_id
   group by 1, 2 having count(*) >= p_agencies_min order by 1, 2
$$;

create function public.replace_supplier_communities(p_rows jsonb)
returns int language plpgsql set search_path = '' as $$
declare
  v_count int;
begin
  delete from public.supplier_communities where true;
  insert into public.supplier_communities (id, suppliers, agencies, contracts, value_cents)
  select r.id, r.suppliers, r.agencies, r.contracts, r.value_cents
    from jsonb_populate_recordset(null::public.supplier_communities, p_rows) r;
  get diagnostics v_count = row_count;
  return v_count;
end
$$;

-- Suppliers with a contract in force on p_day that a sanction in force then names, by the whole CNPJ: what is not in
-- sanction_matches yet.
create function public.find_new_sanction_matches(p_day date)
returns table (source text, sanction_id text, supplier_tax_id text, supplier_name text, list text, kind text,
               sanctioning_body text, url text, contracts int, value_cents bigint)
language sql stable set search_path = '' as $$
  select s.source, s.source_id, c.supplier_tax_id, max(c.supplier_name), s.list, s.kind, s.sanctioning_body, s.url,
         count(*)::int, coalesce(sum(c.initial_value_cents), 0)::bigint as value_cents
    from public.sanctions s
    join public.contracts c on c.supplier_tax_id = s.tax_id and c.supplier_kind = 'company'
   where coalesce(s.starts_on, '-infinity') <= p_day and coalesce(s.ends_on, 'infinity') >= p_day
     and (s.ends_on is not null or s.end_known)
     and coalesce(c.starts_on, '-infinity') <= p_day and coalesce(c.ends_on, 'infinity') >= p_day
     and not exists (select 1 from public.sanction_matches m
                      where m.source = s.source and m.sanction_id = s.source_id and m.supplier_tax_id = c.supplier_tax_id)
   group by s.source, s.source_id, c.supplier_tax_id, s.list, s.kind, s.sanctioning_body, s.url
   order by value_cents desc limit 1000
$$;

-- Deletes what its retention is over for, at most p_limit rows of each kind; the counts. The newest run of each schedule
-- and the newest complete reading of each dataset stay: the timetable and the readers go on from them.
create function public.delete_expired(p_days jsonb, p_limit int)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_runs int;
  v_events int;
  v_ingests int;
  v_responses int;
  v_probes int;
begin
  with newest as (
    select n.schedule_id, max(n.slot) as slot from public.schedule_runs n where n.origin = 'schedule' group by 1
  ), old as (
    select o.schedule_id, o.slot from public.schedule_runs o left join newest n using (schedule_id)
     where o.status in ('completed', 'failed') and o.slot < now() - make_interval(days => (p_days ->> 'runs')::int)
       and o.slot < coalesce(n.slot, 'infinity')
     limit p_limit
  )
  delete from public.schedule_runs r using old where r.schedule_id = old.schedule_id and r.slot = old.slot;
  get diagnostics v_runs = row_count;
  delete from public.investigation_events e using (
    select o.ctid from public.investigation_events o join public.investigations i on i.id = o.investigation_id
     where i.completed_at < now() - make_interval(days => (p_days ->> 'events')::int) and o.phase <> 'finished'
     limit p_limit) x where e.ctid = x.ctid;
  get diagnostics v_events = row_count;
  delete from public.ingest_runs r using (
    select o.ctid from public.ingest_runs o
     where o.started_at < now() - make_interval(days => (p_days ->> 'ingests')::int)
       and o.id not in (select distinct on (k.source, k.dataset) k.id from public.ingest_runs k
                         where k.status = 'completed' order by k.source, k.dataset, k.finished_at desc)
     limit p_limit) x where r.ctid = x.ctid;
  get diagnostics v_ingests = row_count;
  delete from public.source_responses r using (
    select o.ctid from public.source_responses o where o.expires_at < now() limit p_limit) x where r.ctid = x.ctid;
  get diagnostics v_responses = row_count;
  delete from public.source_probes r using (
    select o.ctid from public.source_probes o
     where o.probed_at < now() - make_interval(days => (p_days ->> 'probes')::int) limit p_limit) x where r.ctid = x.ctid;
  get diagnostics v_probes = row_count;
  return jsonb_build_object('runs', v_runs, 'events', v_events, 'ingests', v_ingests, 'responses', v_responses, 'probes', v_probes);
end
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('compute_daily_metrics', 'compute_entity_risks', 'supplier_links', 'replace_supplier_communities',
                         'find_new_sanction_matches', 'delete_expired')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
