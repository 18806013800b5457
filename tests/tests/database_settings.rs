//! Settings that a database has for its application and that would change what a pack means, or make its runs fail: they are not
//! for migrations. Timeouts: bad_days.rs; roles and read-only: operator.rs.

use strata_tests::environment::programs;
use strata_tests::{Database, Folder, Strata};

/// Strings that are read otherwise where a backslash is no letter, in all kinds of steps; and what a transaction is.
const FILES: [(&str, &str); 6] = [
    (
        "001_a.up.sql",
        "create table a as select 'a\\b' as t, current_setting('transaction_isolation') as i;\n\
         -- strata: new transaction\ninsert into a values ('\\', current_setting('transaction_isolation'));\nvacuum a",
    ),
    ("001_a.down.sql", "drop table a"),
    (
        "001_a.verify.sql",
        "select 'text', 'a\\b \\', string_agg(t, ' ' order by t desc), string_agg(t, ' ' order by t desc) = 'a\\b \\' from a",
    ),
    (
        "002_b.up.sql",
        "set work_mem = '5MB'; create table b as select '\\' as t, current_setting('transaction_isolation') as i",
    ),
    ("002_b.down.sql", "drop table b"),
    ("002_b.verify.sql", "select 'text', '\\', t, t = '\\' from b"),
];

/// A database whose application reads and isolates otherwise.
fn database() -> Database {
    let database = Database::installed();
    let name = database.name().to_owned();
    database.run(&format!(
        "alter database {name} set standard_conforming_strings = off;
         alter database {name} set escape_string_warning = off;
         alter database {name} set default_transaction_isolation = 'serializable'"
    ));
    database.reconnect();
    database
}

fn assert_meant(database: &Database) {
    let texts: Vec<String> = database.column("select t from a union all select t from b order by 1");
    assert_eq!(texts, ["\\", "\\", "a\\b"]);
    let isolations: Vec<String> =
        database.column("select distinct i from (select i from a union all select i from b) x");
    assert_eq!(isolations, ["read committed"], "two packs that write their books are no reason to fail");
}

#[test]
fn the_command_line_runs_a_pack_as_it_is_written() {
    let (database, pack) = (database(), Folder::of(&FILES));
    let strata = Strata::on(&database).path(pack.path());
    // Vacuum is tried on a copy of the schema.
    strata.clone().env("PATH", &programs()).run(&["up", "--dry-run"]).ok();
    strata.run(&["up"]).ok();
    assert_meant(&database);
    assert_eq!(strata.run(&["verify"]).ok().stdout, "2 checks ok\n");
    strata.run(&["down", "--all", "--yes"]).ok();
}

#[test]
fn a_run_in_the_database_does_too() {
    let (database, pack) = (database(), Folder::of(&FILES));
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    let run: String = database.value("select strata.start_run('pack')::text");
    database.until(&format!("select finished_at is not null from strata.run_progress('{run}')"));
    let ended = format!("select concat_ws(' ', state, sqlstate, message) from strata.run_progress('{run}')");
    assert_eq!(database.value::<String>(&ended), "succeeded");
    assert_meant(&database);
    assert_eq!(database.column::<bool>("select ok from strata.verify('pack')"), [true, true]);
    assert_eq!(
        database.value::<String>("show standard_conforming_strings"),
        "off",
        "the caller keeps its own"
    );
}
