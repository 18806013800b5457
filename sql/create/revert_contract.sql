-- begin_revert: the old column of an expansion comes back, empty, and both are written again. The new one loses its
-- default: it would overrule what is written into the old one. Raises 42704, 55000.
create function strata.begin_revert(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    e         strata.expansion := strata.require_expansion(relation, new_column, '{contracted}');
    k         strata.kept := strata.require_kept(e.relation, array[e.old_column]);
    statement text;
begin
    perform strata.begin_restore(k.id);
    foreach statement in array k.definition[2:] loop
        continue when statement not like format('alter table %s alter column %I set default %%', relation, e.old_column);
        execute statement;
    end loop;
    execute format('alter table %s alter column %I drop default', relation, new_column);
    perform strata.write_both(relation, new_column);
    perform strata.note_expansion(relation, new_column, 'reverting');
end
$$;
revoke execute on function strata.begin_revert(regclass, text) from public;

-- revert_statement: what brings back the values of a batch: that of the copy where it still agrees with the new column,
-- else what `down` makes of that, as the trigger decides it. Rows that were written since the column is back have a value.
create function strata.revert_statement(relation regclass, new_column text) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select format('with quiet as materialized (select pg_catalog.set_config(''strata.filling'', ''back'', true))
                   update %1$s t set %2$I = (select k.%2$I from %3$s k where (%4$s) operator(pg_catalog.=) (%5$s)) from quiet
                   where %6$s and t.%2$I is null',
                  e.relation, e.old_column, k.copy,
                  (select string_agg(format('k.%I', n), ', ') from unnest(k.keys) n),
                  (select string_agg(format('t.%I', n), ', ') from unnest(k.keys) n), strata.walk_condition($1, e.key))
    from strata.require_expansion($1, $2, '{reverting}') e
    cross join strata.kept_of(e.relation, array[e.old_column]) k
$$;
revoke execute on function strata.revert_statement(regclass, text) from public;

-- end_revert: the old column is whole: gets its rights and comment, and the copy goes.
create function strata.end_revert(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    e         strata.expansion := strata.require_expansion(relation, new_column, '{reverting}');
    k         strata.kept := strata.kept_of(e.relation, array[e.old_column]);
    statement text;
begin
    foreach statement in array k.definition[2:] loop
        continue when statement like 'update %' or statement like '% set not null';
        execute statement;
    end loop;
    execute format('drop table %s', k.copy);
    update strata.kept x set state = 'restored', ended_at = clock_timestamp(), ended_by = session_user where x.id = k.id;
    delete from strata.backfill_cursor c where c.job = format('revert %s.%I', e.relation, new_column);
    perform strata.note_expansion(relation, new_column, 'filled');
end
$$;
revoke execute on function strata.end_revert(regclass, text) from public;

-- revert_contract: the way back from strata.contract_column: the old column is there again, at the end of its table, with
-- every value it had where nobody has written the new column since, and what `down` makes of it elsewhere. Killed at any
-- moment, it goes on where it was. Raises 42704 (nothing is kept), 55000 (strata.require_expansion; the copy was cleaned
-- up), 23514 (`down` answers null for a column that was not null), 55P03, and what strata.backfill raises.
create procedure strata.revert_contract(relation regclass, new_column text, batch int default 500, target interval default '25 ms')
language plpgsql as $$
declare
    e strata.expansion := strata.require_expansion(relation, new_column, '{contracted,reverting}');
begin
    if e.state = 'contracted' then
        call strata.patiently(format('select strata.begin_revert(%L, %L)', e.relation, new_column));
    end if;
    call strata.backfill(format('revert %s.%I', e.relation, new_column), relation, e.key,
                         strata.revert_statement(relation, new_column), batch, target);
    if exists (select from unnest((strata.kept_of(e.relation, array[e.old_column])).definition) d where d like '% set not null') then
        call strata.set_not_null(relation, e.old_column);
    end if;
    call strata.patiently(format('select strata.end_revert(%L, %L)', e.relation, new_column));
end
$$;
revoke execute on procedure strata.revert_contract(regclass, text, int, interval) from public;
