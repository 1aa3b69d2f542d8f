-- Schedules: catch-up by policy, manual runs, renewed leases, crashes counted.

alter table public.schedule_runs
  add column origin text not null default 'schedule'
    constraint schedule_runs_origin_check check (origin in ('schedule', 'manual')),
  add column crashes int not null default 0,
  add column progress jsonb;

drop function public.claim_schedule_slot(text, timestamptz, text, int);

-- True for exactly one caller a slot, and only while p_after is still the newest slot of the schedule: a scheduler that
-- slept since it read the timetable claims nothing, so that slots grow in order and each is counted once, as a run or as
-- missed. The row waits on the outbox until take_unqueued_schedule_runs hands it out.
create function public.claim_schedule_slot(
  p_schedule_id text, p_slot timestamptz, p_job text, p_missed int, p_after timestamptz
) returns boolean language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('schedule:' || p_schedule_id, 0));
  if p_after >= p_slot or p_after is distinct from (
    select max(r.slot) from public.schedule_runs r where r.schedule_id = p_schedule_id and r.origin = 'schedule'
  ) then
    return false;
  end if;
  insert into public.schedule_runs (schedule_id, slot, job, missed) values (p_schedule_id, p_slot, p_job, p_missed)
  on conflict do nothing;
  return found;
end
$$;

-- A run outside the timetable. Its slot is the moment it was asked for, never a whole second: it takes no slot away.
create function public.open_manual_run(p_schedule_id text, p_job text)
returns timestamptz language sql set search_path = '' as $$
  insert into public.schedule_runs (schedule_id, slot, job, origin, enqueued_at)
  select p_schedule_id,
         moment + case when moment = date_trunc('second', moment) then interval '1 millisecond' else interval '0' end,
         p_job, 'manual', now()
    from date_trunc('milliseconds', clock_timestamp()) moment
  returning slot
$$;

-- The one clock that slots are computed from, and the newest slot of each schedule: {now, latest: {id: slot}}.
create function public.schedule_state(p_ids text[])
returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object('now', now(), 'latest', coalesce(jsonb_object_agg(id, latest.slot), '{}'))
    from unnest(p_ids) id
    left join lateral (select r.slot from public.schedule_runs r
                        where r.schedule_id = id and r.origin = 'schedule' order by r.slot desc limit 1) latest on true
$$;

-- The newest run of each schedule, and when it last ended well.
create function public.latest_schedule_runs(p_ids text[])
returns table (schedule_id text, run jsonb, completed_at timestamptz) language sql stable set search_path = '' as $$
  select id, to_jsonb(last), good.finished_at
    from unnest(p_ids) id
    left join lateral (select r.* from public.schedule_runs r where r.schedule_id = id order by r.slot desc limit 1) last on true
    left join lateral (select r.finished_at from public.schedule_runs r
                        where r.schedule_id = id and r.status = 'completed' order by r.slot desc limit 1) good on true
$$;

drop function public.start_schedule_run(text, timestamptz, int);

-- The fence under which the run may be finished, or null when it is not to be run: done, running elsewhere, or its
-- workers died p_crashes_max times while it ran, which ends it as failed.
create function public.start_schedule_run(p_schedule_id text, p_slot timestamptz, p_lease_seconds int, p_crashes_max int)
returns int language plpgsql set search_path = '' as $$
declare
  v_row public.schedule_runs;
  v_crashes int;
begin
  select * into v_row from public.schedule_runs r where r.schedule_id = p_schedule_id and r.slot = p_slot for update;
  if not found or v_row.status not in ('pending', 'running') or v_row.lease_until >= now() then return null; end if;
  v_crashes := v_row.crashes + case when v_row.status = 'running' then 1 else 0 end;
  if v_crashes >= p_crashes_max then
    update public.schedule_runs r
       set status = 'failed', crashes = v_crashes, lease_until = null, finished_at = now(), fence = r.fence + 1,
           problem = format('its worker died %s times while it ran', v_crashes)
     where r.schedule_id = p_schedule_id and r.slot = p_slot;
    return null;
  end if;
  update public.schedule_runs r
     set status = 'running', crashes = v_crashes, fence = r.fence + 1, started_at = now(),
         lease_until = now() + make_interval(secs => p_lease_seconds)
   where r.schedule_id = p_schedule_id and r.slot = p_slot;
  return v_row.fence + 1;
end
$$;

drop function public.take_unqueued_schedule_runs(int, int);

-- Hands out what should be on the queue and is not: never enqueued, lost by the queue, or its worker died.
create function public.take_unqueued_schedule_runs(p_limit int, p_grace_seconds int)
returns table (schedule_id text, slot timestamptz, job text, fence int) language sql set search_path = '' as $$
  with lost as (
    select o.schedule_id, o.slot, o.status from public.schedule_runs o
     where (o.status = 'pending'
            and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds)))
        or (o.status = 'running' and o.lease_until < now())
     order by o.slot limit p_limit for update skip locked
  )
  update public.schedule_runs r
     set status = 'pending', enqueued_at = now(), lease_until = null,
         crashes = r.crashes + case when lost.status = 'running' then 1 else 0 end
    from lost where lost.schedule_id = r.schedule_id and lost.slot = r.slot
  returning r.schedule_id, r.slot, r.job, r.fence
$$;

-- False: the run is no longer ours; stop. p_progress replaces what is shown of it, null leaves it.
create function public.renew_schedule_run(
  p_schedule_id text, p_slot timestamptz, p_fence int, p_lease_seconds int, p_progress jsonb
) returns boolean language sql set search_path = '' as $$
  with renewed as (
    update public.schedule_runs r
       set lease_until = now() + make_interval(secs => p_lease_seconds), progress = coalesce(p_progress, r.progress)
     where r.schedule_id = p_schedule_id and r.slot = p_slot and r.fence = p_fence and r.status = 'running' returning 1
  )
  select exists (select 1 from renewed)
$$;

-- Gives an unfinished run back without blame: the worker stops, or what it waits for takes longer than a job may.
create function public.release_schedule_run(p_schedule_id text, p_slot timestamptz, p_fence int)
returns boolean language sql set search_path = '' as $$
  with released as (
    update public.schedule_runs r set status = 'pending', lease_until = null, enqueued_at = null
     where r.schedule_id = p_schedule_id and r.slot = p_slot and r.fence = p_fence and r.status = 'running' returning 1
  )
  select exists (select 1 from released)
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('claim_schedule_slot', 'open_manual_run', 'schedule_state', 'latest_schedule_runs',
                         'start_schedule_run', 'take_unqueued_schedule_runs', 'renew_schedule_run', 'release_schedule_run')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
