-- The path of one investigation. The row is the truth; the queue only carries ids. Every write of a worker names the
-- fence it was given at its claim; a write under an older fence is refused.

create table public.investigations (
  id uuid primary key default gen_random_uuid(),
  query text,
  scope jsonb not null,
  detectors text[],
  origin text not null constraint investigations_origin_check check (origin in ('api', 'schedule', 'cli')),
  priority text not null default 'default'
    constraint investigations_priority_check check (priority in ('critical', 'high', 'default', 'low')),
  owner_id uuid,
  visibility text not null default 'public'
    constraint investigations_visibility_check check (visibility in ('public', 'private')),
  -- Hash of the caller's Idempotency-Key, or of a random one: never null, so that the unique key below always speaks.
  idempotency_hash text not null default gen_random_uuid()::text,
  request_hash text not null,
  status text not null default 'pending'
    constraint investigations_status_check check (status in ('pending', 'running', 'completed', 'failed', 'cancelled')),
  outcome text
    constraint investigations_outcome_check
    check (outcome in ('anomalies_found', 'no_anomalies', 'partial', 'source_unavailable')),
  phase text not null default 'opened'
    constraint investigations_phase_check
    check (phase in ('opened', 'claimed', 'reading', 'detecting', 'explaining', 'storing', 'finished')),
  progress real not null default 0 constraint investigations_progress_check check (progress between 0 and 1),
  events int not null default 0,
  fence int not null default 0,
  attempts int not null default 0,
  crashes int not null default 0,
  worker text,
  lease_until timestamptz,
  -- When the row was last put on the queue; null: it waits for the sweep.
  enqueued_at timestamptz default now(),
  run_after timestamptz not null default now(),
  records int not null default 0,
  anomalies int not null default 0,
  coverage jsonb not null default '[]',
  sample text,
  failure_code text,
  failure_message text,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  completed_at timestamptz,
  constraint investigations_outcome_when_completed check ((status = 'completed') = (outcome is not null)),
  constraint investigations_failure_when_failed check ((status = 'failed') = (failure_code is not null)),
  constraint investigations_private_has_owner check (visibility = 'public' or owner_id is not null),
  constraint investigations_idempotency unique nulls not distinct (owner_id, idempotency_hash)
);
create index investigations_newest on public.investigations (created_at desc, id desc);
create index investigations_waiting on public.investigations (run_after) where status = 'pending';
create index investigations_leased on public.investigations (lease_until) where status = 'running';

create table public.investigation_events (
  investigation_id uuid not null references public.investigations (id) on delete cascade,
  seq int not null,
  phase text not null
    constraint investigation_events_phase_check
    check (phase in ('opened', 'claimed', 'reading', 'detecting', 'explaining', 'storing', 'finished')),
  progress real not null,
  message text not null,
  data jsonb not null default '{}',
  created_at timestamptz not null default clock_timestamp(),
  primary key (investigation_id, seq)
);

create table public.anomalies (
  id uuid primary key default gen_random_uuid(),
  investigation_id uuid not null references public.investigations (id) on delete cascade,
  rank int not null,
  fingerprint text not null,
  detector text not null,
  detector_version int not null,
  subject_kind text not null
    constraint anomalies_subject_kind_check check (subject_kind in ('contract', 'supplier', 'agency', 'unit')),
  subject_id text not null,
  subject_label text not null,
  title text not null,
  reason text not null,
  score numeric(5, 4) not null constraint anomalies_score_check check (score between 0 and 1),
  severity text not null
    constraint anomalies_severity_check check (severity in ('info', 'low', 'medium', 'high', 'critical')),
  amount_at_risk_cents bigint not null,
  agency_code text,
  agency_name text,
  supplier_tax_id text,
  supplier_name text,
  evidence jsonb not null,
  legal_basis jsonb not null default '[]',
  innocent_explanations jsonb not null default '[]',
  explanation text,
  explanation_source text
    constraint anomalies_explanation_source_check check (explanation_source in ('model', 'template')),
  explanation_model text,
  status text not null default 'detected'
    constraint anomalies_status_check
    check (status in ('detected', 'under_review', 'confirmed', 'false_positive', 'resolved')),
  sample text,
  created_at timestamptz not null default now(),
  constraint anomalies_once unique (investigation_id, fingerprint),
  constraint anomalies_explained check ((explanation is null) = (explanation_source is null))
);
create index anomalies_gravest on public.anomalies (created_at desc, id desc);
create index anomalies_by_detector on public.anomalies (detector, created_at desc);

