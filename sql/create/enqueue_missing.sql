-- enqueue_missing: one page of a walk over a source in key order: queues each row that has text and no vector. `after`
-- is the last key of the page before, as it was answered, null to begin. Answers how many jobs are new and the last key it looked at; null:
-- the walk is at its end. max: 1 or more rows. model: null, the one that the source is searched by. Call it in a transaction
-- of its own.
-- Raises 22023 (max), 42704 (no such source), 0A000 (its embeddings are the application's), 55P03 (somebody has held a row for ten seconds).
create function strata.enqueue_missing(
    entity_type text, after text default null, max int default 1000, model text default null, out enqueued int, out last text
)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '10s' as $$
declare
    s    strata.source := strata.require_walked(entity_type, model, max);
    page text[] := strata.lock_missing(s, after, max);
begin
    enqueued := strata.queue_page(s, page);
    last := page[cardinality(page)];
end
$$;
revoke execute on function strata.enqueue_missing from public;
