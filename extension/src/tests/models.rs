//! Changing the model of sources while they are searched: what is queued, what is found, what is refused.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Two notes and a task, embedded with `mini`, and the model `maxi`.
    fn library() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        run(&format!("insert into public.task (id, user_id, name) values ('{}', '{ANN}', 'three')", id(3)));
        embed("mini", "[1,0,0]");
        run("select strata.add_model('maxi', 'local', 4)");
    }

    /// Claims what there is of a model and gives all of it this vector; how many were stored.
    fn embed(model: &str, vector: &str) -> String {
        ask(&format!(
            "select coalesce(c.stored::text || case c.stale when 0 then '' else ' ' || c.stale || ' stale' end, '') from (
                 select array_agg(j.entity_type) as t, array_agg(j.entity_id) as i, array_agg(j.fence) as f,
                        array_agg(j.content_hash) as h, array_agg('{vector}'::vector) as v
                 from strata.claim_jobs('w', models => array['{model}']) j) x,
             strata.complete_jobs(coalesce(x.t, '{{}}'), coalesce(x.i, '{{}}'), coalesce(x.f, '{{}}'), coalesce(x.h, '{{}}'),
                                  coalesce(x.v, '{{}}'), '{model}') c"
        ))
    }

    /// Walks to the end.
    fn walk() {
        while ask("select done from strata.continue_model_change('maxi', 2)") != "true" {}
    }

    fn start() {
        assert_eq!(ask("select strata.start_model_change('mini', 'maxi')"), "2");
    }

    /// Started, walked and embedded.
    fn filled() {
        library();
        start();
        walk();
        assert_eq!(embed("maxi", "[0,1,0,0]"), "3");
    }

    /// Last digits of what Ann finds.
    fn found(vector: &str) -> String {
        list(&format!("select right(h.entity_id::text, 1) from strata.rag_search('{vector}', '{ANN}') h"))
    }

    /// Of each job: model, last digit of the row, priority.
    fn queue() -> String {
        list(
            "select j.model || right(j.entity_id::text, 1) || '/' || j.priority from strata.job j
              order by j.model desc, j.entity_id",
        )
    }

    #[pg_test]
    fn a_change_fills_beside_what_is_searched_and_turns_both_ways() {
        library();
        start();
        assert_eq!((queue().as_str(), found("[1,0,0]").as_str()), ("null", "1 2 3"));
        assert_eq!(
            refusal("select strata.switch_model('maxi')"),
            "55000 the rows of source \"note\" are not all queued for model \"maxi\" yet"
        );
        walk();
        assert_eq!(queue(), "maxi1/0 maxi2/0 maxi3/0");
        assert_eq!(
            refusal("select strata.switch_model('maxi')"),
            "55000 3 rows have no vector of model \"maxi\" yet"
        );
        assert_eq!(embed("maxi", "[0,1,0,0]"), "3");
        assert_eq!(found("[1,0,0]"), "1 2 3", "still the old one");
        assert_eq!(ask("select sources || ' ' || missing from strata.switch_model('maxi')"), "2 0");
        assert_eq!(found("[0,1,0,0]"), "1 2 3");
        assert_eq!(list("select model || ' ' || dimensions from strata.search_model()"), "maxi 4");
        assert_eq!(list("select model from strata.search_model('{note}')"), "maxi");
        assert_eq!(
            refusal("select strata.search_model('{note,none}')"),
            "42704 entity_types: entity type \"none\" is not a source"
        );
        assert_eq!(refusal("select strata.search_model('{}')"), "22023 entity_types must not be empty");
        assert_eq!(
            refusal("select strata.search_model('{note,null}')"),
            "22004 entity_types must not contain null"
        );
        assert_eq!(ask("select sources || ' ' || missing from strata.revert_model('maxi')"), "2 0");
        assert_eq!(found("[1,0,0]"), "1 2 3");
        run("select strata.switch_model('maxi')");
        assert_eq!(ask("select strata.end_model_change('maxi')"), "maxi");
        assert_eq!(found("[0,1,0,0]"), "1 2 3");
        assert_eq!(ask("select count(*) from strata.source_beside"), "0", "nothing is beside any more");
    }

    #[pg_test]
    fn a_vector_of_the_other_model_is_refused_whatever_its_dimension() {
        filled();
        let search = |rest: &str| refusal(&format!("select from strata.rag_search({rest})"));
        assert_eq!(search(&format!("'[0,1,0,0]', '{ANN}'")), "22000 expected 3 dimensions, not 4");
        run("select strata.switch_model('maxi')");
        assert_eq!(search(&format!("'[1,0,0]', '{ANN}'")), "22000 expected 4 dimensions, not 3");
        let other = "22000 expected an embedding of model \"maxi\", not of \"mini\"";
        assert_eq!(search(&format!("'[0,1,0,0]', '{ANN}', embedding_model => 'mini'")), other);
        assert_eq!(found("[0,1,0,0]"), "1 2 3", "remembered");
        assert_eq!(search(&format!("'[0,1,0,0]', '{ANN}', embedding_model => 'mini'")), other);
        let right = format!(
            "select count(*) from strata.rag_search('[0,1,0,0]', '{ANN}', embedding_model => 'maxi')"
        );
        assert_eq!(ask(&right), "3");
    }

    #[pg_test]
    fn what_is_written_during_a_change_is_embedded_with_both_models() {
        filled();
        note(4, "four", "d");
        run(&format!("update public.note set body = 'changed' where id = '{}'", id(1)));
        run(&format!("update public.note set mood = 'calm' where id = '{}'", id(2)));
        run(&format!("delete from public.task where id = '{}'", id(3)));
        assert_eq!(queue(), "mini1/10 mini4/10 maxi1/10 maxi4/10");
        assert_eq!(ask("select count(*) from strata_vectors.maxi"), "2", "the task took its vector with it");
        assert_eq!((embed("mini", "[1,0,0]"), embed("maxi", "[0,1,0,0]")), ("2".into(), "2".into()));
        run("select strata.switch_model('maxi')");
        assert_eq!(found("[0,1,0,0]"), "1 2 4");
        run(&format!("update public.note set title = '', body = '' where id = '{}'", id(2)));
        note(5, "five", "e");
        assert_eq!(queue(), "mini2/10 mini5/10 maxi2/10 maxi5/10");
        assert_eq!(embed("maxi", "[0,1,0,0]"), "1");
        assert_eq!(
            refusal("select strata.revert_model('maxi')"),
            "55000 1 rows have no vector of model \"mini\" yet",
            "the note that was just written"
        );
        assert_eq!(embed("mini", "[1,0,0]"), "1");
        assert_eq!(found("[0,1,0,0]"), "1 4 5");
        run("select strata.revert_model('maxi')");
        assert_eq!(found("[1,0,0]"), "1 4 5");
    }

    #[pg_test]
    fn both_jobs_of_a_row_may_fail_and_end_apart() {
        library();
        start();
        run(&format!("update public.note set body = 'changed' where id = '{}'", id(1)));
        run("create temp table held as select * from strata.claim_jobs('w')");
        assert_eq!(list("select h.model || h.fence from held h order by 1"), "maxi2 mini2");
        let fail = |model: &str| {
            ask(&format!(
                "select f.queued || ' ' || f.dead from held h, strata.fail_jobs(array[h.entity_type], array[h.entity_id],
                     array[h.fence], 'no', kind => 'rejected', model => h.model) f where h.model = '{model}'"
            ))
        };
        assert_eq!(fail("maxi"), "0 1");
        assert_eq!(
            list("select j.model || ' ' || j.state from strata.job j order by 1"),
            "maxi dead mini leased"
        );
        assert_eq!(
            ask("select c.stored from held h, strata.complete_jobs(array[h.entity_type], array[h.entity_id], array[h.fence],
                     array[h.content_hash], array['[1,0,0]']::vector[], h.model) c where h.model = 'mini'"),
            "1"
        );
        walk();
        embed("maxi", "[0,1,0,0]");
        let refused = refusal("select strata.switch_model('maxi')");
        assert_eq!(refused, "55000 1 rows have no vector of model \"maxi\" yet");
        assert_eq!(ask("select missing from strata.switch_model('maxi', 1)"), "1", "allowed for");
        assert_eq!(found("[0,1,0,0]"), "2 3");
    }

    #[pg_test]
    fn new_vectors_may_go_into_a_column_of_their_own() {
        library();
        run("alter table public.note add w vector(4)");
        let start = |columns: &str| format!("select strata.start_model_change('mini', 'maxi', '{columns}')");
        assert_eq!(
            refusal(&start("{\"note\": \"v\"}")),
            "42703 column \"v\" of relation public.note does not exist"
        );
        assert_eq!(refusal(&start("{\"note\": \"embedding\"}")), "22000 expected 4 dimensions, not 3");
        assert_eq!(
            refusal(&start("{\"nope\": \"w\"}")),
            "42704 vector_columns: \"nope\" is not a source of model \"mini\""
        );
        run(&start("{\"note\": \"w\"}"));
        walk();
        embed("maxi", "[0,1,0,0]");
        assert_eq!(ask("select count(*) from public.note where w is not null"), "2");
        assert_eq!(ask("select count(*) from strata_vectors.maxi"), "1");
        run("select strata.switch_model('maxi')");
        assert_eq!(found("[0,1,0,0]"), "1 2 3");
        assert_eq!(
            list(
                "select s.entity_type || ' ' || coalesce(s.vector_column, s.store) from strata.source s order by 1"
            ),
            "note w task maxi"
        );
        assert_eq!(list("select coalesce(s.fault, 'well') from strata.sources() s"), "well well");
        run("select strata.end_model_change('maxi')");
        note(6, "six", "f");
        assert_eq!(queue(), "maxi6/10");
        embed("maxi", "[0,1,0,0]");
        assert_eq!(queue(), "null");
        assert_eq!(
            ask("select w is not null and embedding is null from public.note where title = 'six'"),
            "true"
        );
    }

    #[pg_test]
    fn a_change_may_be_given_up() {
        library();
        start();
        walk();
        assert_eq!(ask("select strata.end_model_change('maxi')"), "mini");
        assert_eq!((queue().as_str(), found("[1,0,0]").as_str()), ("null", "1 2 3"));
        assert_eq!(ask("select to_regclass('strata_vectors.maxi')"), "null");
        note(4, "four", "d");
        assert_eq!(queue(), "mini4/10");
        run("select strata.drop_model('maxi')");
        assert_eq!(
            list("select t.tgname from pg_trigger t where t.tgfoid = 'strata.follow'::regproc"),
            "null"
        );
    }

    #[pg_test]
    fn a_source_that_is_dropped_leaves_its_change() {
        filled();
        run("select strata.drop_source('note')");
        assert_eq!(list("select v.entity_type from strata_vectors.maxi v"), "task");
        assert_eq!(ask("select sources from strata.switch_model('maxi')"), "1");
        run("select strata.drop_source('task')");
        assert_eq!(ask("select to_regclass('strata_vectors.maxi')"), "null");
    }

    #[pg_test]
    fn a_budget_stops_what_would_go_beyond_it() {
        library();
        run("select strata.start_model_change('mini', 'maxi', budget_tokens => 10)");
        walk();
        let change = || {
            ask(
                "select c.spent_tokens || '/' || c.budget_tokens || ' ' || c.stopped from strata.model_changes() c",
            )
        };
        assert_eq!(ask("select strata.take_turn('maxi', 8)"), "00:00:00");
        assert_eq!(change(), "8/10 false");
        assert_eq!(ask("select strata.take_turn('maxi', 3)"), "00:01:00");
        assert_eq!(change(), "8/10 true");
        note(4, "four", "d");
        assert_eq!(embed("maxi", "[0,1,0,0]"), "0", "nothing of it is claimed");
        assert_eq!(embed("mini", "[1,0,0]"), "1", "what is searched goes on");
        assert_eq!(ask("select strata.take_turn('mini', 1000)"), "00:00:00");
        run("select strata.limit_model_change('maxi', 20)");
        assert_eq!(embed("maxi", "[0,1,0,0]"), "4");
        run("select strata.switch_model('maxi')");
        assert_eq!(ask("select strata.take_turn('maxi', 1000)"), "00:00:00", "it is for the change alone");
        assert_eq!(change(), "8/20 false");
    }

    #[pg_test]
    fn an_estimate_says_what_it_would_take() {
        library();
        note(4, "", "");
        assert_eq!(
            list("select e.entity_type || ' ' || e.rows || ' ' || e.tokens || ' ' || e.price || ' ' || e.sampled
                  from strata.estimate_model_change('mini', 'maxi', 500000) e"),
            "note 2 4 2.0000 false task 1 2 1.0000 false"
        );
        assert_eq!(
            list("select coalesce(e.price::text, '-') from strata.estimate_model_change('mini', 'maxi') e"),
            "- -"
        );
        assert_eq!(
            refusal("select strata.estimate_model_change('mini', 'maxi', -1)"),
            "22023 price_per_million must not be negative, not -1"
        );
    }

    #[pg_test]
    fn progress_is_told_for_each_tenant() {
        library();
        start();
        run(&format!(
            "insert into public.note (id, user_id, title) values ('{}', '{BOB}', 'his'); select strata.continue_model_change('maxi')",
            id(5)
        ));
        embed("maxi", "[0,1,0,0]");
        let progress =
            "select p.entity_type || ' ' || left(p.tenant::text, 1) || ' ' || p.embedded || '/' || p.rows
                        from strata.model_change_progress('maxi') p";
        let one = list(progress);
        assert!(
            ["note a 2/2 note b 1/1 task a 0/1", "note a 0/2 note b 1/1 task a 1/1"].contains(&one.as_str()),
            "{one}"
        );
        walk();
        embed("maxi", "[0,1,0,0]");
        assert_eq!(list(progress), "note a 2/2 note b 1/1 task a 1/1");
        assert_eq!(
            list(
                "select c.state || ' ' || c.sources || ' ' || c.walked || ' ' || c.queued from strata.model_changes() c"
            ),
            "filling 2 2 0"
        );
    }

    #[pg_test]
    fn whoever_found_rows_before_the_switch_finds_them_after_it() {
        library();
        run("create role reader_of_ours; grant usage on schema strata to reader_of_ours;
             grant select on strata.source, strata.model to reader_of_ours;
             grant execute on function strata.rag_search to reader_of_ours;
             grant select on public.note, public.task to reader_of_ours");
        start();
        walk();
        embed("maxi", "[0,1,0,0]");
        run("select strata.switch_model('maxi'); set local role reader_of_ours");
        assert_eq!(found("[0,1,0,0]"), "1 2 3");
        run("reset role");
        assert_eq!(
            ask("select has_table_privilege('reader_of_ours', 'strata_vectors.maxi', 'insert')"),
            "false"
        );
    }

    #[pg_test]
    fn what_cannot_be_changed_is_refused() {
        library();
        let start = |rest: &str| refusal(&format!("select strata.start_model_change({rest})"));
        assert_eq!(start("null, 'maxi'"), "22004 a change needs two models");
        assert_eq!(start("'mini', 'nope'"), "42704 model \"nope\" does not exist");
        assert_eq!(start("'maxi', 'mini'"), "42704 no source uses model \"maxi\"");
        assert_eq!(start("'mini', 'mini'"), "22023 model \"mini\" cannot be changed for itself");
        assert_eq!(
            start("'mini', 'maxi', budget_tokens => 0"),
            "22023 budget_tokens must be at least 1, not 0"
        );
        assert_eq!(start("'mini', 'maxi', '[]'"), "22023 vector_columns must be an object");
        assert_eq!(start("'mini', 'maxi', store => 'bit'"), "22023 store \"bit\" is not known");
        for call in [
            "switch_model('maxi')",
            "revert_model('maxi')",
            "end_model_change('maxi')",
            "continue_model_change('maxi')",
            "limit_model_change('maxi', 1)",
            "model_change_progress('maxi')",
        ] {
            assert_eq!(
                refusal(&format!("select strata.{call}")),
                "42704 no model is being changed for \"maxi\"",
                "{call}"
            );
        }
        assert_eq!(refusal("select strata.switch_model(null)"), "22004 to_model must not be null");
        run("select strata.start_model_change('mini', 'maxi'); select strata.add_model('third', 'local', 5)");
        assert_eq!(start("'mini', 'third'"), "55000 model \"mini\" is being changed for \"maxi\" already");
        assert_eq!(
            refusal("select strata.limit_model_change('maxi', 0)"),
            "22023 budget_tokens must be at least 1, not 0"
        );
        assert_eq!(
            refusal("select strata.revert_model('maxi')"),
            "55000 the sources are still searched under model \"mini\""
        );
        assert_eq!(refusal("select strata.drop_model('maxi')"), "2BP01 model \"maxi\" is part of a change");
        assert_eq!(
            refusal(
                "select strata.add_source('more', 'public.note', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')"
            ),
            "55000 model \"mini\" is being changed"
        );
        assert_eq!(
            refusal("select strata.enqueue_missing('note', model => 'third')"),
            "42704 source \"note\" does not exist, or has no model \"third\""
        );
        walk();
        embed("maxi", "[0,1,0,0]");
        run("select strata.switch_model('maxi')");
        assert_eq!(
            refusal("select strata.switch_model('maxi')"),
            "55000 the sources are searched under model \"maxi\" already"
        );
    }

    #[pg_test]
    fn a_source_whose_table_is_gone_does_not_stop_the_walk_of_the_others() {
        library();
        start();
        run("drop table public.note");
        for _ in 0..20 {
            run("select strata.continue_model_change('maxi')");
        }
        assert_eq!(queue(), "maxi3/0");
        run("select strata.drop_source('note')");
        walk();
        embed("maxi", "[0,1,0,0]");
        run("select strata.switch_model('maxi')");
        assert_eq!(found("[0,1,0,0]"), "3");
    }

    #[pg_test]
    fn a_schedule_has_the_rows_queued_that_a_change_has_yet_to_walk() {
        library();
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "false");
        start();
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "true");
        assert_eq!(ask("select strata.has_ripe_jobs(array['openai'])"), "false", "its model runs elsewhere");
        walk();
        embed("maxi", "[0,1,0,0]");
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "false");
    }
}
