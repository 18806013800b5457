-- note_expansion: where an expansion stands now.
create function strata.note_expansion(relation regclass, new_column text, state text) returns void
language sql volatile set search_path = pg_catalog, pg_temp as $$
    update strata.expansion x set state = $3, changed_at = clock_timestamp()
    where x.relation = $1::text and x.new_column = $2
$$;
revoke execute on function strata.note_expansion(regclass, text, text) from public;

-- must_not_be_null: whether a column has to be made not null because the other one is.
create function strata.must_not_be_null(relation regclass, other text, column_name text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select o.attnotnull and not a.attnotnull
    from pg_attribute o join pg_attribute a on a.attrelid = o.attrelid and a.attname = $3
    where o.attrelid = $1 and o.attname = $2
$$;
revoke execute on function strata.must_not_be_null(regclass, text, text) from public;

-- set_not_null: makes a column not null without reading the table under a lock that stops writers: a check that holds for
-- new rows, its validation for those that are there, then not null, which believes the check. Raises 23514 (there is a
-- null), 55P03 (a lock was never to be had).
create procedure strata.set_not_null(relation regclass, column_name text)
language plpgsql as $$
declare
    guard text := format('%I', 'strata_not_null_' || md5(column_name));
begin
    call strata.patiently(format('alter table %s drop constraint if exists %s, add constraint %s check (%I is not null) not valid',
                                 relation, guard, guard, column_name));
    call strata.patiently(format('alter table %s validate constraint %s', relation, guard));
    call strata.patiently(format('alter table %s alter column %I set not null, drop constraint %s', relation, column_name, guard));
end
$$;
revoke execute on procedure strata.set_not_null(regclass, text) from public;

-- fill_column: computes the new column of an expansion for the rows that nobody has written since, batch by batch, and
-- makes it not null where the old one is. Killed at any moment, it goes on where it was.
-- Raises 42704, 55000 (strata.require_expansion), 23514 (`up` answers null for a column that is not null), and what
-- strata.backfill raises.
create procedure strata.fill_column(relation regclass, new_column text, batch int default 500, target interval default '25 ms')
language plpgsql as $$
declare
    e strata.expansion := strata.require_expansion(relation, new_column, '{expanded,filled}');
begin
    call strata.backfill(
        format('fill %s.%I', e.relation, new_column), relation, e.key,
        format('with quiet as materialized (select pg_catalog.set_config(''strata.filling'', ''up'', true))
                update %s t set %2$I = t.%2$I from quiet where %3$s and t.%2$I is null',
               e.relation, new_column, strata.walk_condition(relation, e.key)),
        batch, target);
    if strata.must_not_be_null(relation, e.old_column, new_column) then
        call strata.set_not_null(relation, new_column);
    end if;
    perform strata.note_expansion(relation, new_column, 'filled');
    if not strata.is_dry_run() then
        commit;
    end if;
end
$$;
revoke execute on procedure strata.fill_column(regclass, text, int, interval) from public;
