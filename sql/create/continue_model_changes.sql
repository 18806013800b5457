-- continue_model_changes: strata.continue_model_change of every change that is open, a page each. Answers how many jobs are new, and
-- whether every walk is at its end. Raises what that does.
create function strata.continue_model_changes(max int default 1000, out enqueued bigint, out done boolean)
language sql volatile set search_path = pg_catalog, pg_temp as $$
    select coalesce(sum(p.enqueued), 0), coalesce(bool_and(p.done), true)
    from strata.model_change c
    cross join lateral strata.continue_model_change(c.to_model, continue_model_changes.max) p
$$;
revoke execute on function strata.continue_model_changes(int) from public;
