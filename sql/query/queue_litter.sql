-- queue_litter: whether this session may sweep dead rows out of the queue, and after how many more jobs it is worth it: each
-- leaves two dead rows. Where a long transaction keeps them from being removed, later each time.
-- rows: may bool, jobs int8
select case when pg_catalog.pg_has_role(c.relowner, 'usage'::text) then true
            when pg_catalog.current_setting('server_version_num')::int >= 170000
            then pg_catalog.has_table_privilege(c.oid, 'maintain'::text) end is true,
       greatest(2000::bigint, pg_catalog.pg_stat_get_live_tuples(c.oid) / 10::bigint, pg_catalog.pg_stat_get_dead_tuples(c.oid) / 2::bigint)
from pg_catalog.pg_class c where c.oid = 'strata.job'::regclass::oid
