//! CREATE EXTENSION, DROP EXTENSION, again; pgvector somewhere else; what belongs to the extension.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    fn search_works() {
        sources();
        note(1, "one", "a");
        run("select strata.claim_jobs('w')");
        let stored = "select strata.complete_jobs(array['note'], array_agg(entity_id), array_agg(fence),
                          array[sha256(convert_to(E'one\\na', 'UTF8'))], array['[1,0,0]']) from strata.job";
        run(&stored.replace(
            "'[1,0,0]']",
            &format!("'[1,0,0]']::{}.vector[]", ask("select strata.vector_schema()")),
        ));
        assert_eq!(ask(&format!("select h.title from strata.rag_search('[1,0,0]', '{ANN}') h")), "one");
    }

    #[pg_test]
    fn tells_its_version() {
        assert_eq!(ask("select strata.version()"), env!("CARGO_PKG_VERSION"));
        assert_eq!(
            ask("select extversion from pg_extension where extname = 'strata'"),
            env!("CARGO_PKG_VERSION")
        );
    }

    #[pg_test]
    fn is_dropped_and_created_again() {
        alone();
        run("drop extension strata cascade");
        assert_eq!(ask("select count(*) from pg_proc where pronamespace = 'strata'::regnamespace"), "0");
        run("create extension strata");
        search_works();
    }

    #[pg_test]
    fn an_old_pgvector_is_refused() {
        alone();
        run("drop extension strata cascade");
        run("create function public.attempt(statement text) returns text language plpgsql as $$
             begin
                 execute statement;
                 return '00000';
             exception when others then
                 return sqlstate || ' ' || sqlerrm;
             end $$");
        for (version, refused) in [("0.7.4", true), ("0.8.0", false), ("0.10.1", false), ("1.0", false)] {
            run(&format!("update pg_extension set extversion = '{version}' where extname = 'vector'"));
            let answer = ask("select public.attempt('create extension strata')");
            let should = if refused { "55000 pgvector 0.7.4 is older than 0.8" } else { "00000" };
            assert_eq!(answer, should, "{version}");
            run("drop extension if exists strata cascade");
        }
    }

    #[pg_test]
    fn pgvector_may_live_in_another_schema() {
        alone();
        run("drop extension strata cascade; drop extension vector cascade; create schema extensions;
             create extension vector schema extensions; create extension strata");
        assert_eq!(ask("select strata.vector_schema()"), "extensions");
        run("set local search_path = public, extensions");
        search_works();
        run("set local search_path = ''");
        assert_eq!(ask(&format!("select h.title from strata.rag_search('[1,0,0]', '{ANN}') h")), "one");
    }

    #[pg_test]
    fn pgvector_may_move_while_we_are_installed() {
        search_works();
        run("create schema \"Else where\"; alter extension vector set schema \"Else where\"");
        assert_eq!(ask(&format!("select h.title from strata.rag_search('[1,0,0]', '{ANN}') h")), "one");
        note(2, "two", "b");
        run("select strata.claim_jobs('w')");
        assert_eq!(
            ask("select stored from strata.complete_jobs(array['note'],
                     (select array_agg(entity_id) from strata.job), (select array_agg(fence) from strata.job),
                     array[sha256(convert_to(E'two\\nb', 'UTF8'))], array['[0,1,0]']::\"Else where\".vector[])"),
            "1"
        );
    }

    #[pg_test]
    fn every_object_says_what_it_is_for() {
        assert_eq!(
            list("select p.proname from pg_proc p where p.pronamespace = 'strata'::regnamespace
                      and obj_description(p.oid, 'pg_proc') is null
                  union all
                  select c.relname from pg_class c where c.relnamespace = 'strata'::regnamespace and c.relkind in ('r', 'v')
                      and obj_description(c.oid, 'pg_class') is null
                  order by 1"),
            "null"
        );
    }

    #[pg_test]
    fn every_sql_function_pins_its_search_path() {
        assert_eq!(
            list("select p.proname from pg_proc p join pg_language l on l.oid = p.prolang
                  where p.pronamespace = 'strata'::regnamespace and l.lanname in ('sql', 'plpgsql') and p.prokind = 'f'
                    and not 'search_path=pg_catalog, pg_temp' = any (coalesce(p.proconfig, '{}')) order by 1"),
            "null"
        );
    }

    #[pg_test]
    fn a_dump_carries_our_rows() {
        assert_eq!(
            list("select c.relname from pg_class c where c.relnamespace = 'strata'::regnamespace and c.relkind in ('r', 'S')
                      and not c.oid = any ((select e.extconfig from pg_extension e where e.extname = 'strata')::oid[]) order by 1"),
            "null"
        );
    }
}
