-- enqueue_again: one page of a walk over a source in key order that queues every row with a text, whether it has a vector or
-- not; the old vector serves until the new one is there. Only those whose model column names another model, where
-- `only_other` says so. The rest as strata.enqueue_missing has it. Raises 22023 (max), 42704 (no such source), 0A000 (its
-- embeddings are the application's), 55000 (only_other without a model column), 55P03 (somebody has held a row for ten seconds).
create function strata.enqueue_again(
    entity_type text, after text default null, max int default 1000, only_other boolean default false, out enqueued int, out last text
)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
    s    strata.source := strata.require_walked(entity_type, null, max);
    page text[];
begin
    if only_other and s.model_column is null then
        raise exception 'source "%" keeps no model beside its vectors', entity_type
            using errcode = '55000', hint = 'embed all of its rows again, or add it with a model_column';
    end if;
    page := strata.lock_missing(s, after, max, case when only_other
        then format('r.%I is distinct from %L', s.model_column, s.model) else 'true' end);
    enqueued := strata.queue_page(s, page);
    last := page[cardinality(page)];
end
$$;
revoke execute on function strata.enqueue_again from public;
