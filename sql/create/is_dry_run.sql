-- is_dry_run: whether this transaction is a dry run, which is rolled back: what commits by itself must not. For everybody: it
-- tells what the caller's own session was told.
create function strata.is_dry_run() returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(current_setting('strata.dry_run', true), '') in ('on', 'partial')
$$;
comment on function strata.is_dry_run() is 'Whether this transaction is a dry run, in which strata''s procedures do not commit.';
