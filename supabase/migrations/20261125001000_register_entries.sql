-- Entries of registers that bar nobody from contracting (CEPIM, leniency agreements): apart from `sanctions`, so that no
-- question about who may contract can find them.
create table public.register_entries (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  register text not null check (register in ('cepim', 'leniency')),
  companies jsonb not null,
  reason text,
  status text,
  body text,
  agreement text,
  starts_on date,
  ends_on date,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index register_entries_by_company on public.register_entries using gin (companies jsonb_path_ops);
alter table public.register_entries enable row level security;
create policy public_records on public.register_entries for select to anon, authenticated using (true);
create trigger keep_change after update on public.register_entries for each row execute function public.keep_record_change();
