//! Search by words beside search by embedding: both find, neither loses, and no tenant's answer tells of another's rows.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Ann's notes 1 to 6 at 0, 10 ... 50 degrees from [1,0,0], her task 7 at 60, each with a text.
    fn diary() {
        sources();
        for (number, title, body) in [
            (1, "Garden", "The roses need water."),
            (2, "Kitchen", "A new oven, and the old one to the dump."),
            (3, "Rent", "Paid on Monday."),
            (4, "Walk", "Along the river, no rent to think of."),
            (5, "Letters", "To the landlord: about the heating."),
            (6, "Bike", "The chain is rusty, the landlord has oil."),
        ] {
            let angle = 10 * (number - 1);
            run(&format!(
                "insert into public.note (id, user_id, title, body, embedding)
                 values ('{}', '{ANN}', '{title}', '{body}', format('[%s,%s,0]', cosd({angle}), sind({angle}))::vector)",
                id(number)
            ));
        }
        run(&format!(
            "insert into public.task (id, user_id, name, description, v) values ('{}', '{ANN}', 'Call the landlord', 'about the rent', format('[%s,%s,0]', cosd(60), sind(60))::vector)",
            id(7)
        ));
    }

    fn worded() {
        diary();
        run(
            "select strata.set_text_search('note', 'english'); select strata.set_text_search('task', 'english')",
        );
    }

    fn search(options: &str) -> String {
        list(&format!(
            "select right(h.entity_id::text, 2)::int from strata.rag_search('[1,0,0]', '{ANN}', {options}) h"
        ))
    }

    fn refused(options: &str) -> String {
        refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}', {options})"))
    }

    #[pg_test]
    fn words_bring_up_what_the_embedding_ranks_low() {
        worded();
        assert_eq!(search("3"), "1 2 3");
        // Both words are in 7; a title counts twice, and a short text more than a long one.
        assert_eq!(search("3, query_text => 'the landlord and the rent', text_weight => 1"), "7 3 5");
        assert_eq!(search("100, query_text => 'rent', text_weight => 1"), "3 7 4 1 2 5 6");
        assert_eq!(search("100, query_text => 'rent', text_weight => 0"), "1 2 3 4 5 6 7");
    }

    #[pg_test]
    fn the_two_orders_are_joined_by_the_worth_of_places() {
        worded();
        // By embedding 1 to 7 in order, by words 3 7 4: half of 1/61, 1/62, ... for each place.
        let worth = |embedding: f64, words: Option<f64>, share: f64| {
            (1.0 - share) / (60.0 + embedding) + words.map_or(0.0, |place| share / (60.0 + place))
        };
        for share in [0.1, 0.3, 0.5, 0.8] {
            let words = |number| match number {
                3 => Some(1.0),
                7 => Some(2.0),
                4 => Some(3.0),
                _ => None,
            };
            let mut places: Vec<u32> = (1..=7).collect();
            places.sort_by(|a, b| {
                let of = |n: u32| worth(f64::from(n), words(n), share);
                of(*b).total_cmp(&of(*a)).then(a.cmp(b))
            });
            let should: Vec<String> = places.iter().map(u32::to_string).collect();
            assert_eq!(
                search(&format!("100, query_text => 'rent', text_weight => {share}")),
                should.join(" "),
                "share {share}"
            );
        }
        assert_eq!(search("7, query_text => 'rent'"), search("7, query_text => 'rent', text_weight => null"));
        assert_eq!(search("7, query_text => 'rent'"), search("7, query_text => 'rent', text_weight => 0.5"));
    }

    #[pg_test]
    fn no_text_makes_an_answer_shorter() {
        worded();
        let plain = search("100");
        for text in [
            "''",
            "' '",
            "'the and of'",
            "'xylophone'",
            "'!!! ??? --'",
            "'-xylophone'",
            "''''",
            "E'\\\\'",
            "null",
        ] {
            assert_eq!(search(&format!("100, query_text => {text}")), plain, "{text}");
        }
        for text in [
            "'\"landlord'",
            "'\"the landlord\"'",
            "'rent -landlord'",
            "'rent or landlord'",
            "'a & b | !c <-> (d:*) '' \\ \"'",
            "repeat('rent landlord ', 7000)",
            "repeat('\"rent\" -oil ', 8000)",
            "(select string_agg('w' || g || ' rent', ' ') from generate_series(1, 12000) g)",
            "repeat('x', 400000)",
            "chr(1) || 'rent' || chr(65534) || ' \u{1F600} ünï'",
        ] {
            for rows in [1, 3, 7, 100] {
                assert_eq!(
                    ask(&format!(
                        "select count(*) || '/' || count(distinct h.entity_id) from strata.rag_search('[1,0,0]', '{ANN}', {rows}, query_text => {text}) h"
                    )),
                    format!("{0}/{0}", rows.min(7)),
                    "{text}"
                );
            }
        }
    }

    #[pg_test]
    fn quotes_and_minus_signs_mean_what_they_mean_on_the_web() {
        worded();
        let words = |text: &str| search(&format!("2, query_text => '{text}', text_weight => 1"));
        assert_eq!(words("heating or the chain"), "5 6", "any word");
        assert_eq!(words("\"about the heating\""), "5 1", "the phrase, then by embedding");
        assert_eq!(words("rent -paid"), "7 4");
        assert_eq!(words("rent -\"call the landlord\""), "3 4");
    }

    #[pg_test]
    fn what_others_write_moves_nothing() {
        worded();
        let ask_all = || {
            ["landlord rent", "the rusty chain of the landlord", "rent about"]
                .map(|text| search(&format!("100, query_text => '{text}', text_weight => 1")))
        };
        let before = ask_all();
        run(&format!(
            "insert into public.note (user_id, title, body, embedding)
             select '{BOB}', case g % 3 when 0 then 'rent' else 'landlord chain' end, 'about about ' || g, '[1,0,0]' from generate_series(1, 500) g"
        ));
        assert_eq!(ask_all(), before);
    }

    #[pg_test]
    fn a_row_without_an_embedding_is_found_by_its_words() {
        worded();
        note(9, "Landlord", "has a new number");
        let found = |options: &str| {
            list(&format!(
                "select right(h.entity_id::text, 1) || coalesce(round(h.similarity::numeric, 2)::text, '-')
                 from strata.rag_search('[1,0,0]', '{ANN}', {options}, query_text => 'landlord number', text_weight => 1) h"
            ))
        };
        assert_eq!(found("2"), "9- 70.50");
        assert_eq!(found("2, minimum_similarity => 0"), "70.50 50.77");
        assert_eq!(found("2, diversity => 0.01"), "9- 70.50");
        assert_eq!(found("3, entity_types => '{task}'"), "70.50");
        assert_eq!(found("100, source_weights => '{\"note\": 9}'").split(' ').next(), Some("9-"));
        assert_eq!(found("2, metadata_filter => '{\"mood\": \"calm\"}'"), "null");
        assert_eq!(found("2, date_range_days => 0"), "9- 70.50");
    }

    #[pg_test]
    fn a_diverse_answer_to_a_text_is_as_long() {
        worded();
        for diversity in ["0.2", "0.9", "1"] {
            assert_eq!(
                ask(&format!(
                    "select count(distinct h.entity_id) from strata.rag_search('[1,0,0]', '{ANN}', 100, diversity => {diversity}, query_text => 'rent') h"
                )),
                "7"
            );
        }
        assert_eq!(
            search("1, diversity => 0.5, query_text => 'rent', text_weight => 1"),
            "3",
            "the best stands first"
        );
    }

    #[pg_test]
    fn what_cannot_be_asked_is_refused_by_name() {
        diary();
        assert_eq!(refused("3, query_text => 'rent'"), "55000 no source can be searched by its words");
        run("select strata.set_text_search('task', 'simple')");
        assert_eq!(
            search("7, query_text => 'landlord', text_weight => 1"),
            "7 1 2 3 4 5 6",
            "one source is enough"
        );
        assert_eq!(
            refused("3, query_text => 'rent', entity_types => '{note}'"),
            "55000 no source can be searched by its words"
        );
        for (given, shown) in [("-0.1", "-0.1"), ("1.01", "1.01"), ("'nan'", "NaN")] {
            assert_eq!(
                refused(&format!("3, query_text => 'rent', text_weight => {given}")),
                format!("22023 text_weight must be between 0 and 1, not {shown}")
            );
        }
        assert_eq!(
            refused("3, query_text => repeat('x', 500001)"),
            "22023 query_text must have at most 500000 bytes, not 500001"
        );
        run("create text search configuration public.own (copy = pg_catalog.simple);
             select strata.set_text_search('task', 'public.own')");
        assert_eq!(search("1, query_text => 'landlord', text_weight => 1"), "7");
        run("drop text search configuration public.own");
        assert_eq!(
            refused("3, query_text => 'rent'"),
            "42704 source \"task\": text search configuration public.own does not exist"
        );
        assert_eq!(search("1"), "1", "nobody asks for words");
        assert_eq!(
            ask("select s.fault from strata.sources() s where s.entity_type = 'task'"),
            "text search configuration public.own does not exist"
        );
        run("create text search configuration public.own (copy = pg_catalog.simple)");
        assert_eq!(search("1, query_text => 'landlord', text_weight => 1"), "7", "the new one");
        for (arguments, message) in [
            ("'goal', 'english'", "42704 source \"goal\" does not exist"),
            ("'note', null, 'title'", "22023 column \"title\" needs a text search configuration"),
            (
                "'note', 'english', 'title'",
                "42804 column \"title\" of relation public.note must be of type tsvector, not text",
            ),
            ("'note', 'english', 'fts'", "42703 column \"fts\" of relation public.note does not exist"),
            ("'note', 'klingon'", "42704 text search configuration \"klingon\" does not exist"),
        ] {
            assert_eq!(refusal(&format!("select strata.set_text_search({arguments})")), message);
        }
        assert_eq!(
            refusal("select strata.text_index_statement('note')"),
            "55000 source \"note\" has no text search configuration"
        );
        assert_eq!(
            refusal("select strata.text_index_statement('goal')"),
            "42704 source \"goal\" does not exist"
        );
    }

    #[pg_test]
    fn an_index_on_the_words_is_named_used_and_missed() {
        worded();
        let told = || list("select coalesce(s.text_index, '-') from strata.sources() s");
        assert_eq!(told(), "- -");
        run("create index by_words on public.note using gin (to_tsvector('english', body))");
        assert_eq!(told(), "- -", "another expression serves nobody");
        let create = ask("select replace(strata.text_index_statement('note'), 'concurrently', 'note_words')");
        run(&create);
        run(&ask("select replace(strata.text_index_statement('task'), 'concurrently', 'task_words')"));
        assert_eq!(told(), "note_words task_words");
        run(&format!(
            "insert into public.note (user_id, title, body, embedding) select '{ANN}', 'n', 'filler ' || g, '[0,1,0]' from generate_series(1, 3000) g;
             analyze public.note"
        ));
        let scans = || ask("select pg_stat_get_xact_numscans('public.note_words'::regclass)");
        let before = scans();
        assert_eq!(search("2, query_text => 'rent', text_weight => 1"), "3 7");
        assert_ne!(scans(), before, "the search goes by the index");
        run("drop table public.task");
        assert_eq!(told(), "note_words -");
    }

    #[pg_test]
    fn a_column_that_keeps_the_words_stands_for_title_and_content() {
        diary();
        run("alter table public.note add fts tsvector generated always as (setweight(to_tsvector('english', coalesce(title, '')), 'A')) stored;
             select strata.set_text_search('note', 'english', 'fts')");
        assert_eq!(search("2, query_text => 'landlord garden', text_weight => 1"), "1 2", "titles alone");
        assert_eq!(
            ask("select replace(strata.text_index_statement('note'), ' concurrently', '')"),
            "create index on public.note using gin ((fts))"
        );
        run("alter table public.note drop fts; alter table public.note add fts text");
        assert!(refused("3, query_text => 'rent'").starts_with("42804"));
        run("alter table public.note drop fts");
        assert!(refused("3").starts_with("42703 source \"note\": column \"fts\""), "{}", refused("3"));
    }

    #[pg_test]
    fn a_search_explains_both_ways() {
        worded();
        run("select strata.set_text_search('task', null)");
        run(&ask("select replace(strata.text_index_statement('note'), 'concurrently', 'note_words')"));
        let told = || {
            list(&format!(
                "select format('%s: %s (%s), %s of %s;', e.entity_type, e.way, e.reason, e.rows_found, e.rows_scanned)
                 from strata.search_explain('[1,0,0]', '{ANN}', 4, query_text => 'landlord rent') e where e.way <> 'exact'"
            ))
        };
        let task = "task: left out (it has no text_search_config: call strata.set_text_search), of ;";
        assert_eq!(
            told(),
            format!("note: words (index note_words leads to the rows that have the words), 4 of 4; {task}")
                .replace("), of ;", "),  of ;")
        );
        run("drop index public.note_words");
        assert!(
            told().contains("strata.text_index_statement('note') is the statement that creates one"),
            "{}",
            told()
        );
    }

    #[pg_test]
    fn a_reader_finds_by_words_what_the_policies_show() {
        worded();
        run(&format!(
            "insert into public.note (user_id, title, body) values ('{BOB}', 'Rent', 'his');
             alter table public.note enable row level security; alter table public.task enable row level security;
             create role reader; grant usage on schema strata to reader;
             grant select on public.note, public.task, strata.source, strata.model to reader;
             grant execute on function strata.rag_search, strata.search_explain, strata.text_index to reader;
             create policy own on public.note using (user_id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub' and title <> 'Walk');
             create policy own on public.task using (user_id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub');
             set local request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'; set local role reader"
        ));
        assert_eq!(search("100, query_text => 'rent', text_weight => 1"), "3 7 1 2 5 6");
        let reason = ask(
            "select e.reason from strata.search_explain('[1,0,0]', null, query_text => 'rent') e where e.way = 'words' limit 1",
        );
        assert!(reason.starts_with("row level security comes before an index on words"), "{reason}");
    }
}
