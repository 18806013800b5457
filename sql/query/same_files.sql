-- same_files: another pack that has applied a file of this one, name and text: a folder that was renamed, or a copy of one.
-- $1 text pack   $2 jsonb [{version, name, checksum, ...}, ...]
-- rows: pack text, version text
select m.pack, m.version::text
from strata.migration m
join jsonb_to_recordset($2::jsonb) as t (version bigint, name text, checksum text)
    on t.version = m.version and t.name = m.name and t.checksum = m.checksum
where m.pack <> $1::text and m.state = 'applied'
order by m.version, m.pack
limit 1
