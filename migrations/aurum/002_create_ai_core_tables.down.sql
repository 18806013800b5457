-- 002 down: removes insights, conversation memory and daily reflections, and only those that version 002 made.
--
-- What was written into them is nowhere else, so it is saved in strata_aurum.kept first and comes back with the next up;
-- embeddings are not saved, they can be computed again. Never cascades. One table a transaction: dropping one locks the
-- tables that it points to as well, and nobody should wait for three.

-- save_and_drop: the lock comes before the reading, so that nothing is written between it and the end of the table.
create or replace function strata_aurum.save_and_drop(whole text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if to_regclass(whole) is not null
       and exists (select from strata_aurum.made m where m.version = 2 and m.kind = 'table' and m.name = whole) then
        execute format('lock table %s in access exclusive mode', whole);
        execute format(
            'insert into strata_aurum.kept as k (version, relation, id, kept)
             select 2, %L, t.id, to_jsonb(t) - array[''embedding'', ''embedding_model'', ''embedding_updated_at''] from %s t
             on conflict on constraint kept_pkey do update set kept = excluded.kept', whole, whole);
        execute format('drop table %s', whole);
    end if;
end
$$;

-- strata: new transaction
select strata_aurum.save_and_drop('public.ai_conversation_memory');

-- strata: new transaction
select strata_aurum.save_and_drop('public.daily_reflections');

-- strata: new transaction
select strata_aurum.save_and_drop('public.insights');

-- strata: new transaction
delete from strata_aurum.made m where m.version = 2;
drop function strata_aurum.save_and_drop(text);
drop function if exists strata_aurum.touch_updated_at();
