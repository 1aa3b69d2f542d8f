-- What the registry of legal persons says of a company. Not for anonymous readers: it holds telephones and e-mail addresses.
create table public.registrations (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  cnpj text not null,
  name text not null,
  opened_on date,
  status text,
  status_since date,
  main_activity text,
  capital_cents bigint,
  address text,
  phone text,
  email text,
  partners jsonb not null default '[]',
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index registrations_by_cnpj on public.registrations (cnpj);
alter table public.registrations enable row level security;
create trigger keep_change after update on public.registrations for each row execute function public.keep_record_change();
