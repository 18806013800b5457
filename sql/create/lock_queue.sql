-- lock_queue: how many sessions that use a table or a partition of it have waited for a lock longer than `patience`, in
-- words; null: none. Definer's rights, so that it names them whoever they are.
create function strata.lock_queue(relation regclass, patience interval) returns text
language sql volatile security definer set search_path = pg_catalog, pg_temp as $$
    with waiter as (
        select w.pid, max(clock_timestamp() - w.waitstart) as since
        from pg_locks w
        where not w.granted and w.waitstart < clock_timestamp() - $2
          and exists (select from pg_locks h
                      where h.pid = w.pid and h.locktype = 'relation'
                        and h.database = (select d.oid from pg_database d where d.datname = current_database())
                        and (h.relation = $1 or h.relation in (select p.relid from pg_partition_tree($1) p)))
        group by w.pid
    )
    select format('%s waiting for locks on %s, pid %s for %s ms',
                  case count(*) when 1 then 'one session is' else count(*) || ' sessions are' end, $1,
                  (array_agg(w.pid order by w.since desc))[1], (extract(epoch from max(w.since)) * 1000)::bigint)
    from waiter w
    having count(*) > 0
$$;
revoke execute on function strata.lock_queue(regclass, interval) from public;
