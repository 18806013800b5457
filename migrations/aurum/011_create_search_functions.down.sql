-- 011 down: removes public.rag_search and the rights that version 011 gave. Embeddings, indexes and strata.rag_search stay.

do $$
declare
    item record;
begin
    for item in select m.kind, m.relation, m.name from strata_aurum.made m where m.version = 11 loop
        if item.kind = 'function' then
            execute format('drop function if exists %s', item.name);
        else
            execute format('revoke %s from %I', item.relation, item.name);
        end if;
    end loop;
    delete from strata_aurum.made m where m.version = 11;
end
$$;
