//! The command line as golang-migrate's: its commands, options, messages and exit codes, and where it differs on purpose.
//! Source: internal/cli of golang-migrate; docs/adoption.md lists the differences.

use serde_json::json;
use std::path::Path;
use strata_tests::{Database, Folder, Strata};

const FILES: [(&str, &str); 6] = [
    ("1_a.up.sql", "create table a (x int)"),
    ("1_a.down.sql", "drop table a"),
    ("2_b.up.sql", "create table b (x int)"),
    ("2_b.down.sql", "drop table b"),
    ("3_c.up.sql", "create table c (x int)"),
    ("3_c.down.sql", "drop table c"),
];

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn options_stand_before_the_command_with_one_dash() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let source = format!("file://{}", pack.path().display());
    let path = pack.path().display().to_string();
    let strata = Strata::on(&database);
    let words = ["-source", &source, "-lock-timeout", "5", "-prefetch", "2", "-verbose", "up", "1"];
    let up = strata.run(&words).ok();
    assert!(up.stderr.contains("Finished after "), "{}", up.stderr);
    assert_eq!(strata.run(&["-path", &path, "version"]).ok().stdout, "1\n");
    assert_eq!(strata.run(&["-path", &path, "down", "-all", "-yes"]).ok().stdout, "1 version taken back\n");
    assert!(strata.run(&["-help"]).ok().stdout.contains("Usage: strata"));
    assert!(strata.run(&["-version"]).ok().stdout.starts_with("strata "));
    strata.run(&["-source", "s3://bucket", "up"]).exits(2);
}

#[test]
fn goto_moves_either_way() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["goto", "2"]).ok().stdout, "2 versions applied\n");
    assert_eq!(strata.run(&["goto", "2"]).ok().stdout, "no change\n");
    assert_eq!(strata.run(&["goto", "1"]).ok().stdout, "1 version taken back\n");
    let zero = strata.run(&["goto", "0", "--json"]).ok().json();
    assert_eq!((&zero["direction"], &zero["moved"]), (&json!("down"), &json!([{"version": 1, "name": "a"}])));
    strata.run(&["goto", "9"]).exits(2).says(&["pack pack has no version 9", "its last version is 3"]);
}

#[test]
fn fewer_versions_than_asked_for_are_moved_and_told() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    let short = strata.run(&["up", "5"]).exits(1).says(&["limit 2 short"]);
    assert_eq!(short.stdout, "3 versions applied\n");
    assert_eq!(strata.run(&["up", "5"]).ok().stdout, "no change\n");
    let down = strata.run(&["down", "4", "--json"]).exits(1).json();
    assert_eq!(
        (down["moved"].as_array().map(Vec::len), &down["error"]["message"]),
        (Some(3), &json!("limit 1 short"))
    );
}

#[test]
fn version_is_none_or_an_error_as_is_asked() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");
    strata.run(&["version", "-strict"]).exits(1).says(&["error: no migration"]);
    strata.run(&["up", "1"]).ok();
    assert_eq!(strata.run(&["version", "-strict"]).ok().stdout, "1\n");
}

#[test]
fn what_destroys_is_not_done_unasked() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    strata.run(&["down", "-all"]).exits(11).says(&["Not applying all down migrations", "--yes"]);
    strata.run(&["drop"]).exits(11).says(&["Aborted dropping the entire database schema", "-f"]);
    assert_eq!(strata.run(&["version"]).ok().stdout, "3\n");
}

#[test]
fn drop_takes_every_table_of_the_schema_and_the_state_with_them() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    database.run("create table \"Odd one\" (x int); create view v as select * from a; create schema other; create table other.t ()");
    strata.run(&["drop", "-f"]).ok();
    let left: Vec<String> = database.column(
        "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname in ('public', 'other')",
    );
    assert_eq!(left, ["other.t"]);
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");
    strata.run(&["up"]).ok();

    database.run("create view other.seen as select * from a");
    strata.run(&["drop", "-f"]).exits(1).says(&["would also drop", "view other.seen"]);
    assert!(database.value::<bool>("select to_regclass('a') is not null"), "all of it or nothing");
    database.run("drop view other.seen");

    let second =
        Folder::of(&[("pack.toml", "name = \"second\"\ntitle = \"2\""), ("1_z.up.sql", "create table z ()")]);
    Strata::on(&database).path(second.path()).run(&["up"]).ok();
    strata.run(&["drop", "-f"]).exits(1).says(&["pack second has applied versions"]);
    let url = format!("{}?options=-csearch_path%3Dstrata", database.url());
    Strata::at(&url)
        .path(second.path())
        .run(&["drop", "-f"])
        .exits(1)
        .says(&["pack pack has applied versions"]);
}

#[test]
fn drop_leaves_what_is_not_the_applications() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let url = format!("{}?options=-csearch_path%3Dstrata", database.url());
    Strata::at(&url)
        .path(pack.path())
        .run(&["drop", "-f"])
        .exits(1)
        .says(&["schema strata is not the application's"]);
    assert!(database.value::<bool>("select to_regclass('strata.migration') is not null"));
}

