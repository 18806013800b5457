//! Up, down and up again leaves the schema byte-equal at each version, and the data where it is kept.

use strata_tests::aurum::{self, Vectors};
use strata_tests::data::{self, Columns, Hashes};
use strata_tests::text::{assert_same, with_sorted_columns};
use strata_tests::{Database, dump, vectors};

/// Columns that say when something was done, and so differ when it is done again.
const CLOCKS: [&str; 3] = ["archived_at", "embedding_updated_at", "updated_at"];

/// What a version is compared by.
struct State {
    schema: String,
    columns: Columns,
    data: Hashes,
}

impl State {
    fn of(database: &Database) -> State {
        let columns = data::columns(database);
        State { schema: dump(database), data: data::hashes(database, &columns), columns }
    }

    /// The schema and every row in every column, as it was; but for the place in their table of columns that the contract
    /// had dropped, which is the last one now.
    fn assert_restored(&self, database: &Database, what: &str) {
        let (schema, table) = (dump(database), "public.journal_entries");
        match self.schema.contains("    deleted boolean") && what.contains("contract") {
            true => assert_same(
                what,
                &with_sorted_columns(&self.schema, table),
                &with_sorted_columns(&schema, table),
            ),
            false => assert_same(what, &self.schema, &schema),
        }
        assert_eq!(self.data, data::hashes(database, &self.columns), "{what}: data");
    }

    /// The schema as it was, and the data but for clocks.
    fn assert_reached_again(&self, database: &Database, before: &Hashes, what: &str) {
        assert_same(what, &self.schema, &dump(database));
        assert_eq!(*before, timeless(database, &self.columns), "{what}: data");
    }
}

/// Hashes without the columns that hold a clock, but with the `updated_at` of what people wrote: a migration is no edit.
fn timeless(database: &Database, columns: &Columns) -> Hashes {
    let mut kept = data::without(columns, &CLOCKS);
    for table in
        ["public.pillars", "public.areas", "public.projects", "public.tasks", "public.journal_entries"]
    {
        kept.get_mut(table).expect("a table of the application").push("updated_at".into());
    }
    data::hashes(database, &kept)
}

/// Takes every version up, down and up again, each on the one before it.
fn every_version_round_trips(of: Vectors) {
    let database = aurum::application();
    database.run("create extension strata cascade");
    let strata = aurum::strata(&database, of);
    let baseline = State::of(&database);
    for version in 1..=aurum::CONTRACT {
        if version == aurum::GATED {
            vectors::complete_all(&database, of.dimensions());
        }
        if version == aurum::CONTRACT {
            aurum::sign_contract(&strata);
        }
        let before = State::of(&database);
        strata.run(&["up", "1", "--quiet"]).ok();
        strata.run(&["verify", "--quiet"]).ok();
        let there = State::of(&database);
        let data = timeless(&database, &there.columns);
        strata.run(&["down", "1", "--quiet"]).ok();
        let what = if version == aurum::CONTRACT { "contract" } else { "version" };
        before.assert_restored(&database, &format!("{what} {version} down"));
        strata.run(&["up", "1", "--quiet"]).ok();
        there.assert_reached_again(&database, &data, &format!("version {version} up again"));
    }
    assert_eq!(strata.run(&["version"]).ok().stdout, format!("{}\n", aurum::CONTRACT));
    let top = State::of(&database);
    let data = timeless(&database, &top.columns);

    strata.run(&["down", "--all", "--yes", "--quiet"]).ok();
    baseline.assert_restored(&database, "all down, the contract too");
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");

    aurum::migrate(&database, of);
    strata.run(&["up", "--quiet"]).ok();
    top.assert_reached_again(&database, &data, "all up again");
    strata.run(&["verify", "--quiet"]).ok();
}

#[test]
fn each_version_goes_up_down_and_up_with_the_vectors_of_the_local_model() {
    every_version_round_trips(Vectors::Local);
}

#[test]
fn each_version_goes_up_down_and_up_with_1536_dimensions() {
    every_version_round_trips(Vectors::Documented);
}

#[test]
fn an_empty_application_migrates_without_a_vector() {
    let database = aurum::empty_application();
    let strata = aurum::strata(&database, Vectors::Documented);
    let before = dump(&database);
    strata.run(&aurum::UP).ok();
    strata.run(&["down", "--all", "--yes", "--quiet"]).ok();
    database.run("drop extension strata; drop extension vector; drop schema strata");
    assert_same("everything gone", &before, &dump(&database));
}

#[test]
fn nothing_of_ours_is_left_when_all_is_down_and_the_extensions_are_dropped() {
    let database = aurum::application();
    let untouched = State::of(&database);
    aurum::migrate(&database, Vectors::Local);
    aurum::strata(&database, Vectors::Local).run(&["down", "--all", "--yes"]).ok();
    database.run("drop extension strata; drop extension vector; drop schema strata");
    untouched.assert_restored(&database, "the application as if we had never been there");
}

#[test]
fn what_people_wrote_meanwhile_comes_back_with_the_next_up() {
    let database = aurum::migrated();
    database.run(
        "update tasks set hrm_priority_score = 0.9, focus_time_minutes = 25 where status = 'todo';
         update journal_entries set archived = true where mood = 'anxious' and template_type is null;
         insert into insights (user_id, entity_type, title, content)
         select id, 'user', 'An insight', 'About ' || email from auth.users;
         insert into ai_conversation_memory (user_id, conversation_id, role, content)
         select id, id, 'user', 'Hello' from auth.users;
         update daily_reflections set reflection_text = reflection_text || ' Edited.' where mood = 'calm';
         select refresh_hierarchy_view(), refresh_user_statistics_cache()",
    );
    vectors::complete_all(&database, 384);
    let columns = data::without(&data::columns(&database), &CLOCKS);
    let before = data::hashes(&database, &columns);
    let strata = aurum::strata(&database, Vectors::Local);
    strata.run(&["down", "10", "--quiet"]).ok();
    aurum::migrate(&database, Vectors::Local);
    assert_eq!(before, data::hashes(&database, &columns));
}

#[test]
fn down_refuses_to_throw_away_what_people_wrote_and_up_brings_it_back() {
    let database = aurum::migrated();
    database.run("insert into insights (user_id, entity_type, title, content) select id, 'user', 'One', 'Two' from auth.users");
    vectors::complete_all(&database, 384);
    let columns = data::without(&data::columns(&database), &CLOCKS);
    let before = data::hashes(&database, &columns);
    let strata = aurum::strata(&database, Vectors::Local);
    strata
        .run(&["down", "--all", "--yes"])
        .exits(1)
        .says(&["strata_aurum.kept holds", "go up again to bring them back"]);
    aurum::migrate(&database, Vectors::Local);
    assert_eq!(before, data::hashes(&database, &columns));
}