create table public.reports (
  investigation_id uuid primary key references public.investigations (id) on delete cascade,
  title text not null,
  markdown text not null,
  totals jsonb not null,
  detectors jsonb not null,
  coverage jsonb not null,
  sample text,
  created_at timestamptz not null default now()
);

create table public.alerts (
  id uuid primary key default gen_random_uuid(),
  investigation_id uuid not null references public.investigations (id) on delete cascade,
  dedupe_key text not null unique,
  severity text not null
    constraint alerts_severity_check check (severity in ('info', 'low', 'medium', 'high', 'critical')),
  findings int not null,
  status text not null default 'pending'
    constraint alerts_status_check check (status in ('pending', 'sending', 'sent', 'failed', 'unknown', 'acknowledged')),
  created_at timestamptz not null default now(),
  settled_at timestamptz
);

-- What was alerted, ever: the same flag on the same subject is alerted once.
create table public.alert_findings (
  fingerprint text primary key,
  alert_id uuid not null references public.alerts (id) on delete cascade
);
create index alert_findings_by_alert on public.alert_findings (alert_id);

create table public.alert_deliveries (
  id uuid primary key default gen_random_uuid(),
  alert_id uuid not null references public.alerts (id) on delete cascade,
  channel text not null constraint alert_deliveries_channel_check check (channel in ('discord')),
  -- Names the target without holding its secret address.
  target text not null,
  status text not null default 'pending'
    constraint alert_deliveries_status_check check (status in ('pending', 'sending', 'sent', 'failed', 'unknown')),
  fence int not null default 0,
  attempts int not null default 0,
  lease_until timestamptz,
  enqueued_at timestamptz default now(),
  run_after timestamptz not null default now(),
  external_id text,
  problem text,
  created_at timestamptz not null default now(),
  settled_at timestamptz,
  constraint alert_deliveries_once unique (alert_id, channel, target)
);
create index alert_deliveries_open on public.alert_deliveries (run_after) where status in ('pending', 'sending');

create table public.schedule_runs (
  schedule_id text not null,
  slot timestamptz not null,
  job text not null,
  status text not null default 'pending'
    constraint schedule_runs_status_check check (status in ('pending', 'running', 'completed', 'failed')),
  -- Slots that passed while nobody was there and that this run stands for.
  missed int not null default 0,
  fence int not null default 0,
  lease_until timestamptz,
  enqueued_at timestamptz,
  result jsonb,
  problem text,
  claimed_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  primary key (schedule_id, slot)
);
create index schedule_runs_open on public.schedule_runs (slot) where status in ('pending', 'running');

-- Appends one event under the row lock that the caller holds, so that numbers follow the order of commits.
create function public.append_event(p_id uuid, p_phase text, p_progress real, p_message text, p_data jsonb)
returns int language sql set search_path = '' as $$
  with counted as (
    update public.investigations i set events = i.events + 1, phase = p_phase, progress = p_progress
    where i.id = p_id returning i.events
  )
  insert into public.investigation_events (investigation_id, seq, phase, progress, message, data)
  select p_id, counted.events, p_phase, p_progress, p_message, p_data from counted
  returning seq
$$;

-- Gives the investigation to one worker: {outcome: claimed | leased | early | final | unknown | poison, investigation}.
-- An expired lease that nobody released is a crash of its worker; at p_crashes_max of them the investigation has failed.
create function public.claim_investigation(p_id uuid, p_worker text, p_lease_seconds int, p_crashes_max int)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_row public.investigations;
  v_crashes int;
