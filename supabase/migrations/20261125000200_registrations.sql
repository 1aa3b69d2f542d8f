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

-- When a company was looked up last, whether the registers have it or not.
create table public.registration_lookups (
  cnpj text primary key,
  found boolean not null,
  asked_at timestamptz not null
);
alter table public.registration_lookups enable row level security;

-- Companies with contracts that were not looked up for so many days, those with the most money first.
create function public.suppliers_without_registration(p_limit int, p_age_days int)
returns table (cnpj text)
language sql
stable
set search_path = ''
as $$
  select c.supplier_tax_id
    from public.contracts c
   where c.supplier_kind = 'company' and c.supplier_tax_id is not null
     and not exists (select 1 from public.registration_lookups l
                      where l.cnpj = c.supplier_tax_id and l.asked_at > now() - make_interval(days => p_age_days))
   group by c.supplier_tax_id
   order by sum(coalesce(c.initial_value_cents, 0)) desc, c.supplier_tax_id
   limit p_limit
$$;
revoke execute on function public.suppliers_without_registration(int, int) from public, anon, authenticated;
grant execute on function public.suppliers_without_registration(int, int) to service_role;
