-- runs_as: as whom a pack is executed for a caller that it was delegated to, with the search_path that a session of that
-- role begins with.
-- $1 text pack   $2 text caller
-- rows: oid text, role text, search_path text, pushed_by text (somebody else, since it was delegated; null: nobody);
-- none: it was not delegated
select r.oid::text, r.rolname::text, coalesce(
           (select pg_catalog.substr(e.setting, 13)
            from pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) e(setting)
            where s.setrole in (r.oid, 0::oid)
              and s.setdatabase in ((select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()), 0::oid)
              and pg_catalog.starts_with(e.setting, 'search_path=')
            order by s.setrole = r.oid desc, s.setdatabase <> 0::oid desc
            limit 1),
           (select p.boot_val from pg_catalog.pg_settings p where p.name = 'search_path')),
       (select f.pushed_by from strata.pack_file f
        where f.pack = d.pack and f.pushed_at > d.delegated_at and f.pushed_by <> d.runs_as
        limit 1)
from strata.delegation d
join pg_catalog.pg_roles r on r.rolname = d.runs_as
where d.pack = $1::text and d.caller = $2::text