begin
  select * into v_row from public.investigations i where i.id = p_id for update;
  if not found then return jsonb_build_object('outcome', 'unknown'); end if;
  if v_row.status not in ('pending', 'running') then return jsonb_build_object('outcome', 'final'); end if;
  if v_row.lease_until > now() then return jsonb_build_object('outcome', 'leased'); end if;
  if v_row.status = 'pending' and v_row.run_after > now() then return jsonb_build_object('outcome', 'early'); end if;
  v_crashes := v_row.crashes + case when v_row.status = 'running' then 1 else 0 end;
  if v_crashes >= p_crashes_max then
    update public.investigations i
       set status = 'failed', crashes = v_crashes, lease_until = null, completed_at = now(), fence = i.fence + 1,
           failure_code = 'poison', failure_message = format('its worker died %s times while it ran', v_crashes)
     where i.id = p_id;
    perform public.append_event(p_id, 'finished', 1, 'A investigação falhou: o processo morreu repetidas vezes ao executá-la.',
                                jsonb_build_object('status', 'failed', 'failure', 'poison'));
    return jsonb_build_object('outcome', 'poison');
  end if;
  update public.investigations i
     set status = 'running', crashes = v_crashes, fence = i.fence + 1, worker = p_worker,
         started_at = coalesce(i.started_at, now()), lease_until = now() + make_interval(secs => p_lease_seconds)
   where i.id = p_id;
  perform public.append_event(p_id, 'claimed', 0, 'Investigação iniciada.', '{}');
  select * into v_row from public.investigations i where i.id = p_id;
  return jsonb_build_object('outcome', 'claimed', 'investigation', to_jsonb(v_row));
end
$$;

-- False: the work is no longer ours (cancelled, taken over); stop.
create function public.renew_investigation(p_id uuid, p_fence int, p_lease_seconds int)
returns boolean language sql set search_path = '' as $$
  with renewed as (
    update public.investigations i set lease_until = now() + make_interval(secs => p_lease_seconds)
    where i.id = p_id and i.fence = p_fence and i.status = 'running' returning 1
  )
  select exists (select 1 from renewed)
$$;

-- Progress is also a heartbeat. False: stop.
create function public.record_progress(
  p_id uuid, p_fence int, p_lease_seconds int, p_phase text, p_progress real, p_message text, p_data jsonb
) returns boolean language plpgsql set search_path = '' as $$
begin
  if not public.renew_investigation(p_id, p_fence, p_lease_seconds) then return false; end if;
  perform public.append_event(p_id, p_phase, p_progress, p_message, p_data);
  return true;
end
$$;

-- Gives unfinished work back without blame: shutdown, or a dependency that is away.
create function public.release_investigation(p_id uuid, p_fence int, p_delay_seconds int, p_reason text)
returns boolean language plpgsql set search_path = '' as $$
begin
  update public.investigations i
     set status = 'pending', worker = null, lease_until = null, enqueued_at = null,
         run_after = now() + make_interval(secs => p_delay_seconds)
   where i.id = p_id and i.fence = p_fence and i.status = 'running';
  if not found then return false; end if;
  perform public.append_event(p_id, 'opened', 0, p_reason, '{}');
  return true;
end
$$;

-- An attempt that failed. With attempts left it runs again after the delay; otherwise, or with no delay, it has failed.
create function public.fail_investigation(
  p_id uuid, p_fence int, p_code text, p_message text, p_delay_seconds int, p_attempts_max int
) returns text language plpgsql set search_path = '' as $$
declare
  v_row public.investigations;
begin
  select * into v_row from public.investigations i
   where i.id = p_id and i.fence = p_fence and i.status = 'running' for update;
  if not found then return 'refused'; end if;
  if p_delay_seconds is not null and v_row.attempts + 1 < p_attempts_max then
    update public.investigations i
       set status = 'pending', attempts = i.attempts + 1, worker = null, lease_until = null, enqueued_at = null,
           run_after = now() + make_interval(secs => p_delay_seconds)
     where i.id = p_id;
    perform public.append_event(p_id, 'opened', 0, 'A tentativa falhou e será repetida.',
                                jsonb_build_object('failure', p_code, 'retryInSeconds', p_delay_seconds));
    return 'pending';
  end if;
  update public.investigations i
     set status = 'failed', attempts = i.attempts + 1, lease_until = null, completed_at = now(),
         failure_code = p_code, failure_message = p_message
   where i.id = p_id;
  perform public.append_event(p_id, 'finished', 1, 'A investigação falhou.',
                              jsonb_build_object('status', 'failed', 'failure', p_code));
  return 'failed';
