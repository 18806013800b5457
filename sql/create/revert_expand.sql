-- revert_expand: the way back from an expansion: the new column goes, and the triggers with it. The old one has been
-- written all the while. One short lock. Raises 42704, 55000 (strata.require_expansion), 2BP01 (something uses the column).
create function strata.revert_expand(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    e strata.expansion := strata.require_expansion(revert_expand.relation, revert_expand.new_column, '{expanded,filled}');
begin
    perform strata.require_unused(revert_expand.relation, revert_expand.new_column);
    perform strata.write_one(revert_expand.relation, revert_expand.new_column);
    execute format('alter table %s drop column %I', e.relation, e.new_column);
    delete from strata.expansion x where x.relation = e.relation and x.new_column = e.new_column;
    delete from strata.backfill_cursor c where c.job = format('fill %s.%I', e.relation, e.new_column);
end
$$;
revoke execute on function strata.revert_expand(regclass, text) from public;
