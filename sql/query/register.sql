-- register: tells the database of a pack as the caller has it. Versions that were never applied follow the files.
-- $1 text pack   $2 text title   $3 jsonb manifest   $4 jsonb variables
-- $5 jsonb [{version, name, phase, checksum, files, entry}, ...]
with told as (
    select * from jsonb_to_recordset($5::jsonb) as t (version bigint, name text, phase int, checksum text, files text, entry jsonb)
), pack as (
    insert into strata.pack as p (name, title, manifest, variables)
    values ($1::text, $2::text, $3::jsonb, $4::jsonb)
    on conflict (name) do update
        set title = excluded.title, manifest = excluded.manifest, variables = excluded.variables,
            updated_at = clock_timestamp()
    returning p.name
), gone as (
    delete from strata.migration m
    where m.pack = $1::text and m.state = 'pending' and not exists (select from told t where t.version = m.version)
)
insert into strata.migration as m (pack, version, name, phase, checksum, files, entry)
select pack.name, t.version, t.name, t.phase, t.checksum, t.files, t.entry from told t, pack
on conflict (pack, version) do update
    set name = excluded.name, phase = excluded.phase, checksum = excluded.checksum, files = excluded.files,
        entry = excluded.entry
    where m.state <> 'applied' or (m.name, m.phase, m.files) <> (excluded.name, excluded.phase, excluded.files)
