-- accept_files: applied versions whose file is another one now, and which somebody says are right as they are: written down
-- before the files count.
-- $1 text pack   $2 text reason   $3 jsonb [{version, checksum, ...}, ...]
-- rows: version text
with told as (
    select * from jsonb_to_recordset($3::jsonb) as t (version bigint, checksum text)
), accepted as (
    insert into strata.history (pack, version, name, direction, event, message)
    select m.pack, m.version, m.name, 'up', 'forced', pg_catalog.concat('its changed file counts as the applied one: '::text, $2::text)
    from strata.migration m
    join told t on t.version = m.version
    where m.pack = $1::text and m.state = 'applied' and m.checksum <> t.checksum
    order by m.version
    returning version
)
select a.version::text from accepted a
