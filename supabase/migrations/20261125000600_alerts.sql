-- Alerts: from more than investigations, to more than one channel, again only when a finding grows graver; bursts in one
-- message; targets that pause or are gone.

alter table public.alerts
  alter column investigation_id drop not null,
  add column kind text not null default 'findings'
    constraint alerts_kind_check check (kind in ('findings', 'digest', 'operations')),
  -- What to say, where no investigation says it.
  add column message jsonb,
  add column acknowledged_at timestamptz,
  add constraint alerts_has_content check ((kind = 'findings') = (investigation_id is not null)
                                           and (kind = 'findings') = (message is null));
create index alerts_newest on public.alerts (created_at desc, id desc);

-- What was alerted, ever, and how grave it was then.
alter table public.alert_findings add column severity text
  constraint alert_findings_severity_check check (severity in ('info', 'low', 'medium', 'high', 'critical'));
update public.alert_findings f
   set severity = coalesce((select n.severity from public.anomalies n
                             where n.investigation_id = a.investigation_id and n.fingerprint = f.fingerprint), a.severity)
  from public.alerts a where a.id = f.alert_id;
alter table public.alert_findings
  alter column severity set not null,
  drop constraint alert_findings_pkey,
  add primary key (fingerprint, severity);

alter table public.alert_deliveries
  drop constraint alert_deliveries_channel_check,
  add constraint alert_deliveries_channel_check check (channel in ('discord', 'email', 'webhook')),
  -- The delivery whose message carries this one as well; null: it has a message of its own.
  add column grouped_into uuid references public.alert_deliveries (id) on delete set null,
  -- A message that carried it with others was refused: it goes out by itself.
  add column alone boolean not null default false;
create index alert_deliveries_of_target on public.alert_deliveries (target, settled_at);
create index alert_deliveries_group on public.alert_deliveries (grouped_into) where grouped_into is not null;

-- What is known of a target beyond its deliveries.
create table public.alert_targets (
  channel text not null constraint alert_targets_channel_check check (channel in ('discord', 'email', 'webhook')),
  target text not null,
  paused_until timestamptz,
  -- Set when the other side said that there is no such target; every delivery to it fails until somebody resends.
  disabled_at timestamptz,
  problem text,
  primary key (channel, target)
);
alter table public.alert_targets enable row level security;

create function public.severity_rank(p_severity text)
returns int language sql immutable set search_path = '' as $$
  select array_position(array['info', 'low', 'medium', 'high', 'critical'], p_severity)
$$;

-- One delivery for each target that wants to hear of this severity; the ids.
create function public.make_alert_deliveries(p_alert uuid, p_severity text, p_targets jsonb)
returns jsonb language sql set search_path = '' as $$
  with made as (
    insert into public.alert_deliveries (alert_id, channel, target)
    select p_alert, t ->> 'channel', t ->> 'target' from jsonb_array_elements(p_targets) t
     where public.severity_rank(coalesce(t ->> 'severityMin', 'info')) <= public.severity_rank(p_severity)
    returning id
  )
  select coalesce(jsonb_agg(made.id), '[]') from made
$$;

-- The one write of a run: anomalies, explanations, report, alert with its deliveries, status and counters; nothing at
-- all when the fence no longer holds. Returns {completed, alertId, deliveries: [id]}.
-- The alert covers the given findings that were never alerted, or only as less grave; with none of those there is none.
create or replace function public.complete_investigation(p_id uuid, p_fence int, p_result jsonb)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_alert uuid := gen_random_uuid();
  v_fresh int := 0;
  v_severity text;
  v_deliveries jsonb := '[]';
