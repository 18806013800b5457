-- server: what the server is and offers. Works before anything of ours is installed.
-- rows: version_num text, pgvector's version (installed, else available) text, strata installed text, strata available text
select current_setting('server_version_num'),
       coalesce((select e.extversion from pg_catalog.pg_extension e where e.extname = 'vector'),
                (select a.default_version from pg_catalog.pg_available_extensions a where a.name = 'vector')),
       (select e.extversion from pg_catalog.pg_extension e where e.extname = 'strata'),
       (select a.default_version from pg_catalog.pg_available_extensions a where a.name = 'strata')
