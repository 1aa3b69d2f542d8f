-- Where a schedule of a new system begins that need not run at once: its first run is the first slot after this one.

create table public.schedule_starts (
  schedule_id text primary key,
  slot timestamptz not null
);
alter table public.schedule_starts enable row level security;

-- Remembered once and never moved, so that no restart takes a slot away.
create function public.start_schedule_after(p_schedule_id text, p_slot timestamptz)
returns boolean language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('schedule:' || p_schedule_id, 0));
  insert into public.schedule_starts (schedule_id, slot) values (p_schedule_id, p_slot) on conflict do nothing;
  return found;
end
$$;

-- The newest slot that was claimed, or else the one after which the schedule begins.
create function public.latest_slot(p_schedule_id text)
returns timestamptz language sql stable set search_path = '' as $$
  select coalesce(
    (select r.slot from public.schedule_runs r
      where r.schedule_id = p_schedule_id and r.origin = 'schedule' order by r.slot desc limit 1),
    (select s.slot from public.schedule_starts s where s.schedule_id = p_schedule_id))
$$;

create or replace function public.claim_schedule_slot(
  p_schedule_id text, p_slot timestamptz, p_job text, p_missed int, p_after timestamptz
) returns boolean language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('schedule:' || p_schedule_id, 0));
  if p_after >= p_slot or p_after is distinct from public.latest_slot(p_schedule_id) then return false; end if;
  insert into public.schedule_runs (schedule_id, slot, job, missed) values (p_schedule_id, p_slot, p_job, p_missed)
  on conflict do nothing;
  return found;
end
$$;

-- The one clock that slots are computed from, and the newest slot of each schedule: {now, latest: {id: slot}}.
create or replace function public.schedule_state(p_ids text[])
returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('now', now(), 'latest', coalesce(jsonb_object_agg(id, public.latest_slot(id)), '{}'))
    from unnest(p_ids) id
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('start_schedule_after', 'latest_slot')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
