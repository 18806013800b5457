-- revoke_runs: who may start a run may fill every worker of the server, and runs what others have pushed: nobody may, until
-- somebody says so.
revoke execute on function
    strata.push_pack(jsonb), strata.plan(text, bigint), strata.preflight(text),
    strata.start_run(text, bigint, int, boolean, jsonb), strata.resume_run(uuid), strata.verify(text),
    strata.verify_migration_integrity(text), strata.finalize_migration_cleanup(text), strata.spare_server()
from public;
