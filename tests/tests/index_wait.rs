//! Concurrent statements and the transactions that they wait for: named, limited, and repaired when they break.

use postgres::Client;
use std::thread::JoinHandle;
use strata_tests::{Database, Folder, Running, Strata};

const BUILD: &str = "create index concurrently t_x on t (x)";

fn table() -> Database {
    let database = Database::installed();
    database
        .run("create table t (x int); insert into t select generate_series(1, 100); create table other ()");
    database
}

fn pack(up: &str) -> Folder {
    Folder::of(&[("001_i.up.sql", up)])
}

/// A transaction that stays open, and its process.
struct Open(Client, i32);

impl Open {
    fn with(database: &Database, statement: &str) -> Open {
        let mut session = database.connect();
        session.batch_execute(&format!("begin isolation level repeatable read; {statement}")).expect("open");
        let pid = session.query_one("select pg_backend_pid()", &[]).expect("a pid").get(0);
        Open(session, pid)
    }

    fn end(mut self) {
        self.0.batch_execute("commit").expect("committed");
    }
}

fn start(database: &Database, pack: &Folder, words: &[&str]) -> Running {
    Strata::on(database).path(pack.path()).start(&[&["up"], words].concat())
}

/// Waits until a statement that begins so waits for somebody.
fn until_it_waits(database: &Database, statement: &str) {
    let waits = format!(
        "from pg_stat_activity where datname = current_database() and query like '{statement}%' and wait_event_type = 'Lock'"
    );
    database.until(&format!("select exists (select {waits})"));
}

fn terminate(database: &Database, statement: &str) {
    database.run(&format!(
        "select pg_terminate_backend(pid, 10000) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and query like '{statement}%'"
    ));
}

fn valid(database: &Database) -> Vec<bool> {
    database.column("select indisvalid from pg_index where indrelid = 't'::regclass order by indexrelid")
}

/// Another session that runs a statement.
fn beside(database: &Database, statement: &'static str) -> JoinHandle<Result<(), postgres::Error>> {
    let mut session = database.connect();
    std::thread::spawn(move || session.batch_execute(statement))
}

#[test]
fn a_build_names_whom_it_waits_for_and_goes_through() {
    let (database, pack) = (table(), pack(BUILD));
    let open = Open::with(&database, "insert into t values (0)");
    let who = format!("pid {} (owner, ", open.1);
    let run = start(&database, &pack, &[]);
    run.until(&format!("waiting for {who}"));
    let progress = "from strata.run r, strata.run_progress(r.id) p";
    let told: String = database.value(&format!("select waiting_for {progress}"));
    assert!(told.contains(&who) && told.contains("transaction open for "), "{told}");
    open.end();
    run.end().ok();
    assert_eq!(valid(&database), [true]);
}

#[test]
fn a_budget_that_is_spent_leaves_no_index_and_names_who_was_in_the_way() {
    let (database, pack) = (table(), pack(BUILD));
    // An old snapshot anywhere in the database is enough.
    let open = Open::with(&database, "select from other");
    let who = format!("waited 2 s for pid {} (owner, ", open.1);
    let failed = start(&database, &pack, &["--index-wait", "2"]).end().exits(6);
    failed.says(&["version 1 (i) step 1, 001_i.up.sql line 1", &who, "--index-wait", "55P03"]);
    assert!(valid(&database).is_empty(), "the unfinished index is gone");
    let state = "select r.state || ' ' || r.sqlstate || ' ' || m.state from strata.run r, strata.migration m";
    assert_eq!(database.value::<String>(state), "failed 55P03 applying");
    open.end();
    start(&database, &pack, &[]).end().ok();
    assert_eq!(valid(&database), [true]);
}

#[test]
fn what_a_writer_keeps_from_being_dropped_is_told_and_dropped_by_the_next_run() {
    let (database, pack) = (table(), pack(BUILD));
    let open = Open::with(&database, "insert into t values (0)");
    let words = ["--index-wait", "1", "--table-lock-timeout", "100"];
    start(&database, &pack, &words).end().exits(6).says(&["index public.t_x is left invalid"]);
    assert_eq!(valid(&database), [false]);
    open.end();
    let again = start(&database, &pack, &[]).end().ok();
    assert!(again.stderr.contains("public.t_x is left over from a broken build"), "{}", again.stderr);
    assert_eq!(valid(&database), [true]);
}

#[test]
fn a_run_in_the_database_cleans_up_too() {
    let (database, pack) = (table(), pack("create unique index concurrently t_x on t ((x % 2))"));
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    database.run("select strata.start_run('pack')");
    database.until("select state = 'failed' from strata.run");
    let message: String = database.value("select message from strata.run");
    assert!(message.contains("is duplicated"), "{message}");
    assert!(valid(&database).is_empty());
}

#[test]
fn duplicates_are_named_and_leave_no_index() {
    let (database, pack) = (table(), pack("create unique index concurrently t_x on t ((x % 2))"));
    let said = ["could not create unique index", "is duplicated", "remove the duplicates", "23505"];
    start(&database, &pack, &[]).end().exits(1).says(&said);
    assert!(valid(&database).is_empty());
}

