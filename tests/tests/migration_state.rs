//! A failed migration leaves the state truthful, and the next run goes on where it stands.

use strata_tests::{Database, Folder, Outcome, Strata};

const PEOPLE: &str =
    "create table people (id int primary key, age int); insert into people values (1, 5), (2, -3);";

const CHECKED: &str = "create table begun (x int);\n\ninsert into begun values (1);\n\
    alter table people\n  add constraint age_is_positive check (age >= 0);";

/// A version of three steps: a transaction, an index build, a transaction with `last` in it.
fn three_steps(last: &str) -> String {
    format!(
        "create table log (n int); insert into log values (1);
         create index concurrently log_n on log (n);
         insert into log values (2); {last};"
    )
}

fn up(database: &Database, pack: &Folder) -> Outcome {
    Strata::on(database).path(pack.path()).run(&["up"])
}

fn down(database: &Database, pack: &Folder) -> Outcome {
    Strata::on(database).path(pack.path()).run(&["down"])
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

fn log(database: &Database) -> Vec<i32> {
    database.column("select n from log order by n")
}

#[test]
fn a_failing_migration_says_what_failed_and_undoes_all_of_it() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_people.up.sql", PEOPLE),
        ("002_checked.up.sql", CHECKED),
        ("003_more.up.sql", "select 1"),
    ]);

    let message = "check constraint \"age_is_positive\" of relation \"people\" is violated by some row";
    up(&database, &pack).exits(1).says(&[
        "version 2 (checked) step 1, 002_checked.up.sql line 4: ",
        message,
        "(SQLSTATE 23514)",
    ]);

    assert_eq!(states(&database), ["applied", "applying", "pending"]);
    assert_eq!(database.value::<i64>("select count(*) from people"), 2);
    assert!(database.value::<bool>("select to_regclass('begun') is null"), "all of the step is undone");
    let told = database.rows(
        "select version, success, sqlstate, error_message from strata.migration_history order by id",
        &[],
    );
    let told: Vec<(i64, bool, Option<String>, Option<String>)> =
        told.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    assert_eq!(told, [(1, true, None, None), (2, false, Some("23514".into()), Some(message.into()))]);
    let step = "select format('%s %s %s %s %s', version, number, state, sqlstate, message) from strata.run_step where state = 'failed'";
    assert_eq!(database.column::<String>(step), [format!("2 1 failed 23514 {message}")]);
    assert_eq!(database.value::<String>("select state || ' ' || sqlstate from strata.run"), "failed 23514");
}

#[test]
fn status_and_version_tell_of_the_failure() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_people.up.sql", PEOPLE), ("002_checked.up.sql", CHECKED)]);
    up(&database, &pack).exits(1);

    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["version"]).ok().stdout, "2 (dirty)\n");
    let text = strata.run(&["status"]).ok().stdout;
    let line = text.lines().find(|line| line.contains("checked")).expect("version 2 is listed");
    assert!(
        line.contains("applying") && line.contains("23514 check constraint \"age_is_positive\""),
        "{line}"
    );
    let json = strata.run(&["status", "--json", "--exit-code"]).exits(3).json();
    let second = &json["versions"][1];
    assert_eq!((&second["state"], &second["sqlstate"]), (&"applying".into(), &"23514".into()), "{second}");
    assert!(second["error_message"].as_str().expect("text").contains("age_is_positive"), "{second}");
}

#[test]
fn fixing_the_file_and_running_up_goes_on() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_people.up.sql", PEOPLE),
        ("002_checked.up.sql", CHECKED),
        ("003_more.up.sql", "create table more ()"),
    ]);
    up(&database, &pack).exits(1);

    pack.write("002_checked.up.sql", &format!("delete from people where age < 0; {CHECKED}"));
    up(&database, &pack).ok();
    assert_eq!(states(&database), ["applied", "applied", "applied"]);
    assert_eq!(database.value::<i64>("select count(*) from people"), 1, "version 1 ran once");
    let told: Vec<String> =
        database.column("select version || ' ' || success from strata.migration_history order by id");
    assert_eq!(told, ["1 true", "2 false", "2 true", "3 true"], "the failure stays in the history");
    assert_eq!(database.column::<String>("select state || ' ' || attempt from strata.run"), ["succeeded 2"]);
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["status", "--exit-code"]).ok().stdout.matches("23514").count(), 0);
}

#[test]
fn finished_steps_of_a_failed_version_are_not_repeated() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_log.up.sql", &three_steps("select 1/0"))]);
    up(&database, &pack).exits(1).says(&["step 3", "division by zero", "22012"]);
    assert_eq!(log(&database), [1], "the first step stays, the third is undone");

    pack.write("001_log.up.sql", &three_steps("insert into log values (3)"));
    up(&database, &pack).ok();
    assert_eq!(log(&database), [1, 2, 3]);
    let attempts: Vec<i32> = database.column("select attempt from strata.run_step order by number");
    assert_eq!(attempts, [1, 1, 2], "only the third step ran again");
}

#[test]
fn a_finished_step_cannot_change_its_text() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_log.up.sql", &three_steps("select 1/0"))]);
    up(&database, &pack).exits(1);

    pack.write("001_log.up.sql", &three_steps("select 1").replace("values (1)", "values (7)"));
    up(&database, &pack).exits(7).says(&["step 1 of version 1 is done and its text has changed"]);
    assert_eq!(log(&database), [1]);
    assert_eq!(states(&database), ["applying"]);
}

#[test]
fn a_version_that_stands_half_way_up_can_be_taken_back() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_log.up.sql", &three_steps("select 1/0")),
        ("001_log.down.sql", "drop table if exists log"),
    ]);
    up(&database, &pack).exits(1);
    down(&database, &pack).ok();
    assert_eq!(states(&database), ["pending"]);
    pack.write("001_log.up.sql", &three_steps("select 1"));
    up(&database, &pack).ok();
    assert_eq!(log(&database), [1, 2], "a new run repeats nothing and leaves nothing out");
}

