-- Watches: who wants to hear of which supplier, agency or detector, and where.

create table public.watches (
  id uuid primary key default gen_random_uuid(),
  -- The signed-in person whose watch it is; null: the operator keeps it.
  owner_id uuid,
  subject_kind text not null
    constraint watches_subject_kind_check check (subject_kind in ('supplier', 'agency', 'detector')),
  -- A CNPJ, the code of an agency as its source numbers it, or the id of a detector.
  subject_id text not null,
  channel text not null constraint watches_channel_check check (channel in ('discord', 'email', 'webhook')),
  -- Names the target without its address, as a delivery does.
  target text not null,
  address text not null,
  severity_min text
    constraint watches_severity_min_check check (severity_min in ('info', 'low', 'medium', 'high', 'critical')),
  created_at timestamptz not null default now(),
  constraint watches_once unique (subject_kind, subject_id, channel, target)
);
create index watches_of_target on public.watches (channel, target);
create index watches_newest on public.watches (created_at desc, id desc);

alter table public.watches enable row level security;
create policy own on public.watches for select to authenticated using (owner_id = (select auth.uid()));

-- {outcome: created | existing | full, watch}. The same subject at the same target is one watch, and stays as it is.
create function public.open_watch(
  p_owner uuid, p_subject_kind text, p_subject_id text, p_channel text, p_target text, p_address text,
  p_severity_min text, p_per_target_max int
) returns jsonb language plpgsql set search_path = '' as $$
declare
  v_row public.watches;
  v_created boolean := false;
begin
  -- Whoever adds to one target does it one after the other, so that its bound holds.
  perform pg_advisory_xact_lock(hashtextextended('watch:' || p_channel || ':' || p_target, 0));
  select * into v_row from public.watches w
   where w.subject_kind = p_subject_kind and w.subject_id = p_subject_id and w.channel = p_channel and w.target = p_target;
  if not found then
    if (select count(*) from public.watches w where w.channel = p_channel and w.target = p_target) >= p_per_target_max then
      return jsonb_build_object('outcome', 'full', 'watch', null);
    end if;
    insert into public.watches (owner_id, subject_kind, subject_id, channel, target, address, severity_min)
    values (p_owner, p_subject_kind, p_subject_id, p_channel, p_target, p_address, p_severity_min)
    returning * into v_row;
    v_created := true;
  end if;
  return jsonb_build_object('outcome', case when v_created then 'created' else 'existing' end, 'watch', to_jsonb(v_row));
end
$$;

-- One delivery for each target that wants to hear of this severity, and for each that watches what a finding of the
-- alert is about; one that is both gets one. Nobody hears of a private investigation but its owner. The ids.
create or replace function public.make_alert_deliveries(p_alert uuid, p_severity text, p_targets jsonb)
returns jsonb language sql set search_path = '' as $$
  with made as (
    insert into public.alert_deliveries (alert_id, channel, target)
    select p_alert, t ->> 'channel', t ->> 'target' from jsonb_array_elements(p_targets) t
     where public.severity_rank(coalesce(t ->> 'severityMin', 'info')) <= public.severity_rank(p_severity)
    union all
    select distinct p_alert, w.channel, w.target
      from public.alert_findings f
      join public.alerts a on a.id = f.alert_id
      join public.investigations i on i.id = a.investigation_id
      join public.anomalies n on n.investigation_id = a.investigation_id and n.fingerprint = f.fingerprint
     cross join lateral (values ('supplier', n.supplier_tax_id), ('agency', n.agency_code), ('detector', n.detector)) s (kind, id)
      join public.watches w on w.subject_kind = s.kind and w.subject_id = s.id
     where f.alert_id = p_alert
       and (i.visibility = 'public' or i.owner_id = w.owner_id)
       and public.severity_rank(coalesce(w.severity_min, 'info')) <= public.severity_rank(n.severity)
       and not exists (
         select 1 from jsonb_array_elements(p_targets) t
          where t ->> 'channel' = w.channel and t ->> 'target' = w.target
            and public.severity_rank(coalesce(t ->> 'severityMin', 'info')) <= public.severity_rank(p_severity))
    returning id
  )
  select coalesce(jsonb_agg(made.id), '[]') from made
$$;

do $$
declare
  f regprocedure;
begin
  for f in
    select p.oid::regprocedure from pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname in ('open_watch')
  loop
    execute format('revoke execute on function %s from public, anon, authenticated', f);
    execute format('grant execute on function %s to service_role', f);
  end loop;
end
$$;
