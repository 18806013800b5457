//! `rag_search` and its plan: one for all tenants and calls, by the index of the tenant, and no setting left behind.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Nearly all notes are Ann's, so that a planner who knows that would read the whole table for her.
    fn lopsided() {
        sources();
        run(&format!(
            "insert into public.note (user_id, title, embedding)
             select (case when g % 100 = 0 then '{BOB}' else '{ANN}' end)::uuid, 'n', format('[1,%s,%s]', sin(g), cos(g))::vector
             from generate_series(1, 3000) g;
             create index note_user on public.note (user_id); create index task_user on public.task (user_id);
             analyze public.note; analyze public.task"
        ));
    }

    fn scans() -> String {
        ask(
            "select pg_stat_get_xact_numscans('public.note'::regclass) || ' ' || pg_stat_get_xact_numscans('public.note_user'::regclass)",
        )
    }

    fn settings() -> String {
        ask(
            "select string_agg(current_setting(s), ' ') from unnest(array['plan_cache_mode', 'enable_seqscan', 'jit']) s",
        )
    }

    #[pg_test]
    fn every_call_goes_by_the_index_of_the_tenant_and_reads_no_whole_table() {
        lopsided();
        let before = scans();
        let (whole, by_index) = before.split_once(' ').expect("two numbers");
        for call in 1..=8 {
            for (tenant, rows) in [(ANN, "40"), (BOB, "30")] {
                assert_eq!(
                    ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{tenant}', 40)")),
                    rows,
                    "call {call}"
                );
            }
        }
        let by_index: u32 = by_index.parse().expect("a number");
        assert_eq!(scans(), format!("{whole} {}", by_index + 16));
    }

    #[pg_test]
    fn a_table_without_such_an_index_is_read_whole() {
        lopsided();
        run("drop index public.note_user");
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{BOB}', 40)")), "30");
    }

    #[pg_test]
    fn no_setting_is_left_behind_by_an_answer_or_by_an_error() {
        lopsided();
        let before = settings();
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{BOB}', 4)")), "4");
        assert_eq!(settings(), before);
        // A policy that fails: the statement itself raises.
        run("create function public.broken(uuid) returns boolean language plpgsql as 'begin raise exception using message = ''broken''; end';
             create policy broken on public.note using (public.broken(id)); alter table public.note enable row level security;
             create role reader; grant usage on schema strata to reader;
             grant select on public.note, public.task, strata.source, strata.model to reader;
             grant execute on function strata.rag_search to reader");
        run(&format!("set local request.jwt.claims = '{{\"sub\": \"{BOB}\"}}'; set local role reader"));
        assert_eq!(refusal("select * from strata.rag_search('[1,0,0]', null)"), "P0001 broken");
        assert_eq!(settings(), before);
    }

    #[pg_test]
    fn what_a_policy_calls_sees_the_settings_of_the_session() {
        lopsided();
        run("create function public.looks(uuid) returns boolean language plpgsql as $$
             begin
                 perform set_config('test.seen', (select string_agg(current_setting(s), ' ')
                     from unnest(array['plan_cache_mode', 'enable_seqscan', 'jit', 'search_path']) s), true);
                 return true;
             end $$;
             create policy looks on public.note using (public.looks(id)); alter table public.note enable row level security;
             create role reader; grant usage on schema strata to reader;
             grant select on public.note, public.task, strata.source, strata.model to reader;
             grant execute on function strata.rag_search to reader");
        run(&format!("set local request.jwt.claims = '{{\"sub\": \"{BOB}\"}}'; set local role reader"));
        run("set local search_path = public, pg_temp; set local jit = on");
        let custom = ("force_custom_plan", "auto");
        for (mode, seen) in [("auto", "auto"), ("force_generic_plan", "force_generic_plan"), custom] {
            run(&format!("set local plan_cache_mode = {mode}"));
            for seqscan in ["on", "off"] {
                run(&format!("set local enable_seqscan = {seqscan}; set local test.seen = 'nothing'"));
                assert_eq!(ask("select count(*) from strata.rag_search('[1,0,0]', null, 40)"), "30");
                let wanted = format!("{seen} {seqscan} on public, pg_temp");
                assert_eq!(ask("select current_setting('test.seen')"), wanted, "{mode}");
            }
        }
    }

    #[pg_test]
    fn the_plan_is_made_in_shape_whatever_the_session_asks_for() {
        lopsided();
        for mode in ["force_custom_plan", "auto", "force_generic_plan"] {
            run(&format!("set local plan_cache_mode = {mode}"));
            let before = scans();
            let (whole, by_index) = before.split_once(' ').expect("two numbers");
            for _ in 1..=8 {
                run(&format!("select count(*) from strata.rag_search('[1,0,0]', '{ANN}', 40)"));
            }
            let by_index: u32 = by_index.parse().expect("a number");
            assert_eq!(scans(), format!("{whole} {}", by_index + 8), "{mode}");
        }
    }
}
