-- migrations: what the database knows of a pack.
-- $1 text pack
-- rows: version text, name text, state text, checksum text, ascending by version
select m.version::text, m.name, m.state, m.checksum
from strata.migration m
where m.pack = $1::text
order by m.version
