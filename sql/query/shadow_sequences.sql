-- shadow_sequences: moves the numbers of strata's tables behind those of the rows that were copied.
-- rows: number text
select pg_catalog.setval(s.seqrelid::regclass, s.seqmax / 2::int8)::text
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
where c.relnamespace = 'strata'::regnamespace::oid
