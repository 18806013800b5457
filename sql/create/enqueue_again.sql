-- enqueue_again: one page of a walk over a source in key order that queues every row with a text, whether it has a vector or
-- not; the old vector serves until the new one is there. Only those whose model column names another model, where
-- `only_other` says so. The rest as strata.enqueue_missing has it. Raises 22023 (max), 42704 (no such source), 0A000 (its
-- embeddings are the application's), 55000 (only_other without a model column), 55P03 (somebody has held a row for ten seconds).
create function strata.enqueue_again(
    entity_type text, after uuid default null, max int default 1000, only_other boolean default false, out enqueued int, out last uuid
)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s    strata.source := strata.source_as(entity_type, null);
    page uuid[];
begin
    if max is null or max < 1 then
        raise exception 'max must be at least 1 row, not %', coalesce(max::text, 'null') using errcode = '22023';
    elsif s.entity_type is null then
        raise exception 'source "%" does not exist', coalesce(entity_type, 'null')
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    elsif not s.queued then
        raise exception 'the embeddings of source "%" are the application''s to write', entity_type
            using errcode = '0A000', hint = 'jobs are queued where the key is a uuid and the embedding stands in the row';
    elsif only_other and s.model_column is null then
        raise exception 'source "%" keeps no model beside its vectors', entity_type
            using errcode = '55000', hint = 'embed all of its rows again, or add it with a model_column';
    end if;
    page := strata.lock_missing(s, after, max, case when only_other
        then format('r.%I is distinct from %L', s.model_column, s.model) else 'true' end);
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
revoke execute on function strata.enqueue_again from public;
