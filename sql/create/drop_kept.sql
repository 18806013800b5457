-- drop_kept: removes every copy that a pack's contract kept, and writes that into the history of their versions. From now
-- on those versions cannot be taken back. Answers how many copies were removed.
-- Raises 42704 (pack), ST009 (the item `finalize` is not signed).
create function strata.drop_kept(pack text) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k       strata.kept;
    item    record;
    removed int := 0;
begin
    perform strata.require_pack(pack);
    select * into item from strata.checklist(pack) c where c.item = 'finalize';
    if item.state is distinct from 'signed' then
        raise exception 'the clean-up of pack "%" is not signed: %', pack,
            coalesce(item.detail, 'it has no contract phase')
            using errcode = 'ST009', hint = format('run "strata sign-off finalize --pack %s --reason ..."', pack);
    end if;
    for k in select * from strata.kept x where x.pack = drop_kept.pack and x.state = 'kept' order by x.id for update loop
        execute format('drop table %s', k.copy);
        if k.columns is null then
            execute format('drop schema strata_%s', strata.copy_name(k.relation, null));
        end if;
        update strata.kept x set state = 'finalized', ended_at = clock_timestamp(), ended_by = session_user where x.id = k.id;
        removed := removed + 1;
    end loop;
    insert into strata.history (pack, version, name, direction, event)
    select m.pack, m.version, m.name, 'finalize', 'succeeded'
    from strata.migration m
    where m.pack = drop_kept.pack and m.state = 'applied' and exists (
        select from strata.kept x where x.pack = m.pack and x.version = m.version and x.state = 'finalized'
          and x.ended_at >= transaction_timestamp());
    return removed;
end
$$;
revoke execute on function strata.drop_kept(text) from public;
