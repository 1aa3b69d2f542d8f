-- What people said of findings, what a model may learn from it, and how often each detector was right.

create table public.investigation_feedback (
  id uuid primary key default gen_random_uuid(),
  anomaly_id uuid not null references public.anomalies (id) on delete cascade,
  fingerprint text not null,
  detector text not null,
  detector_version int not null,
  verdict text not null
    constraint investigation_feedback_verdict_check check (verdict in ('confirmed', 'false_positive')),
  created_at timestamptz not null default clock_timestamp()
);
create index investigation_feedback_newest on public.investigation_feedback (fingerprint, created_at desc);

-- One labelled example a finding: the numbers its detector saw, and what people said last.
create table public.ml_training_datasets (
  fingerprint text primary key,
  detector text not null,
  detector_version int not null,
  features jsonb not null,
  label text not null constraint ml_training_datasets_label_check check (label in ('confirmed', 'false_positive')),
  labelled_at timestamptz not null
);

create table public.detector_precision (
  detector text not null,
  detector_version int not null,
  confirmed int not null,
  false_positive int not null,
  computed_at timestamptz not null default now(),
  primary key (detector, detector_version)
);

alter table public.investigation_feedback enable row level security;
alter table public.ml_training_datasets enable row level security;
alter table public.detector_precision enable row level security;
create policy public_figures on public.detector_precision for select to anon, authenticated using (true);

-- The verdict, kept with the earlier ones; the anomaly has the newest. False: there is no such anomaly.
create function public.record_feedback(p_anomaly uuid, p_verdict text)
returns boolean language plpgsql set search_path = '' as $$
declare
  v_row public.anomalies;
begin
  update public.anomalies a set status = p_verdict where a.id = p_anomaly returning * into v_row;
  if not found then return false; end if;
  insert into public.investigation_feedback (anomaly_id, fingerprint, detector, detector_version, verdict)
  values (p_anomaly, v_row.fingerprint, v_row.detector, v_row.detector_version, p_verdict);
  insert into public.ml_training_datasets as d (fingerprint, detector, detector_version, features, label, labelled_at)
  values (v_row.fingerprint, v_row.detector, v_row.detector_version,
          jsonb_build_object('score', v_row.score, 'amountAtRiskCents', v_row.amount_at_risk_cents, 'facts', v_row.evidence -> 'facts'),
          p_verdict, now())
  on conflict (fingerprint) do update set label = excluded.label, features = excluded.features, labelled_at = now();
  return true;
end
$$;

-- The newest verdict on each finding counts. Returns how many detectors have any.
create function public.compute_detector_precision()
returns int language sql set search_path = '' as $$
  with newest as (
    select distinct on (f.fingerprint) f.detector, f.detector_version, f.verdict
      from public.investigation_feedback f order by f.fingerprint, f.created_at desc
  ), written as (
    insert into public.detector_precision as p (detector, detector_version, confirmed, false_positive)
    select n.detector, n.detector_version, count(*) filter (where n.verdict = 'confirmed')::int,
           count(*) filter (where n.verdict = 'false_positive')::int
      from newest n group by 1, 2
    on conflict (detector, detector_version) do update
       set confirmed = excluded.confirmed, false_positive = excluded.false_positive, computed_at = now()
    returning 1
  )
  select count(*)::int from written
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('record_feedback', 'compute_detector_precision')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
