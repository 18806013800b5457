-- queue_status: one row for each source: its jobs by state, and how many of its rows have text and no vector (null where
-- its table or a column is gone). Counts, so it reads the tables.
create function strata.queue_status()
returns table (entity_type text, model text, queued bigint, leased bigint, dead bigint, missing bigint)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select s.entity_type, s.model, count(*) filter (where j.state = 'queued'), count(*) filter (where j.state = 'leased'),
           count(*) filter (where j.state = 'dead'), strata.count_missing(s.entity_type)
    from strata.source s left join strata.job j on j.entity_type = s.entity_type and j.model = s.model
    group by s.entity_type, s.model
    order by s.entity_type
$$;
revoke execute on function strata.queue_status from public;