begin
  update public.investigations i
     set status = 'completed', outcome = p_result ->> 'outcome', lease_until = null, completed_at = now(),
         records = (p_result ->> 'records')::int, anomalies = jsonb_array_length(p_result -> 'anomalies'),
         coverage = p_result -> 'coverage', sample = p_result ->> 'sample'
   where i.id = p_id and i.fence = p_fence and i.status = 'running';
  if not found then return jsonb_build_object('completed', false, 'alertId', null, 'deliveries', '[]'::jsonb); end if;

  insert into public.anomalies (
    investigation_id, rank, fingerprint, detector, detector_version, subject_kind, subject_id, subject_label, title,
    reason, score, severity, amount_at_risk_cents, agency_code, agency_name, supplier_tax_id, supplier_name, evidence,
    legal_basis, innocent_explanations, explanation, explanation_source, explanation_model, sample)
  select p_id, a.rank, a.fingerprint, a.detector, a.detector_version, a.subject_kind, a.subject_id, a.subject_label, a.title,
         a.reason, a.score, a.severity, a.amount_at_risk_cents, a.agency_code, a.agency_name, a.supplier_tax_id,
         a.supplier_name, a.evidence, a.legal_basis, a.innocent_explanations, a.explanation, a.explanation_source,
         a.explanation_model, p_result ->> 'sample'
    from jsonb_populate_recordset(null::public.anomalies, p_result -> 'anomalies') a;

  insert into public.reports (investigation_id, title, markdown, totals, detectors, coverage, sample)
  select p_id, r.title, r.markdown, r.totals, r.detectors, r.coverage, p_result ->> 'sample'
    from jsonb_populate_record(null::public.reports, p_result -> 'report') r;

  if jsonb_array_length(p_result #> '{alert,fingerprints}') > 0 then
    -- Two results with the same finding decide one after the other which of them tells of it.
    perform pg_advisory_xact_lock(hashtextextended('alert_findings', 0));
    insert into public.alerts (id, investigation_id, dedupe_key, severity, findings)
    values (v_alert, p_id, v_alert::text, 'info', 0);
    -- A fingerprint without its anomaly has no severity, and fails the whole.
    insert into public.alert_findings (fingerprint, severity, alert_id)
    select f.fingerprint, n.severity, v_alert
      from jsonb_array_elements_text(p_result #> '{alert,fingerprints}') f (fingerprint)
      left join public.anomalies n on n.investigation_id = p_id and n.fingerprint = f.fingerprint
     where not exists (select 1 from public.alert_findings told
                        where told.fingerprint = f.fingerprint
                          and public.severity_rank(told.severity) >= public.severity_rank(n.severity));
    get diagnostics v_fresh = row_count;
    if v_fresh = 0 then
      delete from public.alerts where id = v_alert;
    else
      select f.severity into v_severity from public.alert_findings f
       where f.alert_id = v_alert order by public.severity_rank(f.severity) desc limit 1;
      update public.alerts
         set findings = v_fresh, severity = v_severity,
             dedupe_key = (select encode(sha256(convert_to(string_agg(f.fingerprint || ':' || f.severity, ',' order by f.fingerprint), 'UTF8')), 'hex')
                             from public.alert_findings f where f.alert_id = v_alert)
       where id = v_alert;
      v_deliveries := public.make_alert_deliveries(v_alert, v_severity, p_result #> '{alert,targets}');
    end if;
  end if;

  perform public.append_event(p_id, 'finished', 1, p_result ->> 'message',
    jsonb_build_object('status', 'completed', 'outcome', p_result ->> 'outcome',
                       'anomalies', jsonb_array_length(p_result -> 'anomalies')));
  return jsonb_build_object('completed', true, 'alertId', case when v_fresh > 0 then v_alert end, 'deliveries', v_deliveries);
end
$$;

-- An alert that no investigation raises. The same key raises one alert, ever: {alertId: null} for every later caller.
create function public.raise_alert(p_kind text, p_dedupe_key text, p_severity text, p_message jsonb, p_targets jsonb)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_alert uuid;
begin
  insert into public.alerts (kind, dedupe_key, severity, findings, message)
  values (p_kind, p_dedupe_key, p_severity, coalesce((p_message ->> 'findingsTotal')::int, 0), p_message)
  on conflict (dedupe_key) do nothing returning id into v_alert;
  if v_alert is null then return jsonb_build_object('alertId', null, 'deliveries', '[]'::jsonb); end if;
  return jsonb_build_object('alertId', v_alert,
                            'deliveries', public.make_alert_deliveries(v_alert, p_severity, p_targets));
end
$$;

drop function public.claim_alert_delivery(uuid, int);

-- pending → sending is committed before the message leaves: a crash in between is an `unknown`, never a second message.
-- With it go other deliveries to the same target that wait as well, at most p_group_max in one message.
-- {outcome: claimed | busy | early | settled | disabled | unknown, delivery, grouped: [delivery]}
create function public.claim_alert_delivery(p_id uuid, p_lease_seconds int, p_group_max int, p_per_minute int)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_row public.alert_deliveries;
  v_target public.alert_targets;
  v_lease timestamptz := now() + make_interval(secs => p_lease_seconds);
  v_wait timestamptz;
  v_grouped jsonb := '[]';
begin
  select * into v_row from public.alert_deliveries d where d.id = p_id for update;
  if not found then return jsonb_build_object('outcome', 'unknown'); end if;
  if v_row.status = 'sending' then return jsonb_build_object('outcome', 'busy'); end if;
  if v_row.status <> 'pending' then return jsonb_build_object('outcome', 'settled'); end if;
  if v_row.run_after > now() then return jsonb_build_object('outcome', 'early'); end if;

  select * into v_target from public.alert_targets t where t.channel = v_row.channel and t.target = v_row.target;
  if v_target.disabled_at is not null then
    update public.alert_deliveries d
       set status = 'failed', settled_at = now(), problem = 'the target is disabled: ' || v_target.problem where d.id = p_id;
    perform public.settle_alert(v_row.alert_id);
    return jsonb_build_object('outcome', 'disabled');
  end if;
  v_wait := v_target.paused_until;
  -- Too many messages in a minute: what comes waits, and leaves as one message. A critical one does not wait.
  if coalesce(v_wait, now()) <= now() and (select a.severity from public.alerts a where a.id = v_row.alert_id) <> 'critical' then
    select min(recent.settled_at) + interval '60 seconds' into v_wait
      from (select s.settled_at from public.alert_deliveries s
             where s.target = v_row.target and s.channel = v_row.channel and s.status = 'sent' and s.grouped_into is null
               and s.settled_at > now() - interval '60 seconds'
             order by s.settled_at desc limit p_per_minute) recent
    having count(*) >= p_per_minute;
  end if;
  if v_wait > now() then
    update public.alert_deliveries d set run_after = v_wait, enqueued_at = null where d.id = p_id;
    return jsonb_build_object('outcome', 'early');
  end if;

  update public.alert_deliveries d
     set status = 'sending', fence = d.fence + 1, attempts = d.attempts + 1, lease_until = v_lease
   where d.id = p_id returning * into v_row;
  if not v_row.alone and p_group_max > 1 then
    with waiting as (
      select d.id from public.alert_deliveries d
       where d.target = v_row.target and d.channel = v_row.channel and d.status = 'pending' and d.run_after <= now()
         and not d.alone and d.id <> p_id
       order by d.created_at limit p_group_max - 1 for update skip locked
    ), taken as (
      update public.alert_deliveries d
         set status = 'sending', fence = d.fence + 1, attempts = d.attempts + 1, lease_until = v_lease, grouped_into = p_id
        from waiting where waiting.id = d.id returning d.*
    )
    select coalesce(jsonb_agg(to_jsonb(taken) order by taken.created_at), '[]') into v_grouped from taken;
  end if;
  update public.alerts a set status = 'sending'
   where a.status = 'pending'
     and (a.id = v_row.alert_id or a.id in (select (g ->> 'alert_id')::uuid from jsonb_array_elements(v_grouped) g));
  return jsonb_build_object('outcome', 'claimed', 'delivery', to_jsonb(v_row), 'grouped', v_grouped);
end
$$;

-- Settles what was claimed, with all that its message carried: sent, failed or unknown for good; pending to try again
-- after the delay. A refused message of several is no verdict on any of them: each tries again alone.
create or replace function public.settle_alert_delivery(
  p_id uuid, p_fence int, p_status text, p_external_id text, p_problem text, p_delay_seconds int
) returns boolean language plpgsql set search_path = '' as $$
declare
  v_status text := p_status;
  v_is_group boolean;
  v_alert uuid;
begin
  perform 1 from public.alert_deliveries d where d.id = p_id and d.fence = p_fence and d.status = 'sending' for update;
  if not found then return false; end if;
  v_is_group := exists (select 1 from public.alert_deliveries d where d.grouped_into = p_id and d.status = 'sending');
  if v_is_group and p_status = 'failed' then v_status := 'pending'; end if;
  for v_alert in
    update public.alert_deliveries d
       set status = v_status, external_id = p_external_id, problem = p_problem, lease_until = null,
           enqueued_at = case when v_status = 'pending' then null else d.enqueued_at end,
           run_after = case when v_status = 'pending' then now() + make_interval(secs => coalesce(p_delay_seconds, 0)) else d.run_after end,
           settled_at = case when v_status = 'pending' then null else now() end,
           grouped_into = case when v_status = 'pending' then null else d.grouped_into end,
           alone = d.alone or (v_is_group and p_status = 'failed')
     where (d.id = p_id or d.grouped_into = p_id) and d.status = 'sending'
    returning d.alert_id
  loop
    perform public.settle_alert(v_alert);
  end loop;
  return true;
end
$$;

-- Waits until then, with no attempt counted.
create function public.put_off_alert_delivery(p_id uuid, p_until timestamptz)
returns boolean language sql set search_path = '' as $$
  with put as (
    update public.alert_deliveries d set run_after = p_until, enqueued_at = null
     where d.id = p_id and d.status = 'pending' returning 1
  )
  select exists (select 1 from put)
$$;

-- The other side asked for a pause; p_target null: all targets of the channel.
create function public.pause_alert_target(p_channel text, p_target text, p_seconds double precision, p_problem text)
returns void language sql set search_path = '' as $$
  insert into public.alert_targets as t (channel, target, paused_until, problem)
  select p_channel, one.target, now() + make_interval(secs => p_seconds), p_problem
    from (select p_target as target where p_target is not null
          union
          select d.target from public.alert_deliveries d
           where p_target is null and d.channel = p_channel and d.status in ('pending', 'sending')) one
   order by one.target
  on conflict (channel, target) do update
     set paused_until = greatest(t.paused_until, excluded.paused_until), problem = excluded.problem
$$;

create function public.disable_alert_target(p_channel text, p_target text, p_problem text)
returns void language sql set search_path = '' as $$
  insert into public.alert_targets as t (channel, target, disabled_at, problem) values (p_channel, p_target, now(), p_problem)
  on conflict (channel, target) do update set disabled_at = now(), problem = excluded.problem
$$;

-- acknowledged | unknown. Twice is not an error.
create function public.acknowledge_alert(p_id uuid)
returns text language sql set search_path = '' as $$
  with acknowledged as (
    update public.alerts a set status = 'acknowledged', acknowledged_at = coalesce(a.acknowledged_at, now())
     where a.id = p_id returning 1
  )
  select case when exists (select 1 from acknowledged) then 'acknowledged' else 'unknown' end
$$;

-- Somebody decided that what failed, or may not have arrived, is sent again: the ids and fences. Its targets are tried anew.
create function public.resend_alert(p_id uuid)
returns table (id uuid, fence int) language plpgsql set search_path = '' as $$
begin
  delete from public.alert_targets t using public.alert_deliveries d
   where d.alert_id = p_id and d.status in ('failed', 'unknown') and t.channel = d.channel and t.target = d.target;
  return query
    update public.alert_deliveries d
       set status = 'pending', attempts = 0, fence = d.fence + 1, run_after = now(), enqueued_at = now(), settled_at = null,
           problem = null, grouped_into = null
     where d.alert_id = p_id and d.status in ('failed', 'unknown')
    returning d.id, d.fence;
  if found then
    update public.alerts a set status = 'pending', settled_at = null where a.id = p_id and a.status <> 'acknowledged';
  end if;
end
$$;

-- A delivery whose sender died between claim and settlement may have been posted: it becomes `unknown` and stays so.
create or replace function public.take_unqueued_deliveries(p_limit int, p_grace_seconds int)
returns table (id uuid, fence int) language plpgsql set search_path = '' as $$
declare
  v_alert uuid;
begin
  for v_alert in
    with dead as (
      select d.id from public.alert_deliveries d
       where d.status = 'sending' and d.lease_until < now() order by d.id for update skip locked
    )
    update public.alert_deliveries d
       set status = 'unknown', lease_until = null, settled_at = now(), problem = 'its sender died while sending'
      from dead where dead.id = d.id
    returning d.alert_id
  loop
    perform public.settle_alert(v_alert);
  end loop;
  return query
    with lost as (
      select o.id from public.alert_deliveries o join public.alerts a on a.id = o.alert_id
       where o.status = 'pending' and o.run_after <= now()
         and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds))
       order by public.severity_rank(a.severity) desc, o.created_at limit p_limit for update of o skip locked
    )
    update public.alert_deliveries d set enqueued_at = now() from lost where lost.id = d.id
    returning d.id, d.fence;
end
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in ('severity_rank', 'make_alert_deliveries', 'raise_alert', 'claim_alert_delivery',
                         'put_off_alert_delivery', 'pause_alert_target', 'disable_alert_target', 'acknowledge_alert',
                         'resend_alert')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