end
$$;

-- The one write of a run: anomalies, explanations, report, alert with its deliveries, status and counters; nothing at
-- all when the fence no longer holds. Returns {completed, alertId, deliveries: [id]}.
-- The alert covers the given fingerprints that were never alerted before; with none of those there is no alert.
create function public.complete_investigation(p_id uuid, p_fence int, p_result jsonb)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_alert uuid := gen_random_uuid();
  v_fresh int := 0;
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
    insert into public.alerts (id, investigation_id, dedupe_key, severity, findings)
    values (v_alert, p_id, v_alert::text, p_result #>> '{alert,severity}', 0);
    insert into public.alert_findings (fingerprint, alert_id)
    select f, v_alert from jsonb_array_elements_text(p_result #> '{alert,fingerprints}') f order by f
    on conflict do nothing;
    get diagnostics v_fresh = row_count;
    if v_fresh = 0 then
      delete from public.alerts where id = v_alert;
    else
      update public.alerts
         set findings = v_fresh,
             dedupe_key = (select encode(sha256(convert_to(string_agg(f.fingerprint, ',' order by f.fingerprint), 'UTF8')), 'hex')
                             from public.alert_findings f where f.alert_id = v_alert),
             severity = (select a.severity from public.anomalies a join public.alert_findings f using (fingerprint)
                          where f.alert_id = v_alert and a.investigation_id = p_id order by a.rank limit 1)
       where id = v_alert;
      with made as (
        insert into public.alert_deliveries (alert_id, channel, target)
        select v_alert, t ->> 'channel', t ->> 'target' from jsonb_array_elements(p_result #> '{alert,targets}') t
        returning id
      )
      select coalesce(jsonb_agg(made.id), '[]') into v_deliveries from made;
    end if;
  end if;

  perform public.append_event(p_id, 'finished', 1, p_result ->> 'message',
    jsonb_build_object('status', 'completed', 'outcome', p_result ->> 'outcome',
                       'anomalies', jsonb_array_length(p_result -> 'anomalies')));
  return jsonb_build_object('completed', true, 'alertId', case when v_fresh > 0 then v_alert end, 'deliveries', v_deliveries);
end
$$;

-- cancelled | final | unknown. A worker that runs it learns at its next heartbeat, and its result is refused.
create function public.cancel_investigation(p_id uuid)
returns text language plpgsql set search_path = '' as $$
declare
  v_status text;
begin
  select i.status into v_status from public.investigations i where i.id = p_id for update;
  if not found then return 'unknown'; end if;
  if v_status not in ('pending', 'running') then return case v_status when 'cancelled' then 'cancelled' else 'final' end; end if;
  update public.investigations i
     set status = 'cancelled', lease_until = null, completed_at = now(), fence = i.fence + 1 where i.id = p_id;
  perform public.append_event(p_id, 'finished', 1, 'Investigação cancelada.', jsonb_build_object('status', 'cancelled'));
  return 'cancelled';
end
$$;

-- Hands out what should be on the queue and is not: never enqueued, or enqueued longer ago than the grace and still
-- pending (the queue may have lost it; the same job id makes a second enqueue harmless), or running with an expired
-- lease (a crash: it becomes pending again).
create function public.take_unqueued_investigations(p_limit int, p_grace_seconds int)
returns table (id uuid, fence int, priority text) language sql set search_path = '' as $$
  with lost as (
    select o.id, o.status from public.investigations o
     where (o.status = 'pending' and o.run_after <= now()
            and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds)))
        or (o.status = 'running' and o.lease_until < now())
     order by o.created_at limit p_limit for update skip locked
  )
  update public.investigations i
     set status = 'pending', enqueued_at = now(), lease_until = null, worker = null,
         crashes = i.crashes + case when lost.status = 'running' then 1 else 0 end
    from lost where lost.id = i.id
  returning i.id, i.fence, i.priority
$$;

-- Takes the mark "on the queue" back when the queue did not take it after all.
create function public.mark_unqueued(p_id uuid)
returns void language sql set search_path = '' as $$
  update public.investigations i set enqueued_at = null where i.id = p_id and i.status = 'pending'
$$;

-- pending → sending is committed before the message leaves: a crash in between is an `unknown`, never a second message.
-- {outcome: claimed | busy | early | settled | unknown, delivery}
create function public.claim_alert_delivery(p_id uuid, p_lease_seconds int)
returns jsonb language plpgsql set search_path = '' as $$
declare
  v_row public.alert_deliveries;
begin
  select * into v_row from public.alert_deliveries d where d.id = p_id for update;
  if not found then return jsonb_build_object('outcome', 'unknown'); end if;
  if v_row.status = 'sending' then return jsonb_build_object('outcome', 'busy'); end if;
  if v_row.status <> 'pending' then return jsonb_build_object('outcome', 'settled'); end if;
  if v_row.run_after > now() then return jsonb_build_object('outcome', 'early'); end if;
  update public.alert_deliveries d
     set status = 'sending', fence = d.fence + 1, attempts = d.attempts + 1,
         lease_until = now() + make_interval(secs => p_lease_seconds)
   where d.id = p_id returning * into v_row;
  update public.alerts a set status = 'sending' where a.id = v_row.alert_id and a.status = 'pending';
  return jsonb_build_object('outcome', 'claimed', 'delivery', to_jsonb(v_row));
end
$$;

-- Settles what was claimed: sent, failed or unknown for good; pending to try again after the delay.
create function public.settle_alert_delivery(
  p_id uuid, p_fence int, p_status text, p_external_id text, p_problem text, p_delay_seconds int
) returns boolean language plpgsql set search_path = '' as $$
declare
  v_alert uuid;
begin
  update public.alert_deliveries d
     set status = p_status, external_id = p_external_id, problem = p_problem, lease_until = null,
         enqueued_at = case when p_status = 'pending' then null else d.enqueued_at end,
         run_after = now() + make_interval(secs => coalesce(p_delay_seconds, 0)),
         settled_at = case when p_status = 'pending' then null else now() end
   where d.id = p_id and d.fence = p_fence and d.status = 'sending'
  returning d.alert_id into v_alert;
  if not found then return false; end if;
  perform public.settle_alert(v_alert);
  return true;
end
$$;

-- The alert is what its deliveries are: the worst of them once all are settled. The row is locked before the deliveries
-- are read: of the last two, settled at the same moment, the second must see the first.
create function public.settle_alert(p_alert uuid)
returns void language sql set search_path = '' as $$
  select 1 from public.alerts a where a.id = p_alert for update;
  update public.alerts a
     set status = s.status, settled_at = now()
    from (select case when bool_or(d.status = 'unknown') then 'unknown'
                      when bool_or(d.status = 'failed') then 'failed' else 'sent' end as status
            from public.alert_deliveries d where d.alert_id = p_alert
          having bool_and(d.status in ('sent', 'failed', 'unknown'))) s
   where a.id = p_alert and a.status <> 'acknowledged'
$$;

-- A delivery whose sender died between claim and settlement may have been posted: it becomes `unknown` and stays so.
create function public.take_unqueued_deliveries(p_limit int, p_grace_seconds int)
returns table (id uuid, fence int) language plpgsql set search_path = '' as $$
declare
  v_alert uuid;
begin
  for v_alert in
    update public.alert_deliveries d
       set status = 'unknown', lease_until = null, settled_at = now(), problem = 'its sender died while sending'
     where d.status = 'sending' and d.lease_until < now()
    returning d.alert_id
  loop
    perform public.settle_alert(v_alert);
  end loop;
  return query
    with lost as (
      select o.id from public.alert_deliveries o
       where o.status = 'pending' and o.run_after <= now()
         and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds))
       order by o.created_at limit p_limit for update skip locked
    )
    update public.alert_deliveries d set enqueued_at = now() from lost where lost.id = d.id
    returning d.id, d.fence;
