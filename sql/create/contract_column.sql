-- begin_contract: the old column of an expansion is about to go: a copy of it is begun, which follows what is written.
-- Raises 42704, 55000 (strata.require_expansion), 2BP01 (strata.require_unused), and what strata.begin_retire raises.
create function strata.begin_contract(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    e strata.expansion := strata.require_expansion(relation, new_column, '{filled}');
begin
    perform strata.require_unused(relation, e.old_column);
    perform strata.begin_retire(e.relation, array[e.old_column]);
    perform strata.note_expansion(relation, new_column, 'contracting');
end
$$;
revoke execute on function strata.begin_contract(regclass, text) from public;

-- end_contract: the copy is whole: the old column goes, in the same moment in which nobody writes it any more, and the new
-- one gets its default. Raises 2BP01.
create function strata.end_contract(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    e strata.expansion := strata.require_expansion(relation, new_column, '{contracting}');
begin
    execute format('lock table %s in access exclusive mode', relation);
    perform strata.require_unused(relation, e.old_column);
    perform strata.write_one(relation, new_column);
    perform strata.end_retire((strata.kept_of(e.relation, array[e.old_column])).id);
    if e.new_default is not null then
        execute format('alter table %s alter column %I set default %s', relation, new_column, e.new_default);
    end if;
    perform strata.note_expansion(relation, new_column, 'contracted');
end
$$;
revoke execute on function strata.end_contract(regclass, text) from public;

-- contract_column: drops the old column of an expansion, which must have been filled, and keeps its values in a copy that
-- nobody may read, as strata.retire_columns does; strata.revert_contract brings them back. Nobody may write the old column
-- any more. The copy is made beside the application, the drop is one short lock. Killed at any moment, it goes on.
-- Raises 22023 (batch), what strata.begin_contract and strata.end_contract raise, 55P03 (a lock was never to be had).
create procedure strata.contract_column(relation regclass, new_column text, batch int default 5000)
language plpgsql as $$
declare
    e strata.expansion := strata.require_expansion(relation, new_column, '{filled,contracting}');
    k strata.kept;
begin
    if batch is null or batch < 1 then
        raise exception 'batch must be at least 1 row, not %', coalesce(batch::text, 'null') using errcode = '22023';
    end if;
    if e.state = 'filled' then
        call strata.patiently(format('select strata.begin_contract(%L, %L)', e.relation, new_column));
    end if;
    k := strata.kept_of(e.relation, array[e.old_column]);
    while not k.done loop
        call strata.patiently(format('select strata.copy_kept(%s, %s)', k.id, batch));
        k := strata.kept_of(e.relation, array[e.old_column]);
    end loop;
    call strata.patiently(format('select strata.end_contract(%L, %L)', e.relation, new_column));
    update strata.kept x set rows = strata.count_kept(x.id) where x.id = k.id;
    if not strata.is_dry_run() then
        commit;
    end if;
end
$$;
revoke execute on procedure strata.contract_column(regclass, text, int) from public;
