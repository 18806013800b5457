-- queue_status: one row for each source: its jobs by state, how many of its rows have text and no vector (null where its
-- table or a column is gone), what is wrong with it or with its provider (fault; null: nothing), how many of its jobs are
-- late (found by a walk, or waiting for more than a minute), and how many rows want a vector and have no job. Counts, so it
-- reads the tables.
create function strata.queue_status()
returns table (
    entity_type text, model text, queued bigint, leased bigint, dead bigint, missing bigint, fault text, late bigint,
    unqueued bigint
)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select s.entity_type, s.model, j.queued, j.leased, j.dead, c.missing,
           coalesce(f.fault, case when p.paused_until > clock_timestamp() then format('the provider is left alone until %s: %s',
                                                                               to_char(p.paused_until, 'HH24:MI:SS'), p.error) end),
           j.late, c.unqueued
    from strata.source s
    join strata.sources() f on f.entity_type = s.entity_type
    left join strata.model_state p on p.model = s.model
    cross join lateral (
        select count(*) filter (where j.state = 'queued') as queued, count(*) filter (where j.state = 'leased') as leased,
               count(*) filter (where j.state = 'dead') as dead,
               count(*) filter (where j.state <> 'dead' and (j.priority = 0 or j.created_at < clock_timestamp() - interval '1 minute')) as late
        from strata.job j where j.entity_type = s.entity_type and j.model = s.model
    ) j
    cross join lateral strata.count_missing(s.entity_type) c
    order by s.entity_type
$$;
revoke execute on function strata.queue_status from public;
