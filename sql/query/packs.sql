-- packs: those that the database was told about, and whether their files are in it.
-- $1 text pack, or null: every one
-- rows: name text, pushed text ('true' or 'false')
select p.name, exists (select from strata.pack_file f where f.pack = p.name)::text
from strata.pack p
where p.name = coalesce($1::text, p.name)
order by p.name
