-- grant_embedding: lets a role queue rows without a vector and drain the queue of embeddings: all that `strata worker --only
-- embeddings`, `strata embed` and the HTTP door need. What it gains is the queue and the stores. Vectors in the tables of
-- sources are written with its own rights: it must be able to select from them and to update them, and row level security
-- must let it pass (bypassrls), there and in the stores. Raises 42704 (no such role, by regrole).
create function strata.grant_embedding(role regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    execute format('grant usage on schema strata to %s', role);
    execute format('grant select on strata.source, strata.model, strata.vector_store to %s', role);
    execute format('grant select, insert, update, delete on strata.job to %s', role);
    if current_setting('server_version_num')::int >= 170000 then
        execute format('grant maintain on strata.job to %s', role);
    end if;
    execute format('grant select, update on strata.model_state, strata.model_change, strata.source_beside to %s', role);
    execute (
        select format('grant execute on function %s to %s', string_agg(p.oid::regprocedure::text, ', '), role)
        from pg_proc p
        where p.pronamespace = 'strata'::regnamespace and p.proname in (
            'search_model', 'jobs_left', 'seconds_to_turn', 'take_turn', 'claim_jobs', 'lease_jobs', 'lock_ripe_jobs',
            'free_leases', 'bury_jobs', 'put_back', 'bury_unreadable', 'settle_textless', 'source_text', 'complete_jobs', 'complete_part', 'complete_source', 'require_vectors', 'vector_shape', 'session_search_path',
            'source_as', 'row_ids', 'ids_of', 'id_of', 'key_of', 'is_any_of', 'keys_of', 'chunking_of', 'enqueue_again', 'embedded_models', 'spend_tokens', 'enqueue_missing', 'require_walked', 'queue_page', 'lock_missing', 'vectorless', 'require_change',
            'continue_model_change', 'continue_model_changes', 'wake_workers', 'rest_worker', 'rouse_worker', 'lock_rows', 'lock_jobs', 'store_vectors', 'row_places',
            'keep_vectors', 'by_plan', 'places_by_plan', 'insert_in_bulk', 'end_jobs', 'resume_model', 'fail_jobs', 'pause_model'));
    perform strata.open_stores(role);
end
$$;
revoke execute on function strata.grant_embedding(regrole) from public;

-- open_stores: lets a role write the stores that are there. strata.make_store opens those that come later to whoever may
-- complete jobs.
create function strata.open_stores(role regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    store text;
begin
    for store in select v.name from strata.vector_store v loop
        execute format('grant usage on schema strata_vectors to %s', role);
        execute format('grant select, insert, update, delete on strata_vectors.%I to %s', store, role);
    end loop;
end
$$;
revoke execute on function strata.open_stores(regrole) from public;
