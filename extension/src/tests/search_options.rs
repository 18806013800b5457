//! What narrows and reorders a search, searches that begin at a row, and what a search says about itself.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Ann's notes at 0, 10, 20 ... 80 degrees from [1,0,0] with keys 1 to 9, and her tasks at 5, 15 ... 85 with 11 to 19.
    fn fan() {
        sources();
        let at = |offset: u32| {
            format!("format('[%s,%s,0]', cosd(g * 10 - {offset}), sind(g * 10 - {offset}))::vector")
        };
        let key = "('00000000-0000-0000-0000-0000000000' || lpad((g + {})::text, 2, '0'))::uuid";
        run(&format!(
            "insert into public.note (id, user_id, title, body, mood, embedding)
             select {}, '{ANN}', 'note', 'text', case when g % 2 = 0 then 'calm' end, {} from generate_series(1, 9) g;
             insert into public.task (id, user_id, name, status, weight, v)
             select {}, '{ANN}', 'task', 'todo', 1.10, {} from generate_series(1, 9) g",
            key.replace("{}", "0"),
            at(10),
            key.replace("{}", "10"),
            at(5)
        ));
    }

    fn numbers(call: &str) -> String {
        list(&format!("select right(h.entity_id::text, 2)::int from strata.{call} h"))
    }

    fn search(options: &str) -> String {
        numbers(&format!("rag_search('[1,0,0]', '{ANN}', {options})"))
    }

    fn refused(options: &str) -> String {
        refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}', {options})"))
    }

    #[pg_test]
    fn entity_types_are_searched_and_no_others() {
        fan();
        assert_eq!(search("4"), "1 11 2 12");
        assert_eq!(search("4, entity_types => '{task}'"), "11 12 13 14");
        assert_eq!(search("4, entity_types => '{task,note,task}'"), "1 11 2 12");
        assert_eq!(search("4, entity_types => null"), "1 11 2 12");
        assert_eq!(refused("4, entity_types => '{}'"), "22023 entity_types must not be empty");
        assert_eq!(refused("4, entity_types => '{task,null}'"), "22004 entity_types must not contain null");
        assert_eq!(
            refused("4, entity_types => '{task,goal}'"),
            "42704 entity_types: entity type \"goal\" is not a source"
        );
        run("drop table public.note");
        assert_eq!(search("4, entity_types => '{task}'"), "11 12 13 14");
        assert!(refused("4").starts_with("42P01"));
    }

    #[pg_test]
    fn a_minimum_leaves_out_what_is_less_similar() {
        fan();
        assert_eq!(search("100, minimum_similarity => cosd(12)"), "1 11 2");
        assert_eq!(search("2, minimum_similarity => cosd(12)"), "1 11");
        assert_eq!(search("100, minimum_similarity => 1"), "1");
        run(&format!(
            "insert into public.note (user_id, title, embedding) values ('{ANN}', 'zero', '[0,0,0]')"
        ));
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{ANN}', 100)")), "19");
        assert_eq!(
            ask(&format!(
                "select count(*) from strata.rag_search('[1,0,0]', '{ANN}', 100, minimum_similarity => -1)"
            )),
            "18"
        );
        for (given, shown) in [("1.01", "1.01"), ("'nan'", "NaN"), ("'-infinity'", "-inf")] {
            assert_eq!(
                refused(&format!("4, minimum_similarity => {given}")),
                format!("22023 minimum_similarity must be between -1 and 1, not {shown}")
            );
        }
    }

    #[pg_test]
    fn metadata_must_contain_what_is_asked_for() {
        fan();
        assert_eq!(search("100, metadata_filter => '{\"mood\": \"calm\"}'"), "2 4 6 8");
        assert_eq!(search("2, metadata_filter => '{\"mood\": \"calm\"}'"), "2 4");
        assert_eq!(search("2, metadata_filter => '{\"status\": \"todo\", \"weight\": 1.1}'"), "11 12");
        assert_eq!(search("100, metadata_filter => '{\"mood\": \"calm\", \"status\": \"todo\"}'"), "null");
        assert_eq!(search("3, metadata_filter => '{}'"), "1 11 2");
        for wrong in ["[]", "\"calm\"", "null", "[{\"mood\": \"calm\"}]"] {
            assert_eq!(
                refused(&format!("4, metadata_filter => '{wrong}'")),
                "22023 metadata_filter must be an object",
                "{wrong}"
            );
        }
    }

    #[pg_test]
    fn a_heavier_source_comes_first_and_similarity_stays_what_it_is() {
        fan();
        assert_eq!(search("4, source_weights => '{\"task\": 2}'"), "11 12 13 14");
        assert_eq!(search("4, source_weights => '{\"task\": 1.005}'"), "11 1 2 12");
        assert_eq!(search("4, source_weights => '{}'"), "1 11 2 12");
        assert_eq!(
            ask(&format!("select round(max(h.similarity)::numeric, 6) = round(cosd(5)::numeric, 6)
                          from strata.rag_search('[1,0,0]', '{ANN}', 4, source_weights => '{{\"task\": 2}}') h")),
            "true"
        );
        for (weights, message) in [
            ("[]", "22023 source_weights must be an object"),
            ("{\"goal\": 1}", "42704 source_weights: entity type \"goal\" is not a source"),
            ("{\"task\": -1}", "22023 the weight of \"task\" must be a number above 0, not -1"),
            ("{\"task\": null}", "22023 the weight of \"task\" must be a number above 0, not null"),
        ] {
            assert_eq!(refused(&format!("4, source_weights => '{weights}'")), message);
        }
    }

    #[pg_test]
    fn a_diverse_answer_is_as_long_and_less_alike() {
        fan();
        assert_eq!(search("3, diversity => 0"), "1 11 2");
        let diverse = search("3, diversity => 0.7");
        assert!(diverse.starts_with("1 ") && diverse != "1 11 2", "{diverse}");
        for diversity in ["0.1", "0.5", "1"] {
            assert_eq!(
                ask(&format!(
                    "select count(*) || '/' || count(distinct h.entity_id) from strata.rag_search('[1,0,0]', '{ANN}', 100, diversity => {diversity}) h"
                )),
                "18/18"
            );
        }
        assert_eq!(
            ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{BOB}', 3, diversity => 0.5)")),
            "0"
        );
        assert_eq!(
            search("100, diversity => 0.3, minimum_similarity => cosd(12), entity_types => '{note}'"),
            "1 2"
        );
        assert_eq!(refused("4, diversity => 1.5"), "22023 diversity must be between 0 and 1, not 1.5");
    }

    #[pg_test]
    fn similar_content_begins_at_a_row_and_leaves_it_out() {
        fan();
        let similar = |arguments: &str| numbers(&format!("find_similar_content({arguments})"));
        let note = |number| format!("'note', '{}'", id(number));
        assert_eq!(similar(&format!("{}, 0.98, 5", note(1))), "11 2");
        assert_eq!(similar(&format!("{}, 0, 3", note(1))), "11 2 12");
        assert_eq!(
            similar(&format!(
                "max_results => 2, input_entity_id => '{}', input_entity_type => 'task'",
                id(12)
            )),
            "2 3"
        );
        assert_eq!(similar(&note(1)), "11 2 12 3 13 4 14 5 15", "0.7 is the default");
        // The same key in another source is another row.
        run(&format!(
            "insert into public.task (id, user_id, name, v) values ('{}', '{ANN}', 'x', '[1,0,0]')",
            id(1)
        ));
        assert_eq!(similar(&format!("{}, 0.999", note(1))), "1");
    }

    #[pg_test]
    fn similar_content_is_refused_by_name() {
        fan();
        run(&format!(
            "insert into public.note (id, user_id, title, embedding) values ('{}', '{ANN}', 'a', null), ('{}', '{ANN}', 'b', '[0,0,0]')",
            id(50),
            id(51)
        ));
        let refused =
            |arguments: &str| refusal(&format!("select * from strata.find_similar_content({arguments})"));
        let at = |number| format!("'note', '{}'", id(number));
        assert_eq!(refused(&at(49)), format!("42704 note {} does not exist", id(49)));
        assert_eq!(refused(&at(50)), format!("55000 note {} has no embedding", id(50)));
        assert_eq!(refused(&at(51)), format!("22000 the embedding of note {} has no direction", id(51)));
        assert_eq!(refused("null, gen_random_uuid()"), "22004 input_entity_type must not be null");
        assert_eq!(refused("'note', null"), "22004 input_entity_id must not be null");
        assert_eq!(
            refused(&format!("'goal', '{}'", id(1))),
            "42704 input_entity_type: entity type \"goal\" is not a source"
        );
        assert_eq!(
            refused(&format!("{}, 2", at(1))),
            "22023 similarity_threshold must be between -1 and 1, not 2"
        );
        assert_eq!(
            refused(&format!("{}, 0.5, 0", at(1))),
            "22023 max_results must be between 1 and 1000, not 0"
        );
    }

    #[pg_test]
    fn similar_content_stays_within_its_model() {
        fan();
        run(
            "select strata.add_model('other', 'local', 3); update strata.source set model = 'other' where entity_type = 'task'",
        );
        assert_eq!(numbers(&format!("find_similar_content('note', '{}', 0, 3)", id(1))), "2 3 4");
        assert_eq!(search("3, entity_types => '{task}'"), "11 12 13");
        assert_eq!(refused("3"), "55000 sources use two models, \"mini\" and \"other\"");
    }

    #[pg_test]
    fn similar_content_is_that_of_the_caller() {
        fan();
        run(&format!(
            "insert into public.note (id, user_id, title, embedding) values ('{}', '{BOB}', 'shared', '[1,0,0]'), ('{}', '{BOB}', 'his', '[1,0,0]');
             alter table public.note enable row level security; alter table public.task enable row level security;
             create role reader; grant usage on schema strata to reader;
             grant select on public.note, public.task, strata.source, strata.model to reader;
             grant execute on function strata.find_similar_content, strata.search_explain to reader;
             create policy own on public.note using (user_id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub' or title = 'shared');
             create policy own on public.task using (user_id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub');
             set local request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'; set local role reader",
            id(60),
            id(61)
        ));
        let from = |number| format!("find_similar_content('note', '{}', 0.99, 5)", id(number));
        assert_eq!(numbers(&from(60)), "1 11");
        assert_eq!(
            refusal(&format!("select * from strata.{}", from(61))),
            format!("42704 note {} does not exist", id(61))
        );
        assert_eq!(
            list(
                "select e.entity_type || ' ' || e.rows_scanned from strata.search_explain('[1,0,0]', null) e"
            ),
            "note 9 task 9"
        );
    }

    #[pg_test]
    fn a_search_explains_itself() {
        fan();
        run("create index note_user on public.note (user_id, created_at)");
        let told = |arguments: &str| {
            list(&format!(
                "select format('%s: %s (%s), %s of %s%s;', e.entity_type, e.way, e.reason, e.rows_found, e.rows_scanned,
                               case when e.milliseconds > 0 then ' timed' end)
                 from strata.search_explain('[1,0,0]', '{ANN}', 4{arguments}) e"
            ))
        };
        let note =
            "note: exact (every row of the tenant is compared; index note_user leads to them), 4 of 9 timed;";
        assert_eq!(
            told(""),
            format!(
                "{note} task: exact (every row of the tenant is compared; no index begins with user_id, so all of public.task is read: create one), 4 of 9 timed;"
            )
        );
        assert_eq!(
            told(", entity_types => '{note}'"),
            format!("{note} task: left out (it is not in entity_types),  of ;")
        );
        assert_eq!(
            refusal(&format!("select * from strata.search_explain('[1,0]', '{ANN}')")),
            "22000 expected 3 dimensions, not 2"
        );
    }
}
