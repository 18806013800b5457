//! A step in a transaction behind a reader that does not end: the application goes on writing, and the step goes through
//! when the reader has ended.

use strata_tests::stall::behind_a_long_reader;
use strata_tests::{Database, Folder, Strata};

fn table() -> Database {
    let database = Database::installed();
    database.run("create table t (x int)");
    database
}

fn column() -> Folder {
    Folder::of(&[("001_column.up.sql", "alter table t add y int")])
}

#[test]
fn a_step_behind_a_long_reader_lets_writers_through_and_goes_through_in_the_end() {
    let (database, pack) = (table(), column());
    let strata = Strata::on(&database).path(pack.path());
    let blocked = behind_a_long_reader(&database, 4, || strata.start(&["up", "--table-lock-timeout", "200"]));
    let log = blocked.outcome.ok().stderr;
    assert!(blocked.tries >= 4 && blocked.writes >= 6, "{} tries, {} writes", blocked.tries, blocked.writes);
    let named = log.matches(&format!("follows, pid {} (owner, ", blocked.reader)).count();
    assert!(named >= 3, "each line names the reader: {log}");
    assert!(log.contains("idle in transaction, transaction open for "), "{log}");
    assert_eq!(database.column::<String>("select state from strata.migration"), ["applied"]);
}

#[test]
fn a_lock_that_is_never_to_be_had_names_table_holder_and_options() {
    let (database, pack) = (table(), column());
    let strata = Strata::on(&database).path(pack.path());
    let mut session = database.connect();
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).expect("a session").get(0);
    let mut holding = session.transaction().expect("a transaction");
    holding.batch_execute("lock table t in access share mode").expect("a lock");
    let words = ["up", "--table-lock-timeout", "100", "--table-lock-patience", "1"];
    let failed = strata.run(&words).exits(6).says(&[
        "version 1 (column) step 1, 001_column.up.sql line 1: no lock on t in ",
        &format!("held by pid {pid} (owner, "),
        "--table-lock-timeout",
        "55P03",
    ]);
    assert!(failed.stderr.contains("try 2 follows"), "{}", failed.stderr);
    let told: Vec<String> = database.column("select state || ' ' || sqlstate from strata.run");
    assert_eq!(told, ["failed 55P03"]);
    holding.rollback().expect("released");
    strata.run(&["up"]).ok();
    assert!(database.value::<bool>("select exists (select from pg_attribute where attname = 'y')"));
}

#[test]
fn a_run_in_the_database_names_the_holder_too() {
    let (database, pack) = (table(), column());
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    let mut session = database.connect();
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).expect("a session").get(0);
    let mut holding = session.transaction().expect("a transaction");
    holding.batch_execute("select count(*) from t").expect("a lock");
    database.run("select strata.start_run('pack')");
    let told =
        format!("kind = 'retry' and text like '%try 2 follows, pid {pid} (owner, %AccessShareLock on t]%'");
    database.until(&format!("select exists (select from strata.run_event where {told})"));
    holding.rollback().expect("released");
    database.until("select state = 'succeeded' from strata.run");
}
