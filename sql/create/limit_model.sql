-- limit_model: how much all workers together may ask of a model in a minute; null takes a limit away. They are held by
-- strata.take_turn, over any minute and not from one full minute to the next. What was booked under the old
-- limits is forgotten: nobody waits for them any more. Raises 22023 (below 1), 42704 (no such model).
create function strata.limit_model(name text, requests_per_minute int, tokens_per_minute bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if requests_per_minute < 1 or tokens_per_minute < 1 then
        raise exception 'a limit must be at least 1 a minute, not %', least(requests_per_minute, tokens_per_minute)
            using errcode = '22023', hint = 'null takes the limit away';
    end if;
    update strata.model m
    set requests_per_minute = limit_model.requests_per_minute, tokens_per_minute = limit_model.tokens_per_minute
    where m.name = limit_model.name;
    if not found then
        raise exception 'model "%" does not exist', coalesce(name, 'null')
            using errcode = '42704', hint = 'look into strata.model';
    end if;
    update strata.model_state m set requests_free_at = default, tokens_free_at = default where m.model = limit_model.name;
    perform strata.ripen_jobs(name);
end
$$;
revoke execute on function strata.limit_model from public;

-- ripen_jobs: jobs of a model that were given back because it was not their turn may be claimed at once. What failed keeps its time.
create function strata.ripen_jobs(model text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update strata.job j set not_before = clock_timestamp()
    where (j.entity_type, j.entity_id, j.model) in (
        select r.entity_type, r.entity_id, r.model from strata.job r
        where r.model = ripen_jobs.model and r.state = 'queued' and r.attempts = 0 and r.not_before > clock_timestamp()
        for update skip locked);
    perform strata.wake_workers();
end
$$;
revoke execute on function strata.ripen_jobs from public;
