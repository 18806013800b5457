-- lookout: who is in the way of the executor of a run, seen from another session.
-- $1 text run   $2 int8 process id of the executor
-- rows: attempt text, pid text, who text; one with nulls where nobody is in the way, none where that process does not execute the
-- run any more
select r.attempt::text, b.pid::text, strata.session_text(b.pid)
from strata.run r
left join lateral (
    select pg_catalog.unnest(pg_blocking_pids(r.executor_pid)) as pid
    union
    select i.current_locker_pid::int from pg_catalog.pg_stat_progress_create_index i
    where i.pid = r.executor_pid and i.current_locker_pid > 0::int8
) b on true
where r.id = $1::text::uuid and r.state = 'running' and r.executor_pid = $2::int8::int and strata.run_is_alive(r.id)
order by b.pid
