-- embedded_state: whether every row that has text has its embedding: none is missing without a job, no job that a walk found
-- is left, none has waited for more than a minute, none is dead, and no source is broken. What was written within the last
-- minute is on its way: an application that writes all the time is never without a job. Reads the tables.
create function strata.embedded_state(out state text, out detail text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    select case when count(*) filter (where not q.ok) = 0 then 'met' else 'open' end,
           coalesce(string_agg(q.told, '; ' order by q.entity_type) filter (where not q.ok),
                    format('%s sources, every row embedded%s', count(*), ', but ' || nullif(sum(q.waiting), 0) || ' written just now'))
    into state, detail
    from (
        select s.entity_type, s.queued + s.leased as waiting, coalesce(s.unqueued = 0, false) and s.late + s.dead = 0 and s.broken is null as ok,
               format('embeddings of %s: %s missing, %s waiting, %s dead%s', s.entity_type,
                      coalesce(s.missing::text, '?'), s.queued + s.leased, s.dead, ', ' || s.broken) as told
        from (select q.*, f.fault as broken from strata.queue_status() q join strata.sources() f using (entity_type)
              join strata.source x using (entity_type) where x.queued) s
    ) q;
end
$$;
revoke execute on function strata.embedded_state() from public;
