-- 002 down: removes insights, conversation memory and daily reflections, and only those that version 002 made.
--
-- What was written into them is nowhere else, so it is saved in strata_aurum.kept first and comes back with the next up;
-- embeddings are not saved, they can be computed again. Never cascades.

do $$
declare
    whole text;
begin
    for whole in select m.name from strata_aurum.made m
                 where m.version = 2 and m.kind = 'table' and to_regclass(m.name) is not null order by m.name loop
        execute format(
            'insert into strata_aurum.kept as k (version, relation, id, kept)
             select 2, %L, t.id, to_jsonb(t) - array[''embedding'', ''embedding_model'', ''embedding_updated_at''] from %s t
             on conflict on constraint kept_pkey do update set kept = excluded.kept', whole, whole);
        execute format('drop table %s', whole);
    end loop;
    delete from strata_aurum.made m where m.version = 2;
end
$$;

drop function if exists strata_aurum.touch_updated_at();
