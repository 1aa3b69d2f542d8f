-- Prices that public buyers paid, what the Portal says it holds about a company, and steps of federal expenses.
create table public.reference_prices (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  catalogue text not null constraint reference_prices_catalogue_check check (catalogue in ('CATMAT', 'CATSER')),
  item_code text not null,
  description text,
  unit_of_measure text,
  quantity numeric,
  unit_price_cents bigint,
  purchased_on date,
  supplier_kind text not null constraint reference_prices_supplier_kind_check
    check (supplier_kind in ('company', 'person', 'foreign', 'public_body', 'secret', 'unknown')),
  supplier_tax_id text,
  supplier_name text not null,
  agency_code text not null,
  agency_name text not null,
  unit_code text not null,
  unit_name text not null,
  buyer_state text,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index reference_prices_by_item on public.reference_prices (catalogue, item_code, purchased_on);

create table public.company_flags (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  tax_id text not null,
  name text not null,
  flags jsonb not null,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);

create table public.expense_documents (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  code text not null,
  phase text not null constraint expense_documents_phase_check check (phase in ('commitment', 'verification', 'payment')),
  issued_on date,
  kind text,
  amount_cents bigint,
  payee_kind text not null constraint expense_documents_payee_kind_check
    check (payee_kind in ('company', 'person', 'foreign', 'public_body', 'secret', 'unknown')),
  payee_tax_id text,
  payee_name text not null,
  agency_code text not null,
  agency_name text not null,
  unit_code text not null,
  unit_name text not null,
  process_number text,
  note text,
  element text,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id)
);
create index expense_documents_by_payee on public.expense_documents (payee_tax_id, issued_on);

alter table public.reference_prices enable row level security;
alter table public.company_flags enable row level security;
alter table public.expense_documents enable row level security;
create policy public_records on public.reference_prices for select to anon, authenticated using (true);
create policy public_records on public.company_flags for select to anon, authenticated using (true);
create policy public_records on public.expense_documents for select to anon, authenticated using (true);
create trigger keep_change after update on public.reference_prices for each row execute function public.keep_record_change();
create trigger keep_change after update on public.company_flags for each row execute function public.keep_record_change();
create trigger keep_change after update on public.expense_documents for each row execute function public.keep_record_change();
