//! `rag_search` and rights: row level security in either spelling, who the caller is, who may call at all.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Notes and tasks of two tenants under a policy, and the roles of Supabase with what the pack grants them.
    fn guarded(policy: &str) {
        sources();
        run("do $$
             declare
                 wanted text;
             begin
                 foreach wanted in array array['authenticated', 'anon', 'service_role'] loop
                     if not exists (select from pg_roles where rolname = wanted) then
                         execute format('create role %I', wanted);
                     end if;
                 end loop;
             end $$;
             alter role service_role bypassrls;
             create schema if not exists auth; grant usage on schema auth to authenticated, anon, service_role;
             create or replace function auth.uid() returns uuid language sql stable as
                 $$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $$;
             grant select on public.note, public.task to authenticated, service_role;
             alter table public.note enable row level security; alter table public.task enable row level security");
        run(include_str!("../../../sql/create/grant_search.sql"));
        for table in ["note", "task"] {
            run(&format!("create policy own on public.{table} to authenticated using ({policy})"));
        }
        for tenant in [ANN, BOB] {
            run(&format!(
                "insert into public.note (user_id, title, embedding) select '{tenant}', 'n' || g, format('[1,%s,0]', g)::vector from generate_series(1, 30) g;
                 insert into public.task (user_id, name, v) select '{tenant}', 't' || g, format('[1,%s,1]', g)::vector from generate_series(1, 30) g"));
        }
        run("create index on public.note using hnsw (embedding vector_cosine_ops); analyze public.note");
    }

    fn sign_in(role: &str, sub: &str) {
        run(&format!("select set_config('request.jwt.claims', '{sub}', true)"));
        run(&format!("set local role {role}"));
    }

    fn claims(sub: &str) -> String {
        format!("{{\"sub\": \"{sub}\", \"role\": \"authenticated\"}}")
    }

    fn count(filter: &str) -> String {
        ask(&format!("select count(*) from strata.rag_search('[1,0,0]', {filter}, 50)"))
    }

    fn refused(filter: &str) -> String {
        refusal(&format!("select * from strata.rag_search('[1,0,0]', {filter})"))
    }

    fn a_user_finds_own_rows_and_no_other(policy: &str) {
        guarded(policy);
        let truth = ask(&format!(
            "select string_agg(h.entity_id::text, ' ') from strata.rag_search('[1,0,0]', '{ANN}', 50) h"
        ));
        sign_in("authenticated", &claims(ANN));
        for filter in ["null".to_owned(), format!("'{ANN}'")] {
            for _ in 0..10 {
                assert_eq!(
                    ask(&format!(
                        "select string_agg(h.entity_id::text, ' ') from strata.rag_search('[1,0,0]', {filter}, 50) h"
                    )),
                    truth
                );
            }
        }
        assert_eq!(count("null"), "50");
        assert_eq!(refused(&format!("'{BOB}'")), format!("42501 user_id_filter {BOB} is not the caller"));
        sign_in("authenticated", &claims(&id(7)));
        assert_eq!(count("null"), "0");
    }

    #[pg_test]
    fn own_rows_under_a_policy_that_calls_uid_for_each_row() {
        a_user_finds_own_rows_and_no_other("auth.uid() = user_id");
    }

    #[pg_test]
    fn own_rows_under_a_policy_that_asks_for_uid_once() {
        a_user_finds_own_rows_and_no_other("(select auth.uid()) = user_id");
    }

    #[pg_test]
    fn the_policy_decides_even_for_the_callers_own_rows() {
        guarded("(select auth.uid()) = user_id");
        run("create policy not_first on public.note as restrictive to authenticated using (title <> 'n1')");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(
            ask("select count(*) from strata.rag_search('[1,1,0]', null, 100) h where h.title = 'n1'"),
            "0"
        );
        assert_eq!(ask("select count(*) from strata.rag_search('[1,1,0]', null, 100)"), "59");
    }

    #[pg_test]
    fn a_caller_that_nobody_names_is_refused() {
        guarded("(select auth.uid()) = user_id");
        sign_in("authenticated", "");
        assert_eq!(refused("null"), "22004 user_id_filter is null and the caller is not known");
        assert_eq!(refused(&format!("'{ANN}'")), format!("42501 user_id_filter {ANN} is not the caller"));
        sign_in("authenticated", "{\"sub\": \"not a uuid\"}");
        assert!(refused("null").starts_with("22P02"));
    }

    #[pg_test]
    fn without_uid_the_claims_name_the_caller() {
        guarded("true");
        run("drop function auth.uid()");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(count("null"), "50");
        assert_eq!(refused(&format!("'{BOB}'")), format!("42501 user_id_filter {BOB} is not the caller"));
    }

    #[pg_test]
    fn who_bypasses_row_level_security_names_the_tenant() {
        guarded("(select auth.uid()) = user_id");
        sign_in("service_role", &claims(ANN));
        assert_eq!(count(&format!("'{BOB}'")), "50");
        assert_eq!(refused("null"), "22004 user_id_filter must not be null");
    }

    #[pg_test]
    fn a_table_without_a_grant_is_left_out() {
        guarded("(select auth.uid()) = user_id");
        run("revoke select on public.task from authenticated");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(
            ask(
                "select string_agg(distinct h.entity_type, ' ') from strata.rag_search('[1,0,0]', null, 50) h"
            ),
            "note"
        );
        run("reset role; revoke select on public.note from authenticated");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(refused("null"), "42501 permission denied for every source");
    }

    #[pg_test]
    fn a_column_without_a_grant_leaves_its_table_out() {
        guarded("(select auth.uid()) = user_id");
        run("revoke select on public.task from authenticated;
             grant select (id, user_id, name, description, notes, created_at, status, v) on public.task to authenticated");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(
            ask(
                "select string_agg(distinct h.entity_type, ' ') from strata.rag_search('[1,0,0]', null, 50) h"
            ),
            "note"
        );
        run("reset role; grant select (weight) on public.task to authenticated");
        sign_in("authenticated", &claims(ANN));
        assert_eq!(
            ask(
                "select string_agg(distinct h.entity_type, ' ' order by h.entity_type) from strata.rag_search('[1,0,0]', null, 50) h"
            ),
            "note task"
        );
    }

    #[pg_test]
    fn nobody_may_call_by_default() {
        guarded("true");
        sign_in("anon", "");
        assert!(refused("null").starts_with("42501 permission denied"));
        run("reset role");
        assert_eq!(
            list("select p.proname from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                  where p.pronamespace = 'strata'::regnamespace and a.grantee = 0 and p.provolatile = 'v'
                    and p.proname not like '%_is_append_only' order by 1"),
            "null"
        );
        let functions = "array['rag_search', 'search', 'find_similar_content', 'find_similar', 'search_explain', 'explain', 'text_index']";
        assert_eq!(
            list(&format!(
                "select distinct concat_ws('/', p.prosecdef, has_function_privilege('authenticated', p.oid, 'execute'),
                                 has_function_privilege('service_role', p.oid, 'execute'), has_function_privilege('anon', p.oid, 'execute'))
                 from pg_proc p where p.pronamespace = 'strata'::regnamespace and p.proname = any ({functions})"
            )),
            "f/t/t/f",
            "the rights of the caller, for signed-in users and the service, for nobody else"
        );
    }

    #[pg_test]
    fn one_plan_serves_two_roles_with_their_own_rows() {
        guarded("(select auth.uid()) = user_id");
        for _ in 0..8 {
            assert_eq!(count(&format!("'{BOB}'")), "50");
            sign_in("authenticated", &claims(ANN));
            assert_eq!(
                ask(
                    "select count(*) from strata.rag_search('[1,0,0]', null, 50) h join public.note n on n.id = h.entity_id and n.user_id <> auth.uid()"
                ),
                "0"
            );
            assert_eq!(count("null"), "50");
            run("reset role");
        }
    }
}