#[test]
fn a_build_on_a_partitioned_table_is_refused_with_what_to_do() {
    let (database, pack) = (table(), pack("create index concurrently p_x on p (x)"));
    database.run("create table p (x int) partition by range (x)");
    start(&database, &pack, &[]).end().exits(1).says(&["partitioned table", "attach partition", "0A000"]);
}

#[test]
fn an_index_that_somebody_else_is_building_is_not_broken() {
    let (database, pack) = (table(), pack(&BUILD.replace("concurrently", "concurrently if not exists")));
    let open = Open::with(&database, "insert into t values (0)");
    let other = beside(&database, BUILD);
    until_it_waits(&database, BUILD);
    let oid: u32 = database.value("select 't_x'::regclass::oid");
    let run = start(&database, &pack, &[]);
    run.until("who is building index public.t_x");
    open.end();
    run.end().ok();
    other.join().expect("a session").expect("the other build ends well");
    assert_eq!(valid(&database), [true]);
    assert_eq!(
        database.value::<u32>("select 't_x'::regclass::oid"),
        oid,
        "it is the one that they have built"
    );
}

#[test]
fn an_index_that_somebody_else_does_not_finish_in_time_is_left_to_them() {
    let (database, pack) = (table(), pack(BUILD));
    let open = Open::with(&database, "insert into t values (0)");
    let other = beside(&database, BUILD);
    until_it_waits(&database, BUILD);
    let run = start(&database, &pack, &["--index-wait", "1"]).end().exits(6);
    run.says(&["waited 1 s for index public.t_x, which is being built by pid ", "--index-wait"]);
    open.end();
    other.join().expect("a session").expect("the other build ends well");
    assert_eq!(valid(&database), [true]);
}

#[test]
fn a_drop_that_was_interrupted_is_finished() {
    let (database, pack) = (table(), pack("drop index concurrently t_x"));
    database.run("create index t_x on t (x)");
    let open = Open::with(&database, "insert into t values (0)");
    let run = start(&database, &pack, &[]);
    until_it_waits(&database, "drop index");
    terminate(&database, "drop index");
    run.end().exits(10);
    assert_eq!(valid(&database), [false], "half dropped");
    open.end();
    start(&database, &pack, &[]).end().ok();
    assert!(valid(&database).is_empty());
}

/// Names of the indexes of `t` that are not valid.
fn broken(database: &Database) -> Vec<String> {
    database.column(
        "select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid
         where i.indrelid = 't'::regclass and not i.indisvalid order by 1",
    )
}

/// A table with an index, with a valid index and an invalid one of the user's that look like remains of a reindex.
fn indexed() -> Database {
    let database = table();
    database
        .run("create index t_x on t (x); create index t_y_ccnew on t ((x + 1)); insert into t values (1)");
    let (code, _) = database.refusal("create unique index concurrently t_x_ccold7 on t (x)");
    assert_eq!((code.as_str(), broken(&database)), ("23505", vec!["t_x_ccold7".to_owned()]));
    database
}

#[test]
fn a_reindex_that_was_killed_leaves_nothing_of_its_own_and_everything_of_others() {
    for statement in [
        "reindex table concurrently t",
        "reindex index concurrently t_x",
        "reindex schema concurrently public",
    ] {
        let (database, pack) = (indexed(), pack(statement));
        let open = Open::with(&database, "insert into t values (0)");
        let run = start(&database, &pack, &[]);
        until_it_waits(&database, "reindex");
        terminate(&database, "reindex");
        run.end().exits(10);
        assert!(broken(&database).contains(&"t_x_ccnew".to_owned()), "{:?}", broken(&database));
        open.end();
        let again = start(&database, &pack, &[]).end().ok();
        assert!(
            again.stderr.contains("public.t_x_ccnew is left over from a broken build"),
            "{}",
            again.stderr
        );
        assert_eq!(broken(&database), ["t_x_ccold7"], "{statement}: it was there before");
        let names = "select string_agg(relname, ' ' order by relname) from pg_class where relkind = 'i' and relname like 't\\_%'";
        assert_eq!(database.value::<String>(names), "t_x t_x_ccold7 t_y_ccnew", "{statement}");
    }
}

#[test]
fn a_reindex_whose_budget_is_spent_cleans_up_at_once() {
    let (database, pack) = (indexed(), pack("reindex index concurrently t_x"));
    let open = Open::with(&database, "select from other");
    start(&database, &pack, &["--index-wait", "1"])
        .end()
        .exits(6)
        .says(&["waited 1 s for pid ", "--index-wait"]);
    assert_eq!(broken(&database), ["t_x_ccold7"]);
    open.end();
}

#[test]
fn a_detach_that_was_interrupted_is_finalized() {
    let (database, pack) = (table(), pack("alter table p detach partition q concurrently"));
    database.run("create table p (x int) partition by range (x); create table q partition of p for values from (0) to (9)");
    let open = Open::with(&database, "insert into p values (1)");
    let run = start(&database, &pack, &[]);
    until_it_waits(&database, "alter table p");
    terminate(&database, "alter table p");
    run.end().exits(10);
    assert_eq!(database.column::<bool>("select inhdetachpending from pg_inherits"), [true]);
    open.end();
    start(&database, &pack, &[]).end().ok();
    assert!(database.column::<bool>("select inhdetachpending from pg_inherits").is_empty());
}
