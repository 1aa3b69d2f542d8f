-- Findings may be about a contracting process (a tender with its bids).
alter table public.anomalies drop constraint anomalies_subject_kind_check;
alter table public.anomalies add constraint anomalies_subject_kind_check
  check (subject_kind in ('contract', 'supplier', 'agency', 'unit', 'process'));
