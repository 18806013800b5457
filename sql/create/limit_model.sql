-- limit_model: how much all workers together may ask of a model in a minute; null takes a limit away. They are held by
-- strata.take_turn, over any minute and not from one full minute to the next. Raises 22023 (below 1), 42704 (no such model).
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
end
$$;
revoke execute on function strata.limit_model from public;
