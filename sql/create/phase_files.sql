-- phase_files: the files of a phase, a line for each version: its number and the checksum of its files.
create function strata.phase_files(pack text, phase int) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select coalesce(string_agg(m.version || ' ' || m.files, e'\n' order by m.version), '')
    from strata.migration m where m.pack = $1 and m.phase = $2
$$;
revoke execute on function strata.phase_files(text, int) from public;
