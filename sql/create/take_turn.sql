-- take_turn: asks to call the provider of a model once, with about so many tokens, within the limits that all workers
-- share. Answers zero: call it now, it is booked; else how long to wait before asking again, nothing is booked then.
-- Nine tenths of a limit are given evenly over the minute and one tenth at once, so that no minute, wherever it begins, has
-- more. A budget that does not allow for the call stops the model: strata.spend_tokens. Raises 42704 (no such model).
create function strata.take_turn(model text, tokens bigint) returns interval
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    slack  constant interval := '6 seconds';
    limits strata.model;
    state  strata.model_state;
    ready  timestamptz := clock_timestamp();
    free   timestamptz;
begin
    select * into limits from strata.model m where m.name = take_turn.model;
    if limits.name is null then
        raise exception 'model "%" does not exist', coalesce(take_turn.model, 'null')
            using errcode = '42704', hint = 'look into strata.model';
    elsif limits.requests_per_minute is null and limits.tokens_per_minute is null then
        return case when strata.spend_tokens(model, tokens) then interval '0' else interval '1 minute' end;
    end if;
    select * into state from strata.model_state m where m.model = take_turn.model for update;
    free := greatest(state.requests_free_at, state.tokens_free_at, '-infinity') - slack;
    if free > ready then
        return free - ready;
    elsif not strata.spend_tokens(model, tokens) then
        return interval '1 minute';
    end if;
    update strata.model_state m
    set requests_free_at = greatest(m.requests_free_at, ready)
            + coalesce(interval '1 minute' / (0.9 * limits.requests_per_minute), '0'),
        tokens_free_at = greatest(m.tokens_free_at, ready)
            + coalesce(interval '1 minute' * greatest(tokens, 0) / (0.9 * limits.tokens_per_minute), '0')
    where m.model = take_turn.model;
    return interval '0';
end
$$;
revoke execute on function strata.take_turn from public;
