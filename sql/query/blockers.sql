-- blockers: who may have been in the way of a statement that did not get its lock: sessions with locks on the relations that
-- it names and, of a statement that waits for old transactions, those that have lasted as long as it waited.
-- $1 jsonb names, as written   $2 int8 milliseconds that it waited, or null: it does not wait for transactions
-- rows: who text, relation text or null
with named as (
    select distinct to_regclass(n)::oid as relation from jsonb_array_elements_text($1::jsonb) n
), here as (
    select d.oid from pg_catalog.pg_database d where d.datname = current_database()
), found as (
    select l.pid, l.relation::regclass::text as relation, pg_catalog.string_agg(distinct l.mode, ', ') as modes
    from pg_catalog.pg_locks l
    join named n on n.relation = l.relation
    where l.granted and l.locktype = 'relation' and l.database = (select h.oid from here h)
    group by l.pid, l.relation
    union all
    select a.pid, null, null
    from pg_catalog.pg_stat_activity a
    where a.datname = current_database() and (a.backend_xmin is not null or a.backend_xid is not null)
      and a.xact_start < clock_timestamp() - $2::int8::float8 * interval '1 millisecond'
)
select strata.session_text(f.pid) || coalesce(' [' || pg_catalog.max(f.modes) || ' on ' || pg_catalog.max(f.relation) || ']', ''), pg_catalog.max(f.relation)
from found f
where f.pid <> pg_backend_pid()
group by f.pid
order by f.pid
limit 10