end
$$;

-- True for exactly one caller a slot. The row waits on the outbox until take_unqueued_schedule_runs hands it out.
create function public.claim_schedule_slot(p_schedule_id text, p_slot timestamptz, p_job text, p_missed int)
returns boolean language sql set search_path = '' as $$
  with claimed as (
    insert into public.schedule_runs (schedule_id, slot, job, missed) values (p_schedule_id, p_slot, p_job, p_missed)
    on conflict do nothing returning 1
  )
  select exists (select 1 from claimed)
$$;

create function public.take_unqueued_schedule_runs(p_limit int, p_grace_seconds int)
returns table (schedule_id text, slot timestamptz, job text, fence int) language sql set search_path = '' as $$
  with lost as (
    select o.schedule_id, o.slot from public.schedule_runs o
     where (o.status = 'pending'
            and (o.enqueued_at is null or o.enqueued_at < now() - make_interval(secs => p_grace_seconds)))
        or (o.status = 'running' and o.lease_until < now())
     order by o.slot limit p_limit for update skip locked
  )
  update public.schedule_runs r set status = 'pending', enqueued_at = now(), lease_until = null
    from lost where lost.schedule_id = r.schedule_id and lost.slot = r.slot
  returning r.schedule_id, r.slot, r.job, r.fence
