-- jobs_left: what the queue holds of some models, null: of all. ripe: could be claimed now; later: wait for their time;
-- leased: somebody works on them, or has died at it; dead: set aside; next: seconds until the first of those that wait, null:
-- none waits. Counts, so it is for when there is nothing else to do.
create function strata.jobs_left(
    models text[] default null, out ripe bigint, out later bigint, out leased bigint, out dead bigint, out next double precision
)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select count(*) filter (where j.state = 'queued' and j.wait <= 0), count(*) filter (where j.state = 'queued' and j.wait > 0),
           count(*) filter (where j.state = 'leased'), count(*) filter (where j.state = 'dead'),
           min(j.wait) filter (where j.state = 'queued' and j.wait > 0)
    from (
        select q.state, extract(epoch from greatest(q.not_before, m.paused_until) - clock_timestamp()) as wait
        from strata.job q left join strata.model_state m on m.model = q.model
        where jobs_left.models is null or q.model = any (jobs_left.models)
    ) j
$$;
revoke execute on function strata.jobs_left(text[]) from public;

-- seconds_to_turn: strata.take_turn for callers whose intervals are written in many ways. Zero: call it now.
create function strata.seconds_to_turn(model text, tokens bigint) returns double precision
language sql volatile set search_path = pg_catalog, pg_temp as $$
    select extract(epoch from strata.take_turn(model, tokens))
$$;
revoke execute on function strata.seconds_to_turn(text, bigint) from public;
