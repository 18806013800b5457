-- jobs_left: what the queue holds of some models, null: of all. ripe: could be claimed now; later: wait for their time, or for
-- another budget; leased: somebody works on them, or has died at it; dead: set aside; next: seconds until the first of those
-- that wait for their time, null: none does. Counts, so it is for when there is nothing else to do.
create function strata.jobs_left(
    models text[] default null, out ripe bigint, out later bigint, out leased bigint, out dead bigint, out next double precision
)
language sql stable set search_path = pg_catalog, pg_temp as $$
    select count(*) filter (where j.state = 'queued' and j.wait <= 0), count(*) filter (where j.state = 'queued' and j.wait > 0),
           count(*) filter (where j.state = 'leased'), count(*) filter (where j.state = 'dead'),
           min(j.wait) filter (where j.state = 'queued' and j.wait > 0 and j.wait < 'infinity')
    from (
        select q.state, case when c.to_model is null then extract(epoch from greatest(q.not_before, m.paused_until) - clock_timestamp())
                        else 'infinity' end as wait
        from strata.job q left join strata.model_state m on m.model = q.model
        left join strata.model_change c on c.to_model = q.model and c.stopped and c.state = 'filling'
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
