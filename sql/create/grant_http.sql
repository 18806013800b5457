-- grant_http: lets a role use everything that the HTTP door asks for on behalf of a service: start, watch, cancel and resume
-- runs, look at packs, verify, sign, embed. It gains no right on what the packs change: strata.delegate_pack lends it those.
-- Raises 42704 (no such role, by regrole).
create function strata.grant_http(role regrole) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform strata.grant_embedding(role);
    execute format('grant usage on schema strata to %s', role);
    execute format('grant select on strata.pack, strata.migration, strata.history, strata.migration_history to %s', role);
    execute (
        select format('grant execute on function %s to %s', string_agg(p.oid::regprocedure::text, ', '), role)
        from pg_proc p
        where p.pronamespace = 'strata'::regnamespace and p.proname in (
            'start_run_once', 'recall_request', 'remember_request', 'session_search_path', 'start_run', 'resume_run',
            'run_progress', 'unfinished_run', 'dry_run_report', 'cancel_run', 'migration_status', 'phase_status', 'checklist', 'plan', 'verify', 'sign_off',
            'withdraw_sign_off'));
end
$$;
revoke execute on function strata.grant_http(regrole) from public;
