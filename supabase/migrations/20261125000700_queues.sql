-- Queues: the graver goes first also when the queue is filled from the table; what died is listed and can be redriven;
-- how much waits, and for how long.

create function public.priority_rank(p_priority text)
returns int language sql immutable set search_path = '' as $$
  select array_position(array['critical', 'high', 'default', 'low'], p_priority)
$$;

create index investigations_waiting_by_priority on public.investigations (public.priority_rank(priority), created_at)
  where status = 'pending';
create index investigations_failed on public.investigations (completed_at desc) where status = 'failed';
create index investigations_ended on public.investigations (completed_at) where completed_at is not null;
create index schedule_runs_failed on public.schedule_runs (finished_at desc) where status = 'failed';
create index alert_deliveries_failed on public.alert_deliveries (settled_at desc) where status = 'failed';

-- Hands out what should be on the queue and is not, graver first: never enqueued, or enqueued longer ago than the grace
-- and still pending (the queue may have lost it; the same job id makes a second enqueue harmless), or running with an
-- expired lease (a crash: it becomes pending again).
create or replace function public.take_unqueued_investigations(p_limit int, p_grace_seconds int)
returns table (id uuid, fence int, priority text) language sql set search_path = '' as $$
  with lost as (
    select o.id, o.status from public.investigations o
     where (o.status = 'pending' and o.run_after <= now()
            and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds)))
        or (o.status = 'running' and o.lease_until < now())
     order by public.priority_rank(o.priority), o.created_at limit p_limit for update skip locked
  )
  update public.investigations i
     set status = 'pending', enqueued_at = now(), lease_until = null, worker = null,
         crashes = i.crashes + case when lost.status = 'running' then 1 else 0 end
    from lost where lost.id = i.id
  returning i.id, i.fence, i.priority
$$;

-- What ended for good without its result, newest first: the poisonous, the exhausted and the refused, of every queue.
create function public.list_dead_jobs(p_before timestamptz, p_limit int)
returns table (kind text, id text, name text, reason text, attempts int, crashes int, died_at timestamptz)
language sql stable set search_path = '' as $$
  (select 'investigation', i.id::text, coalesce(i.query, 'investigation'), i.failure_code || ': ' || coalesce(i.failure_message, ''),
          i.attempts, i.crashes, i.completed_at
     from public.investigations i where i.status = 'failed' and i.completed_at < p_before
    order by i.completed_at desc limit p_limit)
  union all
  (select 'schedule_run', r.schedule_id || '@' || to_char(r.slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), r.job, r.problem,
          r.fence, r.crashes, r.finished_at
     from public.schedule_runs r where r.status = 'failed' and r.finished_at < p_before
    order by r.finished_at desc limit p_limit)
  union all
  (select 'alert_delivery', d.id::text, d.channel || ' ' || d.target, d.problem, d.attempts, 0, d.settled_at
     from public.alert_deliveries d where d.status = 'failed' and d.settled_at < p_before
    order by d.settled_at desc limit p_limit)
  order by 7 desc limit p_limit
$$;

-- Gives a dead job another life under a new fence: true, or false when it is not dead (any more). It waits for the sweep.
create function public.redrive_dead_job(p_kind text, p_id text)
returns boolean language plpgsql set search_path = '' as $$
begin
  case p_kind
    when 'investigation' then
      update public.investigations i
         set status = 'pending', attempts = 0, crashes = 0, fence = i.fence + 1, failure_code = null, failure_message = null,
             completed_at = null, enqueued_at = null, run_after = now(), lease_until = null
       where i.id::text = p_id and i.status = 'failed';
      if not found then return false; end if;
      perform public.append_event(p_id::uuid, 'opened', 0, 'A investigação foi retomada por um operador.', '{}');
      return true;
    when 'schedule_run' then
      update public.schedule_runs r
         set status = 'pending', crashes = 0, fence = r.fence + 1, problem = null, finished_at = null, enqueued_at = null
       where r.schedule_id = split_part(p_id, '@', 1) and r.status = 'failed'
         and to_char(r.slot at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') = split_part(p_id, '@', 2);
      return found;
    when 'alert_delivery' then
      perform public.resend_alert(d.alert_id) from public.alert_deliveries d where d.id::text = p_id and d.status = 'failed';
      return found;
    else
      return false;
  end case;
end
$$;

-- How much waits, since when, and how much ended in the last minute.
create function public.investigation_backlog()
returns jsonb language sql stable set search_path = '' as $$
  select jsonb_build_object(
    'waiting', count(*),
    'oldestSeconds', coalesce(extract(epoch from now() - min(i.created_at)), 0)::int,
    'endedLastMinute', (select count(*) from public.investigations e where e.completed_at > now() - interval '1 minute'))
    from public.investigations i where i.status = 'pending'
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('priority_rank', 'list_dead_jobs', 'redrive_dead_job', 'investigation_backlog')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