$$;

-- The fence under which the run may be finished, or null when it is not to be run (done, or running elsewhere).
create function public.start_schedule_run(p_schedule_id text, p_slot timestamptz, p_lease_seconds int)
returns int language sql set search_path = '' as $$
  update public.schedule_runs r
     set status = 'running', fence = r.fence + 1, started_at = now(),
         lease_until = now() + make_interval(secs => p_lease_seconds)
   where r.schedule_id = p_schedule_id and r.slot = p_slot
     and (r.status = 'pending' or (r.status = 'running' and r.lease_until < now()))
  returning r.fence
$$;

create function public.finish_schedule_run(
  p_schedule_id text, p_slot timestamptz, p_fence int, p_status text, p_result jsonb, p_problem text
) returns boolean language sql set search_path = '' as $$
  with finished as (
    update public.schedule_runs r
       set status = p_status, result = p_result, problem = p_problem, finished_at = now(), lease_until = null
     where r.schedule_id = p_schedule_id and r.slot = p_slot and r.fence = p_fence and r.status = 'running' returning 1
  )
  select exists (select 1 from finished)
$$;

-- The one clock that slots are computed from.
create function public.database_time()
returns timestamptz language sql stable set search_path = '' as $$ select now() $$;

alter table public.investigations enable row level security;
alter table public.investigation_events enable row level security;
alter table public.anomalies enable row level security;
alter table public.reports enable row level security;
alter table public.alerts enable row level security;
alter table public.alert_findings enable row level security;
alter table public.alert_deliveries enable row level security;
alter table public.schedule_runs enable row level security;

create policy readable on public.investigations for select to anon, authenticated
  using (visibility = 'public' or owner_id = (select auth.uid()));
-- The inner select is itself under the policy above.
create policy readable on public.investigation_events for select to anon, authenticated
  using (exists (select 1 from public.investigations i where i.id = investigation_id));
create policy readable on public.anomalies for select to anon, authenticated
  using (exists (select 1 from public.investigations i where i.id = investigation_id));
create policy readable on public.reports for select to anon, authenticated
  using (exists (select 1 from public.investigations i where i.id = investigation_id));

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace
       and p.proname in (
         'append_event', 'claim_investigation', 'renew_investigation', 'record_progress', 'release_investigation',
         'fail_investigation', 'complete_investigation', 'cancel_investigation', 'take_unqueued_investigations',
         'mark_unqueued', 'claim_alert_delivery', 'settle_alert_delivery', 'settle_alert', 'take_unqueued_deliveries',
         'claim_schedule_slot', 'take_unqueued_schedule_runs', 'start_schedule_run', 'finish_schedule_run', 'database_time')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
