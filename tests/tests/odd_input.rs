//! What nobody means to give and somebody will: each is refused in one line, or does what it says, and is never left out
//! without a word.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;
use strata_tests::{Database, Folder, Strata};

const FIRST: (&str, &str) = ("1_a.up.sql", "create table a ()");

#[test]
fn a_version_that_cannot_be_read_is_refused_and_not_left_out() {
    let database = Database::installed();
    let refused = |pack: &Folder, why: &str| {
        let strata = Strata::on(&database).path(pack.path());
        strata.run(&["up"]).exits(21).says(&["cannot read", why]);
        strata.run(&["push"]).exits(21).says(&["cannot read", why]);
    };
    let pack = Folder::of(&[FIRST]);
    symlink("/nonexistent", pack.path().join("2_b.up.sql")).expect("a link");
    refused(&pack, "No such file");
    let pack = Folder::of(&[FIRST]);
    symlink("2_b.up.sql", pack.path().join("2_b.up.sql")).expect("a link");
    refused(&pack, "symbolic links");
    let pack = Folder::of(&[FIRST]);
    symlink("/dev/zero", pack.path().join("2_b.up.sql")).expect("a link");
    refused(&pack, "it is no file");
    let pack = Folder::of(&[FIRST]);
    let pipe = Command::new("mkfifo").arg(pack.path().join("2_b.up.sql")).status().expect("mkfifo");
    assert!(pipe.success());
    refused(&pack, "it is no file");
    let pack = Folder::of(&[FIRST]);
    std::fs::write(pack.path().join(OsStr::from_bytes(b"2_\xff.up.sql")), "select 1").expect("a file");
    refused(&pack, "its name is not UTF-8");
    let pack = Folder::of(&[FIRST]);
    std::fs::write(pack.path().join("2_b.up.sql"), b"select '\xff'").expect("a file");
    refused(&pack, "line 1 is not valid UTF-8");
    assert!(!database.value::<bool>("select to_regclass('a') is not null"));
}

#[test]
fn what_an_editor_leaves_in_the_folder_is_left_alone() {
    let (database, pack) = (Database::installed(), Folder::of(&[FIRST]));
    symlink("me@here.1", pack.path().join(".#1_a.up.sql")).expect("a link");
    std::fs::create_dir(pack.path().join("2_folder.up.sql")).expect("a folder");
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
}

#[test]
fn line_ends_of_any_system_end_a_comment() {
    let database = Database::installed();
    for (name, end) in [("unix", "\n"), ("dos", "\r\n"), ("mac", "\r")] {
        let lines = [
            format!("create table {name} (x int);"),
            "-- a row".into(),
            format!("insert into {name} values (1);"),
        ];
        let text = format!("\u{feff}{}", lines.join(end));
        let pack =
            Folder::of(&[("pack.toml", &format!("name = \"{name}\"\ntitle = \"x\"")), ("1_a.up.sql", &text)]);
        Strata::on(&database).path(pack.path()).run(&["up"]).ok();
        assert_eq!(database.column::<i32>(&format!("select x from {name}")), [1], "{name}");
    }
}

#[test]
fn a_server_cannot_speak_to_the_terminal() {
    let database = Database::installed();
    let loud = "do $$ begin raise notice E'\\x1b[31mred'; raise exception E'\\x1b]0;title\\x07'; end $$";
    let pack = Folder::of(&[("1_a.up.sql", loud)]);
    let told = Strata::on(&database).path(pack.path()).run(&["up"]).exits(1);
    assert!(!told.stderr.contains(['\u{1b}', '\u{7}']), "{:?}", told.stderr);
    assert!(told.stderr.contains("[31mred") && told.stderr.contains("]0;title"), "{:?}", told.stderr);
}

#[test]
fn a_server_that_a_file_cannot_reach_is_not_the_server_of_the_run() {
    let database = Database::installed();
    for code in ["08001", "08006", "57P01", "57P03"] {
        let fails = format!(
            "do $$ begin raise exception 'could not connect to server' using errcode = '{code}'; end $$"
        );
        let pack = Folder::of(&[
            ("pack.toml", &format!("name = \"p{}\"\ntitle = \"x\"", code.to_lowercase())),
            ("1_a.up.sql", &fails),
        ]);
        let strata = Strata::on(&database).path(pack.path());
        strata.run(&["up"]).exits(1).says(&["1_a.up.sql line 1: could not connect to server", code]);
        let state: String =
            database.value(&format!("select state from strata.run where pack = 'p{}'", code.to_lowercase()));
        assert_eq!(state, "failed", "{code}");
    }
}

#[test]
fn create_refuses_a_name_that_no_run_would_find() {
    let (database, pack) = (Database::installed(), Folder::empty());
    for name in ["", " ", "a/b", "../a", "a\nb"] {
        Strata::on(&database).path(pack.path()).run(&["create", name]).exits(2).says(&["the name"]);
    }
    assert_eq!(std::fs::read_dir(pack.path()).expect("a folder").count(), 0);
    Strata::on(&database).path(pack.path()).run(&["create", "--seq", "Größe ändern"]).ok();
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
}

#[test]
fn a_message_without_end_is_cut_where_it_is_shown_and_kept_whole() {
    let database = Database::installed();
    let file =
        "do $$ begin raise notice '%', repeat('n', 100000); raise exception '% end', repeat('m', 100000)
                    using errcode = 'P0042', detail = repeat('d', 100000); end $$";
    let pack = Folder::of(&[("001_a.up.sql", file)]);
    let strata = Strata::on(&database).path(pack.path());
    let told = strata.run(&["up"]).exits(1).says(&[
        "version 1 (a) step 1",
        " ... ",
        "mmm end (SQLSTATE P0042); ddd",
    ]);
    let longest = told.stderr.lines().map(str::len).max();
    assert!(longest.is_some_and(|longest| longest < 2_500), "{longest:?}");
    for table in ["history where event = 'failed'", "run_step", "run"] {
        let kept: i32 = database.value(&format!("select length(message) from strata.{table}"));
        assert_eq!(kept, 100_004, "{table}");
    }
    let json = strata.run(&["up", "--json"]).exits(1).json();
    assert!(json["error"]["message"].as_str().is_some_and(|message| message.len() > 100_000));
}

#[test]
fn a_database_of_another_encoding_takes_files_from_the_command_line_and_says_what_it_cannot() {
    let database = Database::empty();
    let name = format!("{}_latin", database.name());
    database.run(&format!(
        "create database {name} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
    ));
    let pack = Folder::of(&[("1_a.up.sql", "create table a as select 'äß'::text as t")]);
    let strata = Strata::at(&database.url().replace(database.name(), &name)).path(pack.path());
    let refused = strata.run(&["push"]).exits(2).says(&["encoding LATIN1", "run \"strata up\""]);
    strata.run(&["up"]).ok();
    pack.write("2_b.up.sql", "create table b as select '漢'::text as t");
    strata.run(&["up"]).exits(1).says(&["22P05", "LATIN1"]);
    database.run(&format!("drop database {name} with (force)"));
    assert!(!refused.error().contains("panic"));
}
