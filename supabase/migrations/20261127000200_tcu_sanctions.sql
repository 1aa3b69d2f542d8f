-- Declarations of the federal audit court (TCU), beside the lists of the CGU.
alter table public.sanctions
  drop constraint sanctions_list_check,
  add constraint sanctions_list_check check (list in ('ceis', 'cnep', 'tcu'));
