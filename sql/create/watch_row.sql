-- watch_row: the trigger of a source for updated rows of a plain table. Its arguments are the source, its key column, and the
-- columns of its text. Where those have the bytes that they had, and no column of the row has become null, that is all; else
-- it calls the source's trigger function (strata.watcher). Which column holds a vector may change while the trigger stays.
-- Raises 39P01 (called otherwise), 42883 (the source's trigger function is gone).
create function strata.watch_row() returns trigger
language c as 'MODULE_PATHNAME', 'strata_watch_row';
revoke execute on function strata.watch_row() from public;

-- watches_rows_of: whether a trigger looks at rows of this source: the source is the first of its arguments, each of which
-- ends with a zero.
create function strata.watches_rows_of(t pg_catalog.pg_trigger, entity_type text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select t.tgfoid = 'strata.watch_row()'::regprocedure
       and substring(t.tgargs for octet_length(entity_type) + 1) = convert_to(entity_type, getdatabaseencoding()) || decode('00', 'hex')
$$;
revoke execute on function strata.watches_rows_of from public;

-- row_watch: the call of watch_row for a source, as CREATE TRIGGER wants it.
create function strata.row_watch(s strata.source) returns text
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select format('strata.watch_row(%L, %L, %s)', s.entity_type, s.key_column, string_agg(quote_literal(u.name), ', '))
    from unnest(s.content_columns || s.title_column) u(name) where u.name is not null
$$;
revoke execute on function strata.row_watch from public;
