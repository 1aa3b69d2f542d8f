#!/bin/bash
# First start only: makes a plain PostgreSQL what a hosted Supabase project is before any migration, then applies them.
set -euo pipefail
run_sql() { psql --set ON_ERROR_STOP=1 --username postgres --dbname postgres --quiet "$@"; }

run_sql --set password="$AUTHENTICATOR_PASSWORD" <<'SQL'
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit password :'password';
grant anon, authenticated, service_role to authenticator;
create schema if not exists extensions;
create schema if not exists auth;
grant usage on schema public, extensions, auth to anon, authenticated, service_role;
create function auth.jwt() returns jsonb language sql stable as
  $$ select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;
create function auth.uid() returns uuid language sql stable as
  $$ select nullif(auth.jwt() ->> 'sub', '')::uuid $$;
create function auth.role() returns text language sql stable as
  $$ select auth.jwt() ->> 'role' $$;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
create schema supabase_migrations;
create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
SQL

for file in /docker-entrypoint-initdb.d/migrations/*.sql; do
  name=$(basename "$file" .sql)
  run_sql --single-transaction --file "$file"
  run_sql --command "insert into supabase_migrations.schema_migrations (version, name) values ('${name%%_*}', '${name#*_}')"
done
