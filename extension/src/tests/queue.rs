//! The life of a job: queued by a change, leased, completed, stale, failed, dead, queued again.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    fn fail(number: u32, fence: u32, more: &str) -> String {
        ask(&format!(
            "select f.queued || ' queued, ' || f.dead || ' dead' from strata.fail_jobs(
                 array['note'], array['{}']::uuid[], array[{fence}]::bigint[], 'provider said no'{more}) f",
            id(number)
        ))
    }

    fn set_state(sql: &str) {
        run(&format!("update strata.job set {sql}"));
    }

    #[pg_test]
    fn text_that_is_written_queues_one_job() {
        sources();
        note(1, "one", "a");
        note(2, "", "");
        run(&format!(
            "insert into public.note (id, user_id, title, embedding) values ('{}', '{ANN}', 'three', '[1,0,0]')",
            id(3)
        ));
        assert_eq!(jobs(), "1/queued/f1/a0");
    }

    #[pg_test]
    fn an_update_that_leaves_the_text_queues_nothing() {
        sources();
        note(1, "one", "a");
        run("delete from strata.job");
        run("update public.note set mood = 'calm', body = body, title = 'on' || 'e'");
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn changes_of_one_row_are_one_job() {
        sources();
        note(1, "one", "a");
        run("update public.note set body = 'b'");
        run("update public.note set body = 'c'");
        assert_eq!(jobs(), "1/queued/f3/a0");
        assert_eq!(claim(), "1:one|c");
    }

    #[pg_test]
    fn a_change_calls_a_leased_and_a_dead_job_back() {
        sources();
        note(1, "one", "a");
        claim();
        run("update public.note set body = 'b'");
        assert_eq!(jobs(), "1/queued/f3/a0");
        set_state("state = 'dead', attempts = 8, error = 'x'");
        run("update public.note set body = 'c'");
        assert_eq!(jobs(), "1/queued/f4/a0");
        assert_eq!(ask("select error from strata.job"), "null");
    }

    #[pg_test]
    fn a_vector_that_is_taken_away_is_missed() {
        sources();
        note(1, "one", "a");
        claim();
        complete(1, 2, "one\na", "[1,0,0]");
        assert_eq!(jobs(), "null");
        run("update public.note set embedding = null");
        assert_eq!(jobs(), "1/queued/f1/a0");
    }

    #[pg_test]
    fn rows_that_go_take_their_jobs_along() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        note(3, "three", "c");
        run(&format!("delete from public.note where id = '{}'", id(1)));
        assert_eq!(jobs(), "2/queued/f1/a0 3/queued/f1/a0");
        run(&format!("update public.note set id = '{}' where id = '{}'", id(9), id(2)));
        assert_eq!(jobs(), "2/queued/f1/a0 3/queued/f1/a0 9/queued/f1/a0");
        assert_eq!(claim(), "3:three|c 9:two|b", "the key that is gone has no job left");
        assert_eq!(jobs(), "3/leased/f2/a0 9/leased/f2/a0");
        run("truncate public.note");
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn a_row_that_loses_its_text_loses_its_job_and_its_vector() {
        sources();
        note(1, "one", "a");
        run("update public.note set title = null, body = ''");
        assert_eq!(jobs(), "null");
        run("update public.note set title = 'one', body = null");
        claim();
        assert_eq!(complete(1, 2, "one", "[1,0,0]"), "1 stored, 0 stale");
        run("update public.note set title = ''");
        assert_eq!(jobs(), "1/queued/f1/a0");
        assert_eq!(claim(), "null");
        assert_eq!(jobs(), "null");
        assert_eq!(
            ask(
                "select embedding is null and embedding_model is null and embedded_at is null from public.note"
            ),
            "true"
        );
    }

    #[pg_test]
    fn a_writer_under_row_level_security_queues_without_rights_of_its_own() {
        sources();
        run("create role writer; grant usage on schema public to writer;
             grant select, insert, update, delete on public.note to writer;
             alter table public.note enable row level security;
             create policy own on public.note to writer
                 using (user_id = (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid)");
        run(&format!("select set_config('request.jwt.claims', '{{\"sub\": \"{ANN}\"}}', true)"));
        run("set local role writer");
        note(1, "one", "a");
        run("update public.note set body = 'b'");
        assert_eq!(refusal("select * from strata.job").split(' ').next(), Some("42501"));
        run("reset role");
        assert_eq!(jobs(), "1/queued/f2/a0");
        run("set local role writer; delete from public.note; reset role");
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn a_claim_hands_over_the_text_and_its_hash_once() {
        sources();
        note(1, "one", "a");
        note(2, "two", "");
        assert_eq!(
            ask("select bool_and(c.content_hash = sha256(convert_to(c.content, 'UTF8')) and c.fence = 2 and c.model = 'mini')
                 from strata.claim_jobs('w', 1) c"),
            "true"
        );
        assert_eq!(ask("select count(*) from strata.claim_jobs('v')"), "1");
        assert_eq!(ask("select count(*) from strata.claim_jobs('v')"), "0");
    }

    #[pg_test]
    fn what_a_user_writes_overtakes_a_walk() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        run("delete from strata.job");
        assert_eq!(ask("select e.enqueued from strata.enqueue_missing('note') e"), "2");
        run(&format!("update public.note set body = 'c' where id = '{}'", id(2)));
        assert_eq!(ask("select right(c.entity_id::text, 1) from strata.claim_jobs('w', 1) c"), "2");
    }

    #[pg_test]
    fn a_lease_that_is_over_is_claimed_again_under_a_new_fence() {
        sources();
        note(1, "one", "a");
        claim();
        assert_eq!(ask("select count(*) from strata.claim_jobs('v')"), "0");
        set_state("lease_until = now() - interval '1 second'");
        assert_eq!(ask("select c.fence from strata.claim_jobs('v') c"), "3");
        assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "0 stored, 1 stale");
        assert_eq!(jobs(), "1/leased/f3/a0");
        assert_eq!(complete(1, 3, "one\na", "[1,0,0]"), "1 stored, 0 stale");
    }

    #[pg_test]
    fn a_vector_is_stored_with_its_model_and_ends_the_job() {
        sources();
        note(1, "one", "a");
        claim();
        assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "1 stored, 0 stale");
        assert_eq!(jobs(), "null");
        assert_eq!(
            ask("select embedding::text || embedding_model || (embedded_at is not null) from public.note"),
            "[1,0,0]minitrue"
        );
    }

    #[pg_test]
    fn a_source_that_keeps_neither_model_nor_time_gets_the_vector_alone() {
        sources();
        run(&format!("insert into public.task (id, user_id, name) values ('{}', '{ANN}', 'one')", id(1)));
        assert_eq!(
            ask("select c.stored from (select array_agg(j.entity_type) as t, array_agg(j.entity_id) as i,
                     array_agg(j.fence) as f, array_agg(j.content_hash) as h from strata.claim_jobs('w') j) x,
                 strata.complete_jobs(x.t, x.i, x.f, x.h, array['[1,0,0]']::vector[]) c"),
            "1"
        );
        assert_eq!(ask("select v from public.task"), "[1,0,0]");
    }

    #[pg_test]
    fn a_vector_of_an_older_text_is_refused_and_the_job_stays() {
        sources();
        note(1, "one", "a");
        claim();
        run(
            "alter table public.note disable trigger all; update public.note set body = 'b'; alter table public.note enable trigger all",
        );
        assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "0 stored, 1 stale");
        assert_eq!(jobs(), "1/queued/f3/a0");
        assert_eq!(ask("select embedding from public.note"), "null");
    }

    #[pg_test]
    fn an_application_trigger_finds_its_own_tables_while_we_store() {
        sources();
        run("create table public.audit (note uuid);
             create function public.on_note() returns trigger language plpgsql as
                 $$ begin insert into audit values (new.id); return new; end $$;
             create trigger audit before update on public.note for each row execute function public.on_note()");
        note(1, "one", "a");
        claim();
        assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "1 stored, 0 stale");
        assert_eq!(ask("select count(*) from public.audit"), "1");
    }

    #[pg_test]
    fn one_wrong_vector_refuses_the_call_by_name() {
        sources();
        note(1, "one", "a");
        claim();
        let give = |vectors: &str| {
            refusal(&format!(
                "select strata.complete_jobs(array['note'], array['{}']::uuid[], array[2], array['\\x'::bytea], {vectors}::vector[])",
                id(1)
            ))
        };
        assert_eq!(give("array['[1,0]']"), "22000 expected 3 dimensions, not 2");
        assert_eq!(give("array['[0,0,0]']"), format!("22000 the vector of note {} has no direction", id(1)));
        assert_eq!(give("array[null]"), format!("22004 the vector of note {} is null", id(1)));
        assert_eq!(
            give("array['[1,0,0]','[1,0,0]']"),
            "22023 the arrays must have one length, not 1, 1, 1, 1 and 2"
        );
        assert_eq!(jobs(), "1/leased/f2/a0");
    }

    #[pg_test]
    fn no_jobs_are_completed_quietly() {
        sources();
        let none = "array[]::text[], array[]::uuid[], array[]::bigint[], array[]::bytea[], array[]::vector[]";
        assert_eq!(ask(&format!("select c.stored + c.stale from strata.complete_jobs({none}) c")), "0");
    }

    #[pg_test]
    fn failures_wait_longer_each_time_and_the_eighth_is_the_last() {
        sources();
        note(1, "one", "a");
        for attempt in 1..=7 {
            set_state("not_before = now()");
            claim();
            assert_eq!(fail(1, 2 * attempt, ""), "1 queued, 0 dead");
            let wait = format!(
                "not_before - clock_timestamp() between interval '0.49 s' * 2 ^ {attempt} and interval '1.5 s' * 2 ^ {attempt}"
            );
            assert_eq!(ask(&format!("select {wait} from strata.job")), "true");
        }
        set_state("not_before = now()");
        claim();
        assert_eq!(fail(1, 16, ""), "0 queued, 1 dead");
        assert_eq!(ask("select state || ': ' || error from strata.job"), "dead: provider said no");
        assert_eq!(claim(), "null");
        assert_eq!(ask("select strata.retry_dead('task')"), "0");
        assert_eq!(ask("select strata.retry_dead()"), "1");
        assert_eq!(jobs(), "1/queued/f18/a0");
    }

    #[pg_test]
    fn a_provider_that_names_a_time_is_not_asked_before() {
        sources();
        note(1, "one", "a");
        claim();
        fail(1, 2, ", interval '2 hours'");
        assert_eq!(ask("select not_before > now() + interval '119 minutes' from strata.job"), "true");
        assert_eq!(fail(1, 2, ""), "0 queued, 0 dead");
    }

    #[pg_test]
    fn a_walk_finds_what_is_missing_page_by_page() {
        tables();
        run(&format!("insert into public.note (id, user_id, title, embedding) select ('00000000-0000-0000-0000-' || lpad(g::text, 12, '0'))::uuid,
                 '{ANN}', case when g <> 4 then 'n' || g end, case when g = 2 then '[1,0,0]'::vector end from generate_series(1, 7) g;
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini')"));
        let page = |after: &str| {
            ask(&format!(
                "select e.enqueued || ' ' || coalesce(right(e.last::text, 1), '-') from strata.enqueue_missing('note', {after}, 3) e"
            ))
        };
        assert_eq!(page("null"), "2 4");
        assert_eq!(page(&format!("'{}'", id(4))), "3 7");
        assert_eq!(page(&format!("'{}'", id(7))), "0 -");
        assert_eq!(page("null"), "0 4");
        assert_eq!(
            ask(
                "select q.queued || ' ' || q.leased || ' ' || q.dead || ' ' || q.missing from strata.queue_status() q"
            ),
            "5 0 0 5"
        );
        assert_eq!(list("select g.state from strata.embedded_state() g"), "open");
    }

    #[pg_test]
    fn a_text_of_white_space_is_no_text() {
        sources();
        note(1, " ", "\t\n\u{a0}\u{3000}\u{200b}");
        assert_eq!(jobs(), "null");
        run(&format!("update public.note set title = ' one ' where id = '{}'", id(1)));
        assert_eq!(claim(), "1: one ");
        complete(1, 2, " one ", "[1,0,0]");
        run(&format!("update public.note set title = '  ' where id = '{}'", id(1)));
        assert_eq!(jobs(), "1/queued/f1/a0");
        assert_eq!(claim(), "null");
        assert_eq!(ask("select embedding from public.note"), "null");
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn columns_of_different_collations_are_one_text_and_a_change_of_case_is_a_change() {
        tables();
        run("create collation public.any_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             alter table public.note alter column title type text collate public.any_case,
                 alter column body type text collate \"C\";
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini')");
        note(1, "one", "a");
        claim();
        complete(1, 2, "one\na", "[1,0,0]");
        run("update public.note set title = 'ONE'");
        assert_eq!(claim(), "1:ONE|a");
    }

    #[pg_test]
    fn tenants_take_turns() {
        sources();
        run(&format!(
            "insert into public.note (user_id, title) select '{ANN}', 'n' || g from generate_series(1, 200) g;
             insert into public.note (user_id, title) select '{BOB}', 'b' || g from generate_series(1, 3) g"
        ));
        let of_bob = |max: u32| {
            ask(&format!(
                "select count(*) filter (where c.content like 'b%') || ' of ' || count(*) from strata.claim_jobs('w', {max}) c"
            ))
        };
        assert_eq!(of_bob(2), "1 of 2");
        assert_eq!(of_bob(10), "2 of 10");
        assert_eq!(of_bob(1000), "0 of 191");
    }

    #[pg_test]
    fn of_more_tenants_than_a_claim_has_room_for_none_comes_twice() {
        sources();
        run("insert into public.note (user_id, title)
             select md5(t::text)::uuid, 'n' || n from generate_series(1, 12) t, generate_series(1, 3) n");
        // Before the seventh time at least four tenants have one left of those that nobody has tried, which come first.
        for _ in 0..6 {
            assert_eq!(
                ask("select count(*) || ' of ' || count(distinct n.user_id) from strata.claim_jobs('w', 4) c
                     join public.note n on n.id = c.entity_id"),
                "4 of 4"
            );
            run(
                "update strata.job set state = 'queued', worker = null, lease_until = null, priority = 0 where state = 'leased'",
            );
        }
    }

    #[pg_test]
    fn a_text_that_is_rejected_is_dead_at_once_and_a_job_that_is_returned_has_lost_nothing() {
        sources();
        note(1, "one", "a");
        claim();
        assert_eq!(fail(1, 2, ", kind => 'returned'"), "1 queued, 0 dead");
        assert_eq!(jobs(), "1/queued/f3/a0");
        assert_eq!(claim(), "1:one|a");
        assert_eq!(fail(1, 4, ", kind => 'rejected'"), "0 queued, 1 dead");
        assert_eq!(ask("select error from strata.job"), "provider said no");
        assert_eq!(
            refusal("select strata.fail_jobs('{}', '{}', '{}', 'x', kind => 'odd')"),
            "22023 kind \"odd\" is not known"
        );
    }

    #[pg_test]
    fn a_provider_that_is_busy_is_left_alone_and_costs_no_attempt() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        assert_eq!(ask("select count(*) from strata.claim_jobs('w', 1)"), "1");
        let held = ask("select right(entity_id::text, 1) from strata.job where state = 'leased'");
        assert_eq!(fail(held.parse().expect("a number"), 2, ", interval '40 s', 'busy'"), "1 queued, 0 dead");
        assert_eq!(claim(), "null", "the other job waits as well");
        assert_eq!(ask("select sum(attempts) from strata.job"), "0");
        let fault = "select q.fault from strata.queue_status() q where q.entity_type = 'note'";
        assert!(ask(fault).ends_with(": provider said no"), "{}", ask(fault));
        run("update strata.model_state set paused_until = now(); update strata.job set not_before = now()");
        assert_eq!(claim(), "1:one|a 2:two|b");
        run("update strata.job set fence = 7");
        complete(1, 7, "one\na", "[1,0,0]");
        assert_eq!(ask("select failures || ' ' || coalesce(error, '-') from strata.model_state"), "0 -");
    }

    #[pg_test]
    fn a_provider_that_is_down_kills_nobody() {
        sources();
        note(1, "one", "a");
        let fail_alone = || {
            run(
                "update strata.job set state = 'leased', worker = 'w', lease_until = now(), fence = 1, attempts = greatest(attempts, 7)",
            );
            fail(1, 1, ", kind => 'unavailable'")
        };
        assert_eq!(fail_alone(), "1 queued, 0 dead");
        assert_eq!(ask("select paused_until from strata.model_state"), "null", "one failure is no outage");
        assert_eq!(fail_alone(), "1 queued, 0 dead");
        assert_eq!(ask("select paused_until > clock_timestamp() from strata.model_state"), "true");
        run("update strata.model_state set succeeded_at = clock_timestamp()");
        assert_eq!(fail_alone(), "0 queued, 1 dead", "others were served since it failed first");
    }

    #[pg_test]
    fn limits_are_shared_and_hold_over_any_minute() {
        sources();
        let turn = |tokens: u32| {
            ask(&format!(
                "select round(extract(epoch from strata.take_turn('mini', {tokens}))) from pg_sleep(0)"
            ))
        };
        assert_eq!(turn(1_000_000), "0", "without a limit");
        run("select strata.limit_model('mini', 10, null)");
        // Nine a minute evenly, and one of them at once: 6.7 seconds between two.
        assert_eq!((turn(1), turn(1)), ("0".into(), "1".into()));
        run("select strata.limit_model('mini', null, 1000)");
        assert_eq!((turn(900), turn(1)), ("0".into(), "54".into()));
        note(1, "one", "a");
        assert_eq!(claim(), "null", "nobody claims what may not be sent");
        run("update strata.job set not_before = now() + interval '54 seconds'");
        run("select strata.limit_model('mini', null, null)");
        assert_eq!(claim(), "1:one|a", "nobody waits for a limit that is gone");
        assert_eq!(
            refusal("select strata.limit_model('mini', 0, 5)"),
            "22023 a limit must be at least 1 a minute, not 0"
        );
        assert_eq!(refusal("select strata.limit_model('x', 1, 1)"), "42704 model \"x\" does not exist");
        assert_eq!(refusal("select strata.take_turn('x', 1)"), "42704 model \"x\" does not exist");
    }

    #[pg_test]
    fn the_lease_of_a_session_that_is_gone_is_over() {
        sources();
        note(1, "one", "a");
        assert_eq!(ask("select count(*) from strata.claim_jobs('w', 100, '1 hour', true)"), "1");
        assert_eq!(claim(), "null");
        set_state("session_start = session_start - interval '1 second'");
        assert_eq!(claim(), "1:one|a", "another session has its process id now");
        set_state("session_pid = 2147483647, session_start = now()");
        assert_eq!(claim(), "1:one|a");
    }

    #[pg_test]
    fn the_gate_lets_what_was_just_written_be_on_its_way_and_nothing_else() {
        sources();
        let state = || ask("select g.state from strata.embedded_state() g");
        assert_eq!(state(), "met");
        note(1, "one", "a");
        assert_eq!(state(), "met", "written a moment ago");
        set_state("created_at = now() - interval '2 minutes'");
        assert_eq!(state(), "open", "waiting for long");
        set_state("created_at = now(), priority = 0");
        assert_eq!(state(), "open", "found by a walk");
        set_state("priority = 10, state = 'dead'");
        assert_eq!(state(), "open", "dead");
        run("delete from strata.job");
        assert_eq!(state(), "open", "without a job");
        run("update public.note set embedding = '[1,0,0]'");
        assert_eq!(state(), "met");
    }

    #[pg_test]
    fn bad_arguments_are_named() {
        sources();
        assert_eq!(refusal("select strata.claim_jobs('')"), "22023 a worker must have a name");
        assert_eq!(
            refusal("select strata.claim_jobs('w', 0)"),
            "22023 max must be between 1 and 10000 jobs, not 0"
        );
        assert_eq!(
            refusal("select strata.claim_jobs('w', null)"),
            "22023 max must be between 1 and 10000 jobs, not null"
        );
        assert_eq!(
            refusal("select strata.claim_jobs('w', 1, '-1 s')"),
            "22023 lease must be longer than zero, not -00:00:01"
        );
        assert_eq!(
            refusal("select strata.enqueue_missing('note', null, 0)"),
            "22023 max must be at least 1 row, not 0"
        );
        assert_eq!(refusal("select strata.enqueue_missing('x')"), "42704 source \"x\" does not exist");
        assert_eq!(refusal("select strata.retry_dead('x')"), "42704 source \"x\" does not exist");
        assert_eq!(refusal("select strata.source_text('x', null)"), "42704 source \"x\" does not exist");
        assert_eq!(
            refusal("select strata.fail_jobs(array['note'], null, null, 'x')"),
            "22023 the arrays must have one length, not 1, <NULL> and <NULL>"
        );
        assert_eq!(
            refusal("select strata.fail_jobs(array['note'], array[null]::uuid[], array[1], null)"),
            "22004 error must not be null"
        );
    }
}
