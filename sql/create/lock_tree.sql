-- lock_tree: who waits for whom in this database. Roots come first: they wait for nobody. Behind each session come those
-- that wait for it; one that waits for several stands behind one that waits for nobody, if there is such a one. With the
-- rights of whoever asks: Postgres hides state, age and statement of other roles' sessions unless one is in pg_read_all_stats.
create function strata.lock_tree()
returns table (
    depth int, pid int, waits_for int[], blocks int, role name, application text, state text, idle_in_transaction boolean,
    relation text, mode text, waiting_seconds numeric, transaction_seconds numeric, query text
)
language sql stable parallel restricted set search_path = pg_catalog, pg_temp as $$
    with recursive waiter as materialized (
        select distinct on (l.pid) l.pid, pg_blocking_pids(l.pid) as blockers, l.mode, l.waitstart,
               coalesce(l.relation::regclass::text, l.locktype) as relation, l.relation as relation_id
        from pg_catalog.pg_locks l
        join pg_catalog.pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
        where not l.granted
        order by l.pid
    ), edge as materialized (
        select distinct w.pid, b.pid as blocker
        from waiter w cross join lateral unnest(w.blockers) b(pid)
    ), parent as (
        -- One each: of sessions that queue behind one another every one is blocked by all before it.
        select distinct on (e.pid) e.pid, e.blocker
        from edge e
        order by e.pid, e.blocker in (select w.pid from waiter w), e.blocker
    ), tree as (
        select distinct 0 as depth, p.blocker as pid, array[p.blocker] as path
        from parent p
        where p.blocker not in (select w.pid from waiter w)
        union all
        select t.depth + 1, p.pid, t.path || p.pid
        from tree t join parent p on p.blocker = t.pid
        where p.pid <> all (t.path)
    )
    select t.depth, t.pid, coalesce(w.blockers, '{}'),
           (select count(*)::int from tree b where b.path @> array[t.pid] and b.pid <> t.pid),
           a.usename, a.application_name, a.state, coalesce(a.state like 'idle in transaction%', false),
           coalesce(w.relation, h.relation), coalesce(w.mode, h.modes),
           round(extract(epoch from clock_timestamp() - w.waitstart), 1),
           round(extract(epoch from clock_timestamp() - a.xact_start), 1),
           a.query
    from tree t
    left join waiter w on w.pid = t.pid
    left join pg_catalog.pg_stat_activity a on a.pid = t.pid
    left join lateral (
        -- What a root holds of that which others wait for.
        select string_agg(distinct l.relation::regclass::text, ', ') as relation, string_agg(distinct l.mode, ', ') as modes
        from edge e
        join waiter c on c.pid = e.pid
        join pg_catalog.pg_locks l on l.pid = t.pid and l.granted and l.locktype = 'relation' and l.relation = c.relation_id
        where e.blocker = t.pid
    ) h on w.pid is null
    order by t.path
$$;
