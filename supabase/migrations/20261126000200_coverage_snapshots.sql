-- What each public source answered when all of them were asked at once, for the map of states.
create table public.coverage_snapshots (
  taken_at timestamptz primary key default now(),
  -- One entry a source: its name, address, states, status, time to answer, and what was wrong.
  apis jsonb not null,
  -- Names of sources that this installation does not ask.
  off jsonb not null
);
alter table public.coverage_snapshots enable row level security;
create policy public_figures on public.coverage_snapshots for select to anon, authenticated using (true);

-- Stores one and deletes those that are older than so many days; when it was taken.
create function public.store_coverage_snapshot(p_apis jsonb, p_off jsonb, p_keep_days int)
returns timestamptz language sql set search_path = '' as $$
  with old as (
    delete from public.coverage_snapshots s where s.taken_at < now() - make_interval(days => p_keep_days)
  )
  insert into public.coverage_snapshots as s (apis, off) values (p_apis, p_off)
  on conflict (taken_at) do update set apis = excluded.apis, off = excluded.off
  returning s.taken_at
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('store_coverage_snapshot')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
