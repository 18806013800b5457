//! Runs in the database, as far as one transaction sees them: packs, plans, refusals, requests. No worker gets to work
//! here, because no transaction commits; `tests/tests/in_database.rs` has those.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    fn file(name: &str, text: &str) -> String {
        format!(
            "jsonb_build_object('name', '{name}', 'text', $t${text}$t$, 'sha256', encode(sha256(convert_to($t${text}$t$, 'UTF8')), 'hex'))"
        )
    }

    fn push(files: &[(&str, &str)]) -> String {
        let files: Vec<String> = files.iter().map(|(name, text)| file(name, text)).collect();
        format!(
            "select strata.push_pack(jsonb_build_object('name', 'p', 'files', jsonb_build_array({})))",
            files.join(", ")
        )
    }

    const TWO: [(&str, &str); 3] = [
        ("1_a.up.sql", "create table a (x int); create index concurrently a_x on a (x)"),
        ("1_a.down.sql", "drop table a"),
        ("2_b.up.sql", "select 1"),
    ];

    fn plan(target: &str) -> String {
        list(&format!("select version || direction || step || kind from strata.plan('p'{target})"))
    }

    #[pg_test]
    fn a_pack_that_is_pushed_can_be_planned() {
        tables();
        assert_eq!(ask(&push(&TWO)), "p");
        assert_eq!(plan(""), "1up1transaction 1up2alone 1up3verify 2up1transaction");
        assert_eq!(plan(", 1"), "1up1transaction 1up2alone 1up3verify");
        assert_eq!(list("select state from strata.migration_status('p')"), "pending pending");
        assert_eq!(
            list("select name from strata.pack_file order by name"),
            "1_a.down.sql 1_a.up.sql 2_b.up.sql"
        );
        assert!(refusal("select strata.plan('p', 3)").starts_with("22023 pack p has no version 3"));
        assert!(refusal("select strata.plan('q')").starts_with("42704 pack \"q\" has no files"));
    }

    #[pg_test]
    fn a_pack_that_could_not_run_is_refused() {
        tables();
        assert!(refusal(&push(&[("1_a.up.sql", "rollback")])).starts_with("ST021 "));
        assert!(refusal(&push(&[("1_a.up.sql", ""), ("1_b.up.sql", "")])).starts_with("ST017 "));
        assert!(
            refusal(&push(&TWO).replace("'hex'", "'base64'")).contains("has SHA-256"),
            "a checksum that does not fit"
        );
    }

    #[pg_test]
    fn an_applied_file_may_not_change_and_a_pending_one_may() {
        tables();
        run(&push(&TWO));
        run("update strata.migration set state = 'applied', applied_at = now() where version = 1");
        let changed = [("1_a.up.sql", "select 2"), TWO[2]];
        assert!(refusal(&push(&changed)).starts_with("ST007 1_a.up.sql has changed"));
        run(&push(&[TWO[0], ("2_b.up.sql", "select 3")]));
        assert_eq!(plan(""), "2up1transaction");
        assert_eq!(ask("select count(*) from strata.pack_file"), "2");
        assert!(refusal("select strata.plan('p', 0)").starts_with("ST016 "), "its down file is gone");
    }

    #[pg_test]
    fn a_request_waits_for_its_worker() {
        tables();
        run(&push(&TWO));
        run("set local search_path = \"Odd\", public");
        run("select strata.start_run('p', to_phase => 1)");
        assert_eq!(
            list(
                "select concat_ws(':', state, attempt, direction, request ->> 'to_phase', request ->> 'search_path') from strata.run"
            ),
            "queued:0:up:1:\"Odd\", public"
        );
        assert_eq!(list("select current_setting('search_path')"), "\"Odd\", public");
        assert_eq!(
            list("select p.state || p.alive from strata.run r, strata.run_progress(r.id) p"),
            "queuedfalse"
        );
        assert_eq!(list("select strata.cancel_run(id)::text from strata.run"), "true");
        assert_eq!(list("select state from strata.run"), "cancelled");
        assert_eq!(list("select strata.cancel_run(id)::text from strata.run"), "false");
    }

    #[pg_test]
    fn nothing_to_do_is_done_at_once() {
        tables();
        run(&push(&TWO));
        run("select strata.start_run('p', 0)");
        assert_eq!(list("select state || attempt from strata.run"), "succeeded0");
    }

    #[pg_test]
    fn an_unknown_run_is_refused() {
        tables();
        for call in ["run_progress", "cancel_run", "resume_run"] {
            let told = refusal(&format!("select strata.{call}('{ANN}')"));
            assert_eq!(told, format!("42704 run {ANN} does not exist"));
        }
    }

    #[pg_test]
    fn a_verification_may_only_read() {
        tables();
        run("create table public.seen (x int);
             create function public.writes() returns text language sql as 'insert into public.seen values (1) returning x::text'");
        run(&push(&[
            TWO[2],
            (
                "2_b.verify.sql",
                "select 'c' as check_name, '1' as expected, writes() as actual, true as ok -- end",
            ),
        ]));
        assert_eq!(list("select check_name from strata.verify('p')"), "null", "nothing is applied");
        run("update strata.migration set state = 'applied', applied_at = now()");
        assert!(refusal("select strata.verify('p')").starts_with("25006 "));
        run("create or replace function public.writes() returns text language sql as $$ select '1' $$");
        assert_eq!(list("select check_name || actual || ok from strata.verify('p')"), "c1true");
        run("insert into public.seen values (2)");
    }

    #[pg_test]
    fn a_preflight_answers_every_question() {
        tables();
        run(&push(&TWO));
        assert_eq!(
            list("select check_name || ':' || ok from strata.preflight('p') where check_name <> 'lock'"),
            "PostgreSQL:true pgvector:true writable:true background workers:true plan:true"
        );
        run(
            "update strata.migration set state = 'applied', applied_at = now(), checksum = 'x' where version = 1",
        );
        assert_eq!(
            list("select actual from strata.preflight('p') where not ok"),
            "1_a.up.sql has changed since version 1 was applied"
        );
    }
    #[pg_test]
    fn json_that_only_postgres_can_hold_is_refused_and_does_not_break_anything() {
        sources();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for odd in ["1e400", deep.as_str()] {
            for call in [
                format!("strata.start_run('p', variables => '{{\"a\": {odd}}}')"),
                format!("strata.push_pack('{{\"name\": {odd}}}')"),
                format!("strata.rag_search('[1,0,0]', '{ANN}', source_weights => '{{\"note\": {odd}}}')"),
            ] {
                let refused = refusal(&format!("select {call}"));
                assert!(refused.starts_with("22023 ") && refused.contains(" cannot be read: "), "{refused}");
            }
        }
    }
}
