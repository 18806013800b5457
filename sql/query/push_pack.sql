-- push_pack: keeps the files of a pack and tells of its versions. Versions that were never applied follow the files; the
-- values that the pack was run with stay.
-- $1 text pack   $2 text title   $3 jsonb manifest   $4 jsonb [{version, name, phase, checksum, files, entry}, ...]
-- $5 jsonb [{name, text, sha256}, ...]
with told as (
    select * from jsonb_to_recordset($4::jsonb) as t (version bigint, name text, phase int, checksum text, files text, entry jsonb)
), files as (
    select * from jsonb_to_recordset($5::jsonb) as t (name text, text text, sha256 text)
), pack as (
    insert into strata.pack as p (name, title, manifest)
    values ($1::text, $2::text, $3::jsonb)
    on conflict (name) do update
        set title = excluded.title, manifest = excluded.manifest, updated_at = clock_timestamp()
    returning p.name
), gone as (
    delete from strata.migration m
    where m.pack = $1::text and m.state = 'pending' and not exists (select from told t where t.version = m.version)
), dropped as (
    delete from strata.pack_file f
    where f.pack = $1::text and not exists (select from files t where t.name = f.name)
), kept as (
    insert into strata.pack_file as f (pack, name, text, checksum)
    select pack.name, t.name, t.text, t.sha256 from files t, pack
    on conflict (pack, name) do update
        set text = excluded.text, checksum = excluded.checksum, pushed_at = clock_timestamp(), pushed_by = session_user
        where f.checksum <> excluded.checksum
)
insert into strata.migration as m (pack, version, name, phase, checksum, files, entry)
select pack.name, t.version, t.name, t.phase, t.checksum, t.files, t.entry from told t, pack
on conflict (pack, version) do update
    set name = excluded.name, phase = excluded.phase, checksum = excluded.checksum, files = excluded.files,
        entry = excluded.entry
    where m.state <> 'applied' or (m.name, m.phase, m.files) <> (excluded.name, excluded.phase, excluded.files)
