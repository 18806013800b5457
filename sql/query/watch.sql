-- watch: who is in the way of the executor of a run, what it waits for, and how far its index build has come. Asked from
-- another session while the executor is at work.
-- $1 text run
-- rows: kind text, then of a 'blocker': who; of 'wanted': mode, relation; of an 'index': phase, blocks done, blocks total,
-- tuples done, tuples total; all text
with executor as (
    select r.executor_pid as pid from strata.run r where r.id = $1::text::uuid
), build as (
    select p.* from pg_catalog.pg_stat_progress_create_index p join executor e on e.pid = p.pid
), blocker as (
    select pg_catalog.unnest(pg_blocking_pids(e.pid)) as pid from executor e
    union
    select b.current_locker_pid::int from build b where b.current_locker_pid > 0::int8
)
select 'blocker', strata.session_text(b.pid), null, null, null, null from blocker b
union all
select 'wanted', l.mode, l.relation::regclass::text, null, null, null
from pg_catalog.pg_locks l join executor e on e.pid = l.pid
where not l.granted and l.locktype = 'relation'
union all
select 'index', b.phase, b.blocks_done::text, b.blocks_total::text, b.tuples_done::text, b.tuples_total::text from build b
