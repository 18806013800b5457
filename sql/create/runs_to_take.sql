-- runs_to_take: runs that nobody executes and that the caller's session could see to: asked for in the database, and their
-- worker never came or their executor is gone. `taking` says how: `here`: the role that asked is the session's own, so the
-- session may turn it. `hand over`: the session is a member of that role and may have a background worker of that role
-- started; it must not turn the run itself, because a file could say `reset role` and climb. `refused`: neither. `changed`:
-- somebody else has pushed a file since the run was asked for, and nobody has asked for that one.
-- A queued run waits for `grace`, its own worker may be on its way; one whose executors die again and again waits twice as
-- long each time, five minutes at most. A run whose executor died under a cancel is cancelled here.
create function strata.runs_to_take(grace interval default '1 second')
returns table (run uuid, pack text, request jsonb, requested_by text, taking text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    update strata.run r set state = 'cancelled', finished_at = clock_timestamp()
    where r.state = 'running' and r.cancel_asked_at is not null and not strata.run_is_alive(r.id);
    return query
    select r.id, r.pack, r.request, r.requested_by,
           case when o.oid is null then 'refused'
                when exists (select from strata.pack_file f
                             where f.pack = r.pack and f.pushed_at > r.requested_at and f.pushed_by <> r.requested_by)
                    then 'changed'
                when r.requested_by = session_user and has_column_privilege(session_user, 'strata.run', 'attempt', 'update') then 'here'
                when pg_has_role(session_user, o.oid, 'MEMBER') then 'hand over'
                else 'refused' end
    from strata.run r
    left join pg_catalog.pg_roles o on o.rolname = r.requested_by
    where r.state in ('queued', 'running') and r.request ->> 'direction' in ('up', 'down')
      and exists (select from strata.pack_file f where f.pack = r.pack)
      and not strata.run_is_alive(r.id)
      and greatest(r.requested_at, r.heartbeat_at)
          < clock_timestamp() - least(grace * power(2, greatest(r.attempt - 1, 0)), interval '5 minutes')
    order by r.requested_at;
end
$$;
revoke execute on function strata.runs_to_take(interval) from public;
