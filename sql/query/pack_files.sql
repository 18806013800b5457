-- pack_files: the files of a pack that was pushed.
-- $1 text pack
-- rows: name text, text text
select f.name, f.text from strata.pack_file f where f.pack = $1::text order by f.name
