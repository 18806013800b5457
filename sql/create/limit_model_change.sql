-- limit_model_change: another budget for a change that fills: most tokens that may be sent to the new model until the
-- switch, those that were sent already among them; null: no limit. What the old one has stopped goes on. Raises 22004, 42704 (no such
-- change), 22023 (below 1).
create function strata.limit_model_change(to_model text, budget_tokens bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform strata.require_change(to_model);
    if budget_tokens < 1 then
        raise exception 'budget_tokens must be at least 1, not %', budget_tokens using errcode = '22023', hint = 'null: no limit';
    end if;
    update strata.model_change c set budget_tokens = limit_model_change.budget_tokens, stopped = false
    where c.to_model = limit_model_change.to_model;
    perform strata.ripen_jobs(to_model);
end
$$;
revoke execute on function strata.limit_model_change from public;

-- spend_tokens: books what is about to be sent to a model that fills. False: its budget does not allow for it, and nothing
-- of it is claimed until it has another.
create function strata.spend_tokens(model text, tokens bigint) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update strata.model_change c
    set spent_tokens = c.spent_tokens + case when c.spent_tokens + spend_tokens.tokens > c.budget_tokens then 0 else spend_tokens.tokens end,
        stopped = coalesce(c.spent_tokens + spend_tokens.tokens > c.budget_tokens, false)
    where c.to_model = spend_tokens.model and c.state = 'filling';
    return not exists (select from strata.model_change c where c.to_model = spend_tokens.model and c.state = 'filling' and c.stopped);
end
$$;
revoke execute on function strata.spend_tokens from public;
