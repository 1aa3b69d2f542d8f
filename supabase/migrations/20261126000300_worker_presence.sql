-- Workers say that they are there, so that somebody else can say that none is.
create table public.worker_presence (
  worker text primary key,
  seen_at timestamptz not null default now()
);
alter table public.worker_presence enable row level security;

-- Forgets workers of which nothing was heard for a day; the newest stays, whatever its age: since when none is there.
create function public.note_worker(p_worker text)
returns void language sql set search_path = '' as $$
  delete from public.worker_presence w
   where w.seen_at < now() - interval '1 day' and w.worker <> p_worker;
  insert into public.worker_presence as w (worker) values (p_worker)
  on conflict (worker) do update set seen_at = now();
$$;

-- {seenAt, silentSeconds} of the worker heard of last; both null where there never was one.
create function public.worker_silence()
returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('seenAt', max(w.seen_at), 'silentSeconds', extract(epoch from now() - max(w.seen_at)))
    from public.worker_presence w
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('note_worker', 'worker_silence')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
