-- follow_source: the triggers by which vectors in a store live and die with their rows. SECURITY DEFINER: a writer under
-- row level security has no rights on the store, and it writes nothing else.
create function strata.follow_source(entity_type text, relation regclass) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s      strata.source;
    parted boolean := exists (select from pg_partitioned_table p where p.partrelid = relation);
begin
    select * into s from strata.source x where x.entity_type = follow_source.entity_type;
    -- A row that moves between partitions is deleted and inserted: there each row is looked at.
    execute format('create trigger %I after delete on %s %s execute function strata.follow(%L)',
                   'strata_follow_delete_' || entity_type, relation,
                   case when parted then 'for each row' else 'referencing old table as old_rows for each statement' end,
                   entity_type);
    execute format('create trigger %I after truncate on %s for each statement execute function strata.follow(%L)',
                   'strata_follow_truncate_' || entity_type, relation, entity_type);
    execute format('create trigger %I after update on %s for each row
                    when (new.%3$I <> old.%3$I or new.%4$I is distinct from old.%4$I) execute function strata.follow(%5$L)',
                   'strata_follow_update_' || entity_type, relation, s.key_column, s.tenant_column, entity_type);
end
$$;
revoke execute on function strata.follow_source from public;

-- unfollow_source: removes them, whatever the table is called by now.
create function strata.unfollow_source(entity_type text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    ours record;
begin
    for ours in
        select t.tgname, t.tgrelid::regclass as relation from pg_trigger t
        where t.tgfoid = 'strata.follow'::regproc and t.tgparentid = 0
          and t.tgargs = convert_to(entity_type, getdatabaseencoding()) || '\x00'
    loop
        execute format('drop trigger %I on %s', ours.tgname, ours.relation);
    end loop;
end
$$;
revoke execute on function strata.unfollow_source from public;

-- follow: the trigger function, with the entity type as its argument.
create function strata.follow() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s     strata.source;
    kept  text;
    taken boolean;
begin
    select * into s from strata.source x where x.entity_type = tg_argv[0];
    for kept in
        select s.store where s.store is not null
        union all
        select b.store from strata.source_beside b where b.entity_type = s.entity_type and b.store is not null
    loop
        if tg_op = 'TRUNCATE' then
            execute format('delete from strata_vectors.%I v where v.entity_type = $1', kept) using s.entity_type;
        elsif tg_op = 'UPDATE' then
            -- Rows that change keys with one another, or hand them on: each has a job, and none the vector of another.
            execute format('select %5$s <> %6$s
                                and (exists (select from strata_vectors.%1$I v where v.entity_type = $1 and v.entity_id = %6$s)
                                     or exists (select from %3$I.%4$I r where r.%2$I = o.%2$I))
                            from (select ($2).*) o, (select ($3).*) n',
                           kept, s.key_column, s.relation_schema, s.relation_name, strata.id_of(s, 'o'), strata.id_of(s, 'n'))
                into taken using s.entity_type, old, new;
            execute format(case when taken then
                'delete from strata_vectors.%1$I v using (select ($2).*) o, (select ($3).*) n
                 where v.entity_type = $1 and v.entity_id in (%2$s, %5$s)'
            else
                'update strata_vectors.%1$I v set entity_id = %2$s, entity_key = %3$s, tenant = n.%4$I from (select ($2).*) o, (select ($3).*) n
                 where v.entity_type = $1 and v.entity_id = %5$s' end,
                           kept, strata.id_of(s, 'n'), strata.key_of(s, 'n'), s.tenant_column, strata.id_of(s, 'o'))
                using s.entity_type, old, new;
        elsif tg_level = 'STATEMENT' then
            execute format('delete from strata_vectors.%I v using old_rows o where v.entity_type = $1 and v.entity_id = %s',
                           kept, strata.id_of(s, 'o'))
                using s.entity_type;
        else
            execute format('delete from strata_vectors.%1$I v using (select ($2).*) o where v.entity_type = $1 and v.entity_id = %5$s
                            and not exists (select from %3$I.%4$I r where r.%2$I = o.%2$I)',
                           kept, s.key_column, s.relation_schema, s.relation_name, strata.id_of(s, 'o'))
                using s.entity_type, old;
        end if;
    end loop;
    return null;
end
$$;
revoke execute on function strata.follow from public;
