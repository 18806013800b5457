//! A pack that cannot run truthfully is refused before anything runs: one line, its own exit code, nothing changed.

use strata_tests::dump::everything;
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Strata};

/// Expects that whatever is tried changes nothing.
fn unchanged(database: &Database, tries: impl FnOnce()) {
    let before = everything(database);
    tries();
    assert_same("one of them changed something", &before, &everything(database));
}

/// Runs it and expects this exit code, these words and no result.
#[track_caller]
fn refused(strata: &Strata, words: &[&str], exit: i32, says: &[&str]) {
    assert_eq!(strata.run(words).exits(exit).says(says).stdout, "", "a refusal has no result");
}

/// Files of a pack.
type Files<'f> = &'f [(&'f str, &'f str)];

/// Expects `up` of each pack to be refused with these words, where strata is installed and where it is not.
fn up_is_refused(exit: i32, packs: &[(Files, &[&str])]) {
    for database in [Database::empty(), Database::installed()] {
        let before = everything(&database);
        for (files, says) in packs {
            let pack = Folder::of(files);
            let outcome = Strata::on(&database).path(pack.path()).run(&["up"]).exits(exit).says(says);
            assert_eq!(outcome.stdout, "", "a refusal has no result");
        }
        assert_same("one of them changed something", &before, &everything(&database));
    }
}

#[test]
fn an_unknown_pack_is_named_and_the_known_ones_are_listed() {
    let database = Database::empty();
    let base = Folder::empty();
    std::fs::create_dir(base.path().join("known")).expect("a folder");
    base.write("known/001_a.up.sql", "select 1");
    let strata = Strata::on(&database).env("MIGRATION_DIR", &base.path().display().to_string());
    unchanged(&database, || {
        for command in ["up", "down", "status", "verify"] {
            refused(&strata, &[command, "--pack", "atlantis"], 15, &["pack \"atlantis\""]);
        }
        refused(&strata, &["up", "--pack", "atlantis"], 15, &["there are: known"]);
        refused(&Strata::on(&database), &["up", "--path", "/nowhere/at/all"], 15, &["/nowhere/at/all"]);
    });
}

#[test]
fn a_version_without_a_down_file_cannot_be_taken_back() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_a.up.sql", "create table a ()"),
        ("002_b.up.sql", "create table b ()"),
        ("002_b.down.sql", "drop table b"),
    ]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    let says = ["version 1 has no down file", "add 001_a.down.sql"];
    unchanged(&database, || {
        refused(&strata, &["down", "2"], 16, &says);
        refused(&strata, &["down", "--all", "--yes"], 16, &says);
    });
    strata.run(&["down"]).ok();
    unchanged(&database, || refused(&strata, &["down"], 16, &says));
}

#[test]
fn two_files_of_one_version_are_refused() {
    let names = [("001_a.up.sql", "select 1"), ("0001_b.up.sql", "select 2")];
    let same_name = [("001_a.up.sql", "select 1"), ("1_a.up.sql", "select 2")];
    up_is_refused(
        17,
        &[
            (&names, &["duplicate migration version: 1", "001_a.up.sql", "0001_b.up.sql"]),
            (&same_name, &["duplicate migration version: 1", "001_a.up.sql", "1_a.up.sql"]),
        ],
    );
}