#[test]
fn a_version_that_stands_half_way_down_must_be_finished_first() {
    let database = Database::installed();
    let back = |last: &str| format!("delete from log; drop index concurrently log_n; {last}");
    let pack = Folder::of(&[
        ("001_log.up.sql", &three_steps("select 1")),
        ("001_log.down.sql", &back("select 1/0")),
    ]);
    up(&database, &pack).ok();
    down(&database, &pack).exits(1).says(&["version 1 (log) step 3", "22012"]);
    assert_eq!(states(&database), ["reverting"]);
    assert_eq!(Strata::on(&database).path(pack.path()).run(&["version"]).ok().stdout, "1 (dirty)\n");

    up(&database, &pack).exits(5).says(&["version 1 (log) is half-way down", "strata down 1"]);
    pack.write("001_log.down.sql", &back("drop table log"));
    down(&database, &pack).ok();
    assert_eq!(states(&database), ["pending"]);
    assert!(database.value::<bool>("select to_regclass('log') is null"));
}

#[test]
fn a_down_that_took_nothing_back_leaves_the_version_applied() {
    let database = Database::installed();
    let back = "create table t (); drop table nowhere";
    let pack = Folder::of(&[("001_people.up.sql", PEOPLE), ("001_people.down.sql", back)]);
    up(&database, &pack).ok();
    down(&database, &pack).exits(1).says(&["version 1 (people) step 1, 001_people.down.sql line 1", "42P01"]);
    assert_eq!(states(&database), ["applied"], "all of it was undone");
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["version"]).ok().stdout, "1\n");
    assert!(strata.run(&["status"]).ok().stdout.contains("42P01"), "the failure can still be seen");
    assert_eq!(up(&database, &pack).ok().stdout, "no change\n");
    pack.write("001_people.down.sql", "drop table people");
    down(&database, &pack).ok();
    assert_eq!(states(&database), ["pending"]);
}

#[test]
fn a_failed_down_of_what_was_never_applied_does_not_make_it_applied() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_log.up.sql", &three_steps("select 1/0")),
        ("001_log.down.sql", "drop table nowhere"),
    ]);
    up(&database, &pack).exits(1);
    down(&database, &pack).exits(1);
    assert_eq!(states(&database), ["reverting"]);
}

#[test]
fn a_verification_that_fails_takes_its_version_back() {
    let database = Database::installed();
    let verify = "select 'people' as check_name, '3' as expected, count(*)::text as actual, count(*) = 3 as ok from people";
    let pack = Folder::of(&[("001_people.up.sql", PEOPLE), ("001_people.verify.sql", verify)]);
    up(&database, &pack).exits(4).says(&["001_people.verify.sql: people: expected 3, found 2"]);
    assert!(database.value::<bool>("select to_regclass('people') is null"), "the version is rolled back");
    assert_eq!(states(&database), ["applying"]);
    let told: Vec<String> =
        database.column("select sqlstate || ' ' || success from strata.migration_history");
    assert_eq!(told, ["ST004 false"]);

    pack.write("001_people.verify.sql", &verify.replace('3', "2"));
    up(&database, &pack).ok();
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["verify"]).ok();
    database.run("insert into people values (3, 3)");
    strata.run(&["verify"]).exits(4).says(&["people: expected 2, found 3"]);
    assert_eq!(states(&database), ["applied"], "a later verification changes nothing");
}

#[test]
fn an_index_that_a_failed_build_left_broken_is_removed_and_built_again() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_t.up.sql", "create table t (x int); insert into t values (1), (1)"),
        ("002_unique.up.sql", "create unique index concurrently t_x on t (x)"),
    ]);
    up(&database, &pack).exits(1).says(&[
        "version 2 (unique) step 1, 002_unique.up.sql line 1",
        "23505",
        "Key (x)=(1) is duplicated",
    ]);
    let valid = "select indisvalid from pg_index where indexrelid = 't_x'::regclass";
    assert!(database.value::<bool>("select to_regclass('t_x') is null"), "the run does not leave it behind");

    database.run("delete from t");
    up(&database, &pack).ok();
    assert!(database.value::<bool>(valid));
    assert_eq!(states(&database), ["applied", "applied"]);
}

#[test]
fn a_changed_file_of_an_applied_version_is_refused() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_people.up.sql", PEOPLE), ("001_people.down.sql", "drop table people")]);
    up(&database, &pack).ok();
    pack.write("001_people.up.sql", &format!("{PEOPLE} -- changed"));
    pack.write("002_more.up.sql", "create table more ()");
    up(&database, &pack).exits(7).says(&["001_people.up.sql has changed since version 1 was applied"]);
    down(&database, &pack).exits(7);
    assert_eq!(states(&database), ["applied"]);
    assert!(
        database.value::<bool>("select to_regclass('more') is null and to_regclass('people') is not null")
    );

    pack.remove("001_people.up.sql");
    pack.remove("001_people.down.sql");
    up(&database, &pack).exits(7).says(&["version 1 (people) is applied and its file is gone"]);
}

#[test]
fn history_cannot_be_rewritten() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_people.up.sql", PEOPLE)]);
    up(&database, &pack).ok();
    for statement in
        ["update strata.history set by = 'me'", "delete from strata.history", "truncate strata.history"]
    {
        let (sqlstate, message) = database.refusal(statement);
        assert_eq!(sqlstate, "55000", "{statement}");
        assert!(message.starts_with("strata.history is append-only"), "{message}");
    }
}
