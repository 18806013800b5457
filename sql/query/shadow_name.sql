-- shadow_name: a shadow of this database: its name, which tells the session that made it, and the statement that makes it
-- with the same letters and order of texts.
-- rows: name text, statement text
select n.name,
       pg_catalog.format('create database %I template template0 encoding %L lc_collate %L lc_ctype %L', n.name,
              pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
       || case d.datlocprovider
              when 'i' then pg_catalog.format(' locale_provider icu icu_locale %L', coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale'::text, pg_catalog.to_jsonb(d) ->> 'daticulocale'::text))
              when 'b' then pg_catalog.format(' locale_provider builtin builtin_locale %L', pg_catalog.to_jsonb(d) ->> 'datlocale'::text)
              else '' end
from pg_catalog.pg_database d
cross join pg_catalog.pg_stat_activity a
cross join lateral (
    select pg_catalog.format('strata_shadow_%s_%s', a.pid, (extract(epoch from a.backend_start) * 1000000::numeric)::bigint) as name
) n
where d.datname = pg_catalog.current_database() and a.pid = pg_catalog.pg_backend_pid()
