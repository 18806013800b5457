-- queue_page: queues those of the rows of a source with these keys that have a text, behind what users write; a job that is there stays as it
-- is. Answers how many are new. Inner part of enqueue_missing and enqueue_again.
create function strata.queue_page(s strata.source, page text[]) returns int
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    enqueued int;
begin
    execute format(
        'insert into strata.job (entity_type, entity_id, entity_key, model, lane)
         select $1, %1$s, %2$s, $2, hashtext(r.%3$I::text) from %4$I.%5$I r where %6$s and %7$s <> ''''
         on conflict do nothing',
        strata.id_of(s, 'r'), strata.key_of(s, 'r'), s.tenant_column, s.relation_schema, s.relation_name,
        strata.is_any_of(s, 'r', '$3::uuid[]', '$3'), strata.text_expression(s.title_column, s.content_columns, 'r'))
        using s.entity_type, s.model, page;
    get diagnostics enqueued = row_count;
    if enqueued > 0 then
        perform strata.wake_workers();
    end if;
    return enqueued;
end
$$;
revoke execute on function strata.queue_page from public;

-- require_walked: the source that is walked for one of its models (null: the one that it is searched by), a page of `max` rows
-- at a time. Raises 22023 (max), 42704 (no such source, or no such model of it), 0A000 (its embeddings are the application's).
create function strata.require_walked(entity_type text, model text, max int) returns strata.source
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s strata.source := strata.source_as(entity_type, model);
begin
    if max is null or max < 1 then
        raise exception 'max must be at least 1 row, not %', coalesce(max::text, 'null') using errcode = '22023';
    elsif s.entity_type is null then
        raise exception 'source "%" does not exist%', coalesce(entity_type, 'null'), coalesce(', or has no model "' || model || '"', '')
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    elsif not s.queued then
        raise exception 'the embeddings of source "%" are the application''s to write', entity_type
            using errcode = '0A000', hint = 'jobs are queued where the embedding stands in the row or in a store';
    end if;
    return s;
end
$$;
revoke execute on function strata.require_walked from public;
