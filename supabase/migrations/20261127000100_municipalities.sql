-- Municipalities as IBGE numbers them: what names a place in a question is looked up here.
create table public.municipalities (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  code text not null check (code ~ '^\d{7}$'),
  name text not null,
  state text not null check (state ~ '^[A-Z]{2}$'),
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index municipalities_by_name on public.municipalities (lower(name));
alter table public.municipalities enable row level security;
create policy public_records on public.municipalities for select to anon, authenticated using (true);
create trigger keep_change after update on public.municipalities for each row execute function public.keep_record_change();
