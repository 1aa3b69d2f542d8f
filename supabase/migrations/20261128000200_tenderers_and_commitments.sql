-- Who bid in a procedure, and the budget that was set apart for a contract.
create table public.tenderers (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  tender_id text not null,
  item_number text,
  kind text not null constraint tenderers_kind_check
    check (kind in ('company', 'person', 'foreign', 'public_body', 'secret', 'unknown')),
  tax_id text,
  name text not null,
  is_winner boolean,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  foreign key (source, tender_id) references public.contracts (source, source_id) on delete cascade,
  constraint tenderers_person_masked_check check (kind <> 'person' or tax_id is null or tax_id like '***.%-**')
);
create index tenderers_by_tender on public.tenderers (source, tender_id);
create index tenderers_by_tax_id on public.tenderers (tax_id);

create table public.commitments (
  source text not null,
  source_id text not null,
  content_hash text not null,
  url text not null,
  retrieved_at timestamptz not null,
  sample text,
  contract_id text not null,
  code text not null,
  issued_on date,
  note text,
  amount_cents bigint,
  first_seen_at timestamptz not null default now(),
  changed_at timestamptz not null default now(),
  primary key (source, source_id),
  foreign key (source, contract_id) references public.contracts (source, source_id) on delete cascade
);
create index commitments_by_contract on public.commitments (source, contract_id);

alter table public.tenderers enable row level security;
alter table public.commitments enable row level security;
create policy public_records on public.tenderers for select to anon, authenticated using (true);
create policy public_records on public.commitments for select to anon, authenticated using (true);
create trigger keep_change after update on public.tenderers for each row execute function public.keep_record_change();
create trigger keep_change after update on public.commitments for each row execute function public.keep_record_change();
