//! Files that prepare statements: under every name, in a transaction that is tried again, and in a dry run.

use strata_tests::environment::programs;
use strata_tests::{Database, Folder, Strata};

/// The names that a client library would give to its own.
fn prepares() -> String {
    let one = |n: usize| format!("prepare s{n} as select $1::int + {n}; execute s{n} (1);\n");
    (0..40).map(one).collect()
}

#[test]
fn a_file_may_prepare_under_every_name() {
    let database = Database::installed();
    let pack = Folder::of(&[
        ("001_a.up.sql", &format!("{}create table a ();\ndeallocate s7; deallocate prepare s8", prepares())),
        ("002_b.up.sql", "vacuum; execute s0 (1); deallocate all; create table b ()"),
        ("002_b.verify.sql", "select 'b', '', to_regclass('b')::text, true"),
    ]);
    let strata = Strata::on(&database).path(pack.path());
    // Vacuum is tried on a copy of the schema.
    strata.clone().env("PATH", &programs()).run(&["up", "--dry-run"]).ok();
    strata.run(&["up", "1"]).ok();
    // Another session knows nothing of it.
    strata.run(&["up"]).exits(1).says(&["26000", "prepare it in the step that executes it"]);
    pack.write("002_b.up.sql", "vacuum; deallocate all; create table b ()");
    strata.run(&["up"]).ok();
}

#[test]
fn a_file_may_forget_everything_that_is_prepared() {
    let database = Database::installed();
    database.run("create table t (x int)");
    let pack = Folder::of(&[
        ("001_a.up.sql", "deallocate all; create index concurrently i on t (x); deallocate all; select 1"),
        ("002_b.up.sql", "deallocate all; create index concurrently j on t (x); deallocate all; select 1"),
    ]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--dry-run"]).ok();
    strata.run(&["up"]).ok();
}

#[test]
fn a_step_that_is_tried_again_prepares_again() {
    let database = Database::installed();
    database.run("create table t (x int)");
    let pack = Folder::of(&[("001_a.up.sql", "prepare p as select 1; execute p; alter table t add y int")]);
    let mut holder = database.connect();
    let mut open = holder.transaction().expect("a transaction");
    open.batch_execute("lock table t in access share mode").expect("a lock");
    let run = Strata::on(&database).path(pack.path()).start(&["up", "--table-lock-timeout", "100"]);
    run.until("try 3 follows");
    open.rollback().expect("released");
    run.end().ok();
}

#[test]
fn a_name_that_is_given_twice_is_told_with_what_to_do() {
    let database = Database::installed();
    let pack =
        Folder::of(&[("001_a.up.sql", "prepare p as select 1"), ("002_b.up.sql", "prepare p as select 2")]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(1).says(&["002_b.up.sql line 1", "42P05", "deallocate it"]);
    strata.run(&["up"]).ok();
}
