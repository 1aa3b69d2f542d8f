-- Two senders that claim deliveries to one target at the same moment each had their own locked, left the other's out of
-- their message, and sent two where one was meant. Claims for one target now wait for one another.
alter function public.claim_alert_delivery(uuid, int, int, int) rename to claim_delivery_of_locked_target;

create function public.claim_alert_delivery(p_id uuid, p_lease_seconds int, p_group_max int, p_per_minute int)
returns jsonb language plpgsql set search_path = '' as $$
begin
  perform pg_advisory_xact_lock(hashtextextended(d.channel || ' ' || d.target, 0))
     from public.alert_deliveries d where d.id = p_id;
  return public.claim_delivery_of_locked_target(p_id, p_lease_seconds, p_group_max, p_per_minute);
end
$$;

revoke execute on function public.claim_alert_delivery(uuid, int, int, int) from public, anon, authenticated;
grant execute on function public.claim_alert_delivery(uuid, int, int, int) to service_role;