#[test]
fn a_version_below_an_applied_one_is_out_of_order() {
    let database = Database::installed();
    let pack = Folder::of(&[("001_a.up.sql", "select 1"), ("003_c.up.sql", "select 3")]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    pack.write("002_b.up.sql", "select 2");
    let says = ["version 2 (b) is not applied but 3 is: out of order", "above 3"];
    unchanged(&database, || refused(&strata, &["up"], 21, &says));
}

#[test]
fn variables_are_checked_before_anything_runs() {
    let toml = "name = \"v\"\ntitle = \"v\"\n[variables.size]\ntype = \"integer\"\ndefault = 3\n\
                [[phase]]\nnumber = 1\nname = \"one\"\nmigrations = [1]\n";
    let pack = Folder::of(&[("pack.toml", toml), ("001_a.up.sql", "create table a (v char(${size}))")]);
    for database in [Database::empty(), Database::installed()] {
        let strata = Strata::on(&database).path(pack.path());
        unchanged(&database, || {
            let unknown = ["variable \"colour\" is not declared by the pack", "it declares: size"];
            refused(&strata, &["up", "--set", "colour=red"], 2, &unknown);
            let wrong = ["variable size must be an integer, not \"red\""];
            refused(&strata, &["up", "--set", "size=red"], 2, &wrong);
        });
    }
    let database = Database::installed();
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--set", "size=5"]).ok();
    let says = ["variable size was \"5\"", "not \"6\""];
    unchanged(&database, || refused(&strata, &["up", "--set", "size=6"], 7, &says));
    strata.run(&["up"]).ok();
}

#[test]
fn a_name_that_is_no_variable_of_the_pack_is_refused_with_its_line() {
    let toml = "name = \"v\"\ntitle = \"v\"\n[variables.size]\ntype = \"integer\"\ndefault = 3";
    let files = [("pack.toml", toml), ("001_a.up.sql", "select 1;\nselect ${sise}")];
    up_is_refused(21, &[(&files, &["001_a.up.sql: line 2", "${sise}", "pack.toml"])]);
}

#[test]
fn a_manifest_that_is_wrong_is_refused() {
    let bad = [
        ("name = ", "pack.toml: "),
        ("name = \"p\"\ntitle = \"p\"\ncolour = \"red\"", "colour"),
        ("name = \"Pack!\"\ntitle = \"p\"", "pack name \"Pack!\""),
        (
            "name = \"p\"\ntitle = \"p\"\n[[phase]]\nnumber = 1\nname = \"one\"\nmigrations = [1, 9]",
            "version 9, which has no file",
        ),
        (
            "name = \"p\"\ntitle = \"p\"\n[[phase]]\nnumber = 1\nname = \"one\"\nmigrations = []",
            "version 1 (a) is in no phase",
        ),
        (
            "name = \"p\"\ntitle = \"p\"\n[[phase]]\nnumber = 1\nname = \"one\"\nmigrations = [1]\nneeds = [\"luck\"]",
            "luck",
        ),
    ];
    let packs = bad.map(|(manifest, part)| ([("pack.toml", manifest), ("001_a.up.sql", "select 1")], [part]));
    up_is_refused(21, &packs.each_ref().map(|(files, part)| (&files[..], &part[..])));
}

#[test]
fn a_file_that_cannot_run_truthfully_is_refused_with_its_line() {
    let bad = [
        ("select 1;\n\\i other.sql", "001_a.up.sql: line 2: psql commands"),
        ("begin;\ncreate table a ();", "001_a.up.sql: line 1: begin without commit"),
        ("create table a ();\ncommit;", "line 2: commit: there is no begin"),
        ("create table a ();\nrollback;", "line 2: rollback: the runner decides"),
        ("select 'open", "line 1: a quote or comment is not closed"),
        ("copy a from stdin;", "copy from stdin"),
        ("begin;\nvacuum;\ncommit;", "line 2: vacuum: vacuum cannot run between begin and commit"),
        ("create index concurrently on a (x)", "name the index"),
        ("create table a (x int);\ncopy a from stdin;\n1\n\\.", "001_a.up.sql: line 2: copy a from stdin: "),
        ("\nselect * from :tbl", "001_a.up.sql: line 2: psql variables (:name)"),
        (
            "-- strata: new transction\nselect 1",
            "001_a.up.sql: line 1: directive \"new transction\" is not known",
        ),
        ("begin;\n-- strata: new transaction\nselect 1;\ncommit", "line 3: select 1: a directive between"),
        (
            "begin;\ndo $$ begin commit; end $$;\ncommit",
            "line 2: do $$ begin commit; end $$: do with a commit",
        ),
        ("set standard_conforming_strings = off", "line 1: set standard_conforming_strings = off: "),
    ];
    let packs = bad.map(|(text, part)| ([("001_a.up.sql", text)], [part]));
    up_is_refused(21, &packs.each_ref().map(|(files, part)| (&files[..], &part[..])));
}

#[test]
fn files_that_make_no_migration_are_refused() {
    up_is_refused(
        21,
        &[
            (&[("001_a.down.sql", "select 1")], &["version 1 has no up file", "add 001_a.up.sql"]),
            (
                &[("README.md", "nothing"), ("schema.sql", "select 1")],
                &["has no migrations", "add 001_first.up.sql"],
            ),
            (&[("001_a\nb.up.sql", "select 1")], &["file name \"001_a\\nb.up.sql\" has a control character"]),
            (&[("0001_a.up.sql", "select 1;\ncommit")], &["0001_a.up.sql: line 2"]),
            (&[("001-a.up.sql", "select 1")], &["file name \"001-a.up.sql\""]),
            (&[("99999999999999999999_a.up.sql", "select 1")], &["99999999999999999999"]),
            (
                &[("001_a.up.sql", "select 1"), ("001_a.verify.sql", "select 1; select 2")],
                &["001_a.verify.sql: a verification is one query, not 2"],
            ),
        ],
    );
}

#[test]
fn a_verification_must_say_something() {
    let database = Database::installed();
    let shapes = [
        ("select 'a' as check_name, 'b', 'c', true where false", "returned no row"),
        ("select 'a' as check_name, 'b' as expected", "returned 2 columns"),
    ];
    for (query, part) in shapes {
        let pack = Folder::of(&[("001_a.up.sql", "create table a ()"), ("001_a.verify.sql", query)]);
        Strata::on(&database).path(pack.path()).run(&["up"]).exits(21).says(&["001_a.verify.sql", part]);
        assert!(database.value::<bool>("select to_regclass('a') is null"), "the version is rolled back");
    }
}

#[test]
fn words_that_make_no_sense_are_usage_errors() {
    let database = Database::empty();
    let pack = Folder::of(&[("001_a.up.sql", "select 1")]);
    let strata = Strata::on(&database).path(pack.path());
    let usage: [&[&str]; 6] = [
        &["sideways"],
        &["up", "0"],
        &["up", "many"],
        &["down", "--all", "2"],
        &["up", "--set", "novalue"],
        &["up", "--to-phase", "9"],
    ];
    unchanged(&database, || {
        for words in usage {
            refused(&strata, words, 2, &[]);
        }
    });
}
