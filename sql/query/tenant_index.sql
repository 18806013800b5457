-- tenant_index: an index of a table that begins with the tenant, without a condition. Written for any search_path, as
-- search_sources is. $1 text schema   $2 text table   $3 text column   row: text, none where there is no such index
select i.indexrelid::pg_catalog.regclass::pg_catalog.text
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) i.indrelid
join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
join pg_catalog.pg_attribute a
  on a.attrelid operator(pg_catalog.=) c.oid and a.attnum operator(pg_catalog.=) i.indkey[0]
where n.nspname operator(pg_catalog.=) $1::pg_catalog.name and c.relname operator(pg_catalog.=) $2::pg_catalog.name
  and a.attname operator(pg_catalog.=) $3::pg_catalog.name and i.indisvalid and i.indpred is null
order by i.indexrelid
limit 1
