-- start_run_once: strata.start_run for a request that may be delivered more than once: the same key is the same run,
-- whatever has become of it. Without a key it is strata.start_run. The run has the search_path that a session of this role
-- begins with: that of an API is not meant for it. Raises 22023 (the key was another request's), and what start_run raises.
create function strata.start_run_once(
    key text, pack text, target bigint default null, to_phase int default null, variables jsonb default '{}',
    dry_run boolean default false
) returns uuid
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    asked jsonb := jsonb_build_object('pack', pack, 'target', target, 'to_phase', to_phase, 'variables', variables)
        || case when dry_run then '{"dry_run": true}' else '{}' end::jsonb;
    run   uuid;
begin
    run := strata.recall_request(key, asked);
    if run is null then
        perform set_config('search_path', strata.session_search_path(), true);
        run := strata.start_run(pack, target, to_phase, coalesce(dry_run, false), variables);
        perform pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        if key is not null then
            perform strata.remember_request(key, asked, run);
        end if;
    end if;
    return run;
end
$$;
revoke execute on function strata.start_run_once from public;
