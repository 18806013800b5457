//! The repairs that people really make after a failure: none of them repeats what is done or loses what was there before.

use strata_tests::{Database, Folder, Outcome, Strata};

const NEXT: &str = "\n-- strata: new transaction\n";

fn run(database: &Database, pack: &Folder, command: &str) -> Outcome {
    Strata::on(database).path(pack.path()).run(&[command])
}

/// A database with a table to write to, and a pack whose first step writes and whose second fails.
fn half_way() -> (Database, Folder) {
    let database = Database::installed();
    database.run("create table log (n int)");
    let pack = Folder::of(&[
        ("001_a.up.sql", &format!("insert into log values (1);{NEXT}select 1 / 0")),
        ("001_a.down.sql", "delete from log"),
    ]);
    run(&database, &pack, "up").exits(1).says(&["step 2", "22012"]);
    (database, pack)
}

fn log(database: &Database) -> Vec<i32> {
    database.column("select n from log order by n")
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

#[test]
fn restoring_a_finished_step_after_the_refusal_goes_on_behind_it() {
    let (database, pack) = half_way();
    pack.write("001_a.up.sql", &format!("insert into log values (7);{NEXT}select 1"));
    run(&database, &pack, "up").exits(7).says(&["step 1 of version 1 is done and its text has changed"]);
    pack.write("001_a.up.sql", &format!("insert into log values (1);{NEXT}select 1"));
    run(&database, &pack, "up").ok();
    assert_eq!((log(&database), states(&database)), (vec![1], vec!["applied".to_owned()]), "written once");
}

#[test]
fn deleting_the_failing_last_step_verifies_and_marks_the_version() {
    let (database, pack) = half_way();
    pack.write("001_a.up.sql", "insert into log values (1)");
    pack.write("001_a.verify.sql", "select 'rows', '2', count(*)::text, count(*) = 2 from log");
    run(&database, &pack, "up").exits(4).says(&["rows: expected 2, found 1"]);
    pack.write("001_a.verify.sql", "select 'rows', '1', count(*)::text, count(*) = 1 from log");
    run(&database, &pack, "up").ok();
    assert_eq!((log(&database), states(&database)), (vec![1], vec!["applied".to_owned()]));
}

#[test]
fn a_half_finished_version_is_not_stepped_over() {
    let (database, pack) = half_way();
    pack.remove("001_a.up.sql");
    pack.remove("001_a.down.sql");
    pack.write("002_b.up.sql", "insert into log values (2)");
    run(&database, &pack, "up").exits(5).says(&["version 1 (a) is half-way and its file is gone"]);
    assert_eq!(log(&database), [1]);
}

#[test]
fn taking_back_a_way_up_that_committed_nothing_drops_nothing() {
    let database = Database::installed();
    database.run("create table notes (n int); insert into notes values (1)");
    let pack = Folder::of(&[
        ("001_notes.up.sql", "begin; create table notes (n int); commit;"),
        ("001_notes.down.sql", "drop table notes"),
    ]);
    run(&database, &pack, "up").exits(1).says(&["42P07"]);
    run(&database, &pack, "down").ok();
    assert_eq!(database.column::<i32>("select n from notes"), [1], "the table was there before");
    assert_eq!(states(&database), ["pending"]);
}

#[test]
fn an_index_is_built_again_in_the_schema_that_the_file_names() {
    let database = Database::installed();
    database.run("create schema app; create table app.t (x int); insert into app.t values (1), (1)");
    let pack = Folder::of(&[(
        "001_i.up.sql",
        "set search_path = app; create unique index concurrently if not exists i on t (x);",
    )]);
    run(&database, &pack, "up").exits(1).says(&["23505"]);
    database.run("delete from app.t where ctid = (select max(ctid) from app.t)");
    run(&database, &pack, "up").ok();
    assert!(database.value::<bool>("select indisvalid from pg_index where indexrelid = 'app.i'::regclass"));
}

#[test]
fn a_file_that_takes_another_role_is_recorded_and_does_not_leak() {
    let database = Database::installed();
    database.run("do $$ begin create role strata_recovery; exception when duplicate_object then end $$");
    let pack = Folder::of(&[("001_role.up.sql", "set role strata_recovery; create table forbidden (n int)")]);
    run(&database, &pack, "up").exits(1);
    let told: Vec<Option<String>> = database.column("select sqlstate from strata.run where state = 'failed'");
    assert_eq!(told, [Some("42501".to_owned())], "the failure is in the state, whatever the role could do");
}

#[test]
fn a_verification_cannot_write_or_commit() {
    let database = Database::installed();
    database.run("create table log (n int)");
    for verify in ["commit", "insert into log values (9) returning 'a', '1', '1', true"] {
        let pack =
            Folder::of(&[("001_a.up.sql", "insert into log values (1)"), ("001_a.verify.sql", verify)]);
        run(&database, &pack, "up").exits(21).says(&["a verification only asks"]);
        assert!(log(&database).is_empty(), "{verify}");
    }
}
