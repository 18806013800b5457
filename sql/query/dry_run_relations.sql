-- dry_run_relations: the transaction of a dry run, the server's clock, and what is there before it: others may wait for
-- these relations, and for none that the dry run makes. strata's own are left out.
-- rows: kind text ('now': clock in milliseconds, transaction; 'relation': oid, name, relkind), then three texts
select 'now', (extract(epoch from clock_timestamp()) * 1000::numeric)::bigint::text, pg_current_xact_id()::text, null
union all
select 'relation', c.oid::text, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind::text
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema', 'strata') and n.nspname::text !~ '^pg_(toast|temp)'
