-- index_state: whether an index of this name stands on the table, and whether it is whole.
-- $1 text table, as written   $2 text index name
-- rows: one of 'valid' and 'invalid', or no row
select case when i.indisvalid and i.indisready then 'valid' else 'invalid' end,
       format('%I.%I', n.nspname, c.relname)
from pg_catalog.pg_index i
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where i.indrelid = to_regclass($1::text) and c.relname = $2::text
