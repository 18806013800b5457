//! The un-migrated Aurum application and the generator that scales it.

use strata_tests::{Database, aurum, data, dump};

/// The application with a generated crowd in it, on a fixed day.
fn generated(tasks: u32) -> Database {
    let database = aurum::empty_application();
    database.run(&format!("set aurum.today = '2026-03-01'; set aurum.tasks = '{tasks}'"));
    aurum::load(&database, &["data", "generate"]);
    database
}

fn count(database: &Database, table: &str) -> i64 {
    database.value(&format!("select count(*) from {table}"))
}

#[test]
fn the_application_has_a_past_that_the_migrations_must_cope_with() {
    let database = aurum::application();
    assert!(count(&database, "auth.users") >= 3);
    let rows: i64 = ["pillars", "areas", "projects", "tasks", "journal_entries"]
        .iter()
        .map(|t| count(&database, t))
        .sum();
    assert!(rows >= 300, "a few hundred rows, not {rows}");
    for (what, sql) in [
        ("a task without a project", "select exists (select from tasks where project_id is null)"),
        ("a project without an area", "select exists (select from projects where area_id is null)"),
        ("an area without a pillar", "select exists (select from areas where pillar_id is null)"),
        ("an entry without a title", "select exists (select from journal_entries where title is null)"),
        (
            "an entry whose deletion has no date",
            "select exists (select from journal_entries where deleted and deleted_at is null)",
        ),
        (
            "an entry that is neither deleted nor not",
            "select exists (select from journal_entries where deleted is null)",
        ),
        (
            "two reflections of one day",
            "select exists (select from journal_entries where template_type = 'daily_reflection' group by user_id, (created_at at time zone 'UTC')::date having count(*) > 1)",
        ),
        (
            "a status of a former release",
            "select exists (select from tasks where status not in ('todo', 'in_progress', 'review', 'completed', 'cancelled'))",
        ),
    ] {
        assert!(database.value::<bool>(sql), "{what}");
    }
}

#[test]
fn loading_the_stand_ins_twice_changes_nothing() {
    let database = aurum::empty_application();
    let before = dump(&database);
    aurum::load(&database, &["supabase"]);
    assert_eq!(before, dump(&database));
}

#[test]
fn the_generator_makes_as_many_tasks_as_it_is_told_and_the_same_ones_every_time() {
    let (people, one, two) = (aurum::application(), generated(2_000), generated(2_000));
    assert_eq!(count(&one, "tasks") - count(&people, "tasks"), 2_000);
    assert_eq!(count(&one, "journal_entries") - count(&people, "journal_entries"), 250);
    let columns = data::columns(&one);
    assert_eq!(data::hashes(&one, &columns), data::hashes(&two, &columns));
}

#[test]
fn a_second_run_of_the_generator_adds_nothing() {
    let database = generated(1_000);
    let columns = data::columns(&database);
    let before = data::hashes(&database, &columns);
    aurum::load(&database, &["generate"]);
    assert_eq!(before, data::hashes(&database, &columns));
}

#[test]
fn a_generated_application_migrates() {
    let database = generated(600);
    aurum::migrate(&database, aurum::Vectors::Local);
    aurum::strata(&database, aurum::Vectors::Local).run(&["verify"]).ok();
    assert_eq!(count(&database, "hierarchy_view"), count(&database, "tasks"));
}
