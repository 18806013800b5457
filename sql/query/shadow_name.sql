-- shadow_name: a shadow of this database: its name, which tells the session that made it, and the statement that makes it
-- with the same letters and order of texts.
-- rows: name text, statement text
select n.name,
       format('create database %I template template0 encoding %L lc_collate %L lc_ctype %L', n.name,
              pg_encoding_to_char(d.encoding), d.datcollate, d.datctype)
       || case d.datlocprovider
              when 'i' then format(' locale_provider icu icu_locale %L', coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'))
              when 'b' then format(' locale_provider builtin builtin_locale %L', to_jsonb(d) ->> 'datlocale')
              else '' end
from pg_catalog.pg_database d
cross join pg_catalog.pg_stat_activity a
cross join lateral (
    select format('strata_shadow_%s_%s', a.pid, (extract(epoch from a.backend_start) * 1000000)::bigint) as name
) n
where d.datname = current_database() and a.pid = pg_backend_pid()
