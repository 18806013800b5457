-- grant_operator: lets a role move packs, with the command line and from SQL, and walk tables. The files of a pack run with
-- the role's own rights; what it gains is the bookkeeping, with which it is trusted. Signing what a gate waits for, and
-- registering what is embedded and searched, are other rights. Raises 42704 (no such role, by regrole).
create function strata.grant_operator(role regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform strata.grant_backfill(role);
    execute format(
        'grant select, insert, update, delete on strata.pack, strata.migration, strata.run_step, strata.phase_passed to %s', role);
    -- Who asked for a run is not theirs to write: an executor of a stronger role may take it up. For what: keep_request.
    execute format(
        'grant select, delete, insert (pack, direction, state, request, executor_pid, executor_started, heartbeat_at),
             update (state, attempt, request, finished_at, sqlstate, message, executor_pid, executor_started, heartbeat_at,
                     cancel_asked_at, cancel_asked_by)
         on strata.run to %s', role);
    execute format('grant select, insert on strata.history, strata.run_event to %s', role);
    execute format('grant select, delete on strata.ledger to %s', role);
    execute format('grant select, insert, update, delete on strata.delegation to %s', role);
    execute format(
        'grant select on strata.pack_file, strata.dry_run, strata.source, strata.source_beside, strata.model, strata.model_change, strata.job, strata.model_state, strata.signature, strata.kept, strata.backfill_cursor,
             strata.migration_history
         to %s', role);
    execute (
        select format('grant execute on function %s to %s', string_agg(p.oid::regprocedure::text, ', '), role)
        from pg_proc p
        where p.pronamespace = 'strata'::regnamespace and p.proname in (
            'migration_status', 'migration_version', 'begin_step', 'finish_step', 'stop_asked', 'run_is_alive', 'run_progress', 'unfinished_run', 'cancel_run', 'session_text',
            'force_version', 'ledgers', 'bind_ledger', 'begin_ledger', 'checklist', 'checklist_items', 'item_state', 'embedded_state',
            'verified_state', 'signature_state', 'phase_files', 'phase_status', 'require_pack', 'push_pack', 'plan',
            'preflight', 'start_run', 'resume_run', 'runs_to_take', 'end_hung_executors', 'verify', 'count_missing',
            'queue_status', 'sources', 'source_as', 'vectorless', 'model_changes', 'watcher_name', 'watches_rows_of', 'delegate_pack',
            'withdraw_delegation', 'start_run_once', 'recall_request', 'remember_request', 'session_search_path', 'session_schemas',
            'spare_server'));
end
$$;
revoke execute on function strata.grant_operator(regrole) from public;
comment on function strata.grant_operator(regrole) is 'Lets a role move packs, with the command line and from SQL, and walk tables.';

-- The owner of the database is one from the beginning, whoever that is.
select strata.grant_operator('pg_database_owner');
