-- embedded_state: whether every row that has text has its embedding, and no job is left, waiting or dead. Reads the tables.
create function strata.embedded_state(out state text, out detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    select case when count(*) filter (where not q.ok) = 0 then 'met' else 'open' end,
           coalesce(string_agg(q.told, '; ' order by q.entity_type) filter (where not q.ok),
                    format('%s sources, every row embedded', count(*)))
    into state, detail
    from (
        select s.entity_type, coalesce(s.missing = 0, false) and s.queued + s.leased + s.dead = 0 as ok,
               format('embeddings of %s: %s missing, %s waiting, %s dead', s.entity_type,
                      coalesce(s.missing::text, 'table gone, ?'), s.queued + s.leased, s.dead) as told
        from strata.queue_status() s
    ) q;
end
$$;
revoke execute on function strata.embedded_state() from public;