#[test]
fn force_says_where_the_database_stands() {
    let (database, pack) = (Database::empty(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["force", "2"]).ok();
    assert_eq!(strata.run(&["version"]).ok().stdout, "2\n");
    assert!(database.value::<bool>("select to_regclass('a') is null"), "nothing was run");
    strata.run(&["force", "-1", "--reason", "restored from a backup"]).ok();
    assert_eq!(strata.run(&["version"]).ok().stdout, "none\n");
    let told: Vec<String> = database.column("select distinct message from strata.history order by 1");
    assert_eq!(told, ["restored from a backup", "strata force"]);
    strata.run(&["force", "7"]).exits(24).says(&["pack pack has no version 7", "it has 1, 2, 3"]);
    strata.run(&["force"]).exits(2);
}

#[test]
fn force_takes_a_changed_file_and_writes_down_why() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    pack.write("2_b.up.sql", "create table b (x int); select 'and a comment'");
    strata.run(&["up"]).exits(7);
    let told = strata.run(&["force", "3", "--reason", "only a comment"]).ok().stdout;
    assert!(told.contains("0 changed") && told.contains("count as applied now: 2"), "{told}");
    let kept: Vec<String> =
        database.column("select version || ' ' || message from strata.history where event = 'forced'");
    assert_eq!(kept, ["2 its changed file counts as the applied one: only a comment"]);
    assert_eq!(strata.run(&["up"]).ok().stdout, "no change\n");
}

#[test]
fn create_makes_two_empty_files_and_prints_them() {
    let (database, folder) = (Database::empty(), Folder::empty());
    let dir = folder.path().join("new").display().to_string();
    let strata = Strata::on(&database);
    let made = strata.run(&["create", "-ext", "sql", "-dir", &dir, "-seq", "-digits", "3", "add_users"]).ok();
    assert_eq!(names(Path::new(&dir)), ["001_add_users.down.sql", "001_add_users.up.sql"]);
    assert!(made.stdout.lines().all(|line| Path::new(line).is_file()) && made.stdout.lines().count() == 2);
    strata.run(&["create", "-dir", &dir, "-seq", "-digits", "3", "next"]).ok();
    assert_eq!(names(Path::new(&dir)).last().unwrap(), "002_next.up.sql");

    let year = ["create", "-dir", &dir, "-format", "2006", "yearly"];
    strata.run(&year).ok();
    strata.run(&year).exits(17).says(&["duplicate migration version: 20"]);
    strata.run(&["create", "-dir", &dir, "-tz", "Nowhere/Here", "x"]).exits(2).says(&["no time zone"]);
    strata.run(&["create", "-dir", &dir, "-format", "Jan", "x"]).exits(2).says(&["is no number"]);
    let timed = strata.run(&["create", "-path", &dir, "timed", "--json"]).ok().json();
    assert_eq!(timed["version"].as_str().unwrap().len(), 14, "{timed}");
}

#[test]
fn create_beside_supabases_files_makes_one_as_they_are() {
    let (database, folder) =
        (Database::empty(), Folder::of(&[("20240101000000_first.sql", "create table a ()")]));
    let strata = Strata::on(&database).path(folder.path());
    strata.run(&["create", "second"]).ok();
    let made = names(folder.path());
    assert!(made.len() == 2 && made[1].ends_with("_second.sql") && !made[1].contains(".up"), "{made:?}");
    strata.run(&["status"]).ok();
}

#[test]
fn nothing_to_do_is_said_while_another_holds_the_pack() {
    let (database, pack) = (Database::installed(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    let mut holder = database.connect();
    holder.batch_execute("select pg_advisory_lock(hashtextextended('strata/pack', 0))").unwrap();
    assert_eq!(strata.run(&["up", "-lock-timeout", "0"]).ok().stdout, "no change\n");
    strata.run(&["down", "-lock-timeout", "0"]).exits(6).says(&["timeout: can't acquire database lock"]);
}

#[test]
fn a_url_in_the_environment_is_enough() {
    let (database, other, pack) = (Database::installed(), Database::installed(), Folder::of(&FILES));
    let run = |variables: &[(&str, &str)]| {
        let path = pack.path().display().to_string();
        let mut command = std::process::Command::new(strata_tests::environment::strata());
        command.args(["up", "1", "--path", &path, "--quiet"]).env_clear().envs(variables.iter().copied());
        assert!(command.status().is_ok_and(|status| status.success()));
    };
    let moved = |database: &Database| {
        database.value::<i64>("select count(*) from strata.migration where state = 'applied'")
    };
    run(&[("POSTGRES_URL", &database.url())]);
    assert_eq!((moved(&database), moved(&other)), (1, 0));
    run(&[("POSTGRES_URL", &other.url()), ("SUPABASE_DB_URL", &database.url())]);
    assert_eq!((moved(&database), moved(&other)), (2, 0));
    run(&[("SUPABASE_DB_URL", &other.url()), ("DATABASE_URL", &database.url())]);
    assert_eq!((moved(&database), moved(&other)), (3, 0));
}

#[test]
fn completions_know_the_commands() {
    let script = Strata::on(&Database::empty()).run(&["completions", "bash"]).ok().stdout;
    assert!(script.contains("goto") && script.contains("--lock-timeout"));
}
