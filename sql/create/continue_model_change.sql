-- continue_model_change: queues the next page of rows that have no vector of the model that is changed to, behind everything
-- that users write. Answers how many jobs are new, and whether every source was walked to its end. Workers call it, in
-- transactions of their own; several at once take different sources. max: 1 or more rows.
-- Raises 22004, 42704 (no such change), 22023 (max), 55P03 (somebody holds the next row, or the
-- table: it is waited for no longer than a tenth of a second, since a worker has other things to do).
create function strata.continue_model_change(to_model text, max int default 1000, out enqueued int, out done boolean)
language plpgsql set search_path = pg_catalog, pg_temp set lock_timeout = '100ms' as $$
declare
    b    strata.source_beside;
    s    strata.source;
    page text[];
begin
    perform strata.require_change(to_model);
    enqueued := 0;
    -- By chance: a source that is broken holds up no other.
    select * into b from strata.source_beside x
    where x.model = continue_model_change.to_model and not x.walked order by random() limit 1 for update skip locked;
    if b.model is not null then
        begin
            s := strata.require_walked(b.entity_type, b.model, max);
            page := strata.lock_missing(s, b.walked_to, max);
            enqueued := strata.queue_page(s, page);
            update strata.source_beside x
            set walked_to = coalesce(page[cardinality(page)], x.walked_to), walked = page[cardinality(page)] is null
            where x.entity_type = b.entity_type;
        exception when undefined_table or undefined_column or undefined_object or invalid_schema_name then
            raise warning 'source "%" cannot be walked: %', b.entity_type, sqlerrm using hint = 'look at strata.sources()';
        end;
    end if;
    done := not exists (select from strata.source_beside x where x.model = continue_model_change.to_model and not x.walked);
end
$$;
revoke execute on function strata.continue_model_change from public;
