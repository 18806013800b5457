-- enqueue_missing: one page of a walk over a source in key order: queues each row that has text and no vector. `after`
-- is the last key of the page before, null to begin. Answers how many jobs are new and the last key it looked at; null:
-- the walk is at its end. max: 1 or more rows. model: null, the one that the source is searched by. Call it in a transaction
-- of its own.
-- Raises 22023 (max), 42704 (no such source), 0A000 (its embeddings are the application's), 55P03 (somebody has held a row for ten seconds).
create function strata.enqueue_missing(
    entity_type text, after uuid default null, max int default 1000, model text default null, out enqueued int, out last uuid
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s    strata.source;
    page uuid[];
begin
    if max is null or max < 1 then
        raise exception 'max must be at least 1 row, not %', coalesce(max::text, 'null') using errcode = '22023';
    end if;
    s := strata.source_as(entity_type, model);
    if s.entity_type is null then
        raise exception 'source "%" does not exist%', entity_type, coalesce(', or has no model "' || model || '"', '')
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    elsif not s.queued then
        raise exception 'the embeddings of source "%" are the application''s to write', entity_type
            using errcode = '0A000', hint = 'jobs are queued where the key is a uuid and the embedding stands in the row';
    end if;
    page := strata.lock_missing(s, after, max);
    insert into strata.job (entity_type, entity_id, model, lane)
    select s.entity_type, t.id, s.model, t.lane from strata.source_text(s.entity_type, page) t where t.content <> ''
    on conflict do nothing;
    get diagnostics enqueued = row_count;
    if enqueued > 0 then
        perform strata.wake_workers();
    end if;
    last := page[cardinality(page)];
end
$$;
revoke execute on function strata.enqueue_missing from public;
