//! `strata.backfill` on a live table: every row once, whatever its key; it gives way to the application's writers, tells
//! where it is, and refuses what it cannot do.

use postgres::Client;
use strata_tests::database::{refusal, unique};
use strata_tests::{Database, Folder, Strata};

const TABLE: &str = "create table t (id int primary key, n int not null default 0); insert into t select generate_series(1, 250)";

const STATEMENT: &str = "update t set n = n + 1 where id between $1::int and $2::int";

/// Batches of 100 rows.
const CALL: &str = "call strata.backfill('count', 't', 'id', 'update t set n = n + 1 where id between $1::int and $2::int', 100, target => null)";

fn table() -> Database {
    let database = Database::installed();
    database.run(TABLE);
    database
}

/// A session that walks in the background.
fn walk(database: &Database, call: &str) -> std::thread::JoinHandle<Result<(), postgres::Error>> {
    let (mut walker, call) = (database.connect(), call.to_owned());
    std::thread::spawn(move || walker.batch_execute(&call))
}

/// A transaction that has locked a row.
fn holder(database: &Database, id: i32) -> Client {
    let mut holder = database.connect();
    holder.batch_execute(&format!("begin; update t set n = n where id = {id}")).expect("locked");
    holder
}

fn until_state(database: &Database, state: &str) {
    database.until(&format!(
        "select exists (select from strata.backfill_progress('count') where state = '{state}')"
    ));
}

fn counts(database: &Database) -> Vec<(i32, i64)> {
    let counted = database.rows("select n, count(*) from t group by n order by n", &[]);
    counted.iter().map(|row| (row.get(0), row.get(1))).collect()
}

#[test]
fn touches_every_row_once_and_counts_them() {
    let database = table();
    database.run(CALL);
    assert_eq!(counts(&database), [(1, 250)]);
    let told = "select concat_ws(' ', state, percent, rows, walked, batches, cursor) from strata.backfill_progress('count')";
    assert_eq!(database.column::<String>(told), ["done 100 250 250 3 {250}"]);
}

#[test]
fn walks_keys_of_every_kind() {
    let database = Database::installed();
    for (columns, key, rows, lo) in [
        ("k uuid primary key", "k", "gen_random_uuid()", "t.k between $1::uuid and $2::uuid"),
        ("k bigint primary key", "k", "(g - 40) * 3000000000", "t.k between $1::bigint and $2::bigint"),
        ("k numeric(9,3) primary key", "k", "g / 7.0", "t.k between $1::numeric and $2::numeric"),
        (
            "k text primary key",
            "k",
            "(array['a', 'B', 'ä', '', '''', '_', '{', '\\'])[g % 8 + 1] || g",
            "t.k between $1 and $2",
        ),
        (
            "k text collate \"C\" primary key",
            "k",
            "(array['a', 'B', 'ä', '\"', ','])[g % 5 + 1] || g",
            "t.k between $1 and $2",
        ),
        (
            "k varchar(20) collate \"C\" unique not null",
            "k",
            "chr(60 + g % 60) || g",
            "t.k between $1 and $2",
        ),
        (
            "k timestamptz primary key",
            "k",
            "'2024-01-31 12:00:00.123456+00'::timestamptz + g * '1 h'::interval",
            "t.k between $1::timestamptz and $2::timestamptz",
        ),
        ("k bytea primary key", "k", "sha256(g::text::bytea)", "t.k between $1::bytea and $2::bytea"),
        (
            "k int, \"L 2\" text, primary key (k, \"L 2\")",
            "k, L 2",
            "g % 3, 'x' || g",
            "(t.k, t.\"L 2\") >= ($1[1]::int, $1[2]) and (t.k, t.\"L 2\") <= ($2[1]::int, $2[2])",
        ),
    ] {
        database.run(&format!(
            "drop table if exists t; create table t ({columns}, n int not null default 0);
             insert into t select {rows}, 0 from generate_series(1, 100) g; set datestyle = 'German'; set timezone = 'Asia/Tokyo'"
        ));
        let statement = format!("update t set n = n + 1 where {lo}").replace('\'', "''");
        database.run(&format!(
            "call strata.backfill('{}', 't', '{key}', '{statement}', 7, target => null)",
            unique("job")
        ));
        assert_eq!(counts(&database), [(1, 100)], "{columns}");
    }
}

#[test]
fn walks_a_partitioned_table() {
    let database = Database::installed();
    database.run(
        "create table t (id int primary key, n int not null default 0) partition by range (id);
         create table t1 partition of t for values from (1) to (120);
         create table t2 partition of t for values from (120) to (1000);
         insert into t select generate_series(1, 250)",
    );
    database.run(CALL);
    assert_eq!(counts(&database), [(1, 250)]);
}

#[test]
fn batches_grow_towards_the_target_and_shrink_behind_it() {
    let database = table();
    let next = |size: i32, took: &str| {
        database.value::<i32>(&format!("select strata.next_batch({size}, {took}, 0.025)"))
    };
    assert_eq!(next(100, "0.001"), 200, "twice as many at most");
    assert_eq!(next(100, "0.016"), 125, "half of the way");
    assert_eq!(next(100, "0.025"), 100);
    assert!((70..100).contains(&next(100, "0.049")), "in proportion");
    assert_eq!(next(100, "0.051"), 50, "half after an overshoot");
    assert_eq!(next(1, "9"), 1, "one at least");
    assert_eq!(next(100_000, "0"), 100_000, "so many at most");
    // A millisecond a row: 200 rows are far too many for 20 ms.
    database.run(
        "call strata.backfill('slow', 't', 'id', 'update t set n = n + 1 from pg_sleep(0.001 * (1 + $2::int - $1::int))
                              where id between $1::int and $2::int', 200, '20 ms')",
    );
    assert!(database.value::<i32>("select batch from strata.backfill_progress('slow')") < 100);
    database.run(&format!("call strata.backfill('quick', 't', 'id', '{STATEMENT}', 1, '10 s')"));
    assert_eq!(counts(&database), [(2, 250)]);
    assert_eq!(
        database.value::<i64>("select batches from strata.backfill_progress('quick')"),
        8,
        "1, 2, 4 ... 64, 123 rows"
    );
}

#[test]
fn gives_way_to_a_writer_and_ends_when_it_has_gone() {
    let database = table();
    let mut writer = database.connect();
    writer.batch_execute("begin; update t set n = n + 10 where id = 150").unwrap();
    let walk = walk(&database, &CALL.replace(", target => null", ""));
    database.until("select exists (select from strata.backfill_cursor where job = 'count' and rows >= 100)");
    database.until("select exists (select from strata.backfill_progress('count') where paused_for like 'a row is locked by somebody else, try %')");
    // The backfill holds no row of the batch that it cannot have: another writer passes at once.
    for id in [149, 151, 200] {
        database.run(&format!("set lock_timeout = '5s'; update t set n = n where id = {id}"));
    }
    assert!(!walk.is_finished(), "it waits for the row of the open transaction");
    writer.batch_execute("commit").unwrap();
    walk.join().unwrap().unwrap();
    assert_eq!(counts(&database), [(1, 249), (11, 1)], "nothing lost, nothing twice");
}

#[test]
fn pauses_while_writers_wait_and_hears_a_cancel_then() {
    let database = table();
    let mut first = holder(&database, 250);
    let mut second = database.connect();
    let waiting = std::thread::spawn(move || second.batch_execute("update t set n = n where id = 250"));
    database.until("select exists (select from pg_locks where not granted and waitstart < clock_timestamp() - interval '200 ms'
                        and pid in (select pid from pg_stat_activity where datname = current_database()))");
    let walker = walk(&database, CALL);
    until_state(&database, "paused");
    let reason: String = database.value("select paused_for from strata.backfill_progress('count')");
    assert!(reason.starts_with("one session is waiting for locks on public.t, pid "), "{reason}");
    database.run("select pg_cancel_backend(pid) from strata.backfill_progress('count')");
    let (sqlstate, _) = refusal(walker.join().unwrap(), CALL);
    assert_eq!(sqlstate, "57014");
    until_state(&database, "interrupted");
    first.batch_execute("commit").unwrap();
    waiting.join().unwrap().unwrap();
    database.run(CALL);
    assert_eq!(counts(&database), [(1, 250)]);
}

#[test]
fn one_session_walks_a_job() {
    let database = table();
    let mut holder = holder(&database, 150);
    let walker = walk(&database, CALL);
    database.until("select exists (select from strata.backfill_cursor where walked = 100)");
    let (sqlstate, message) = database.refusal(CALL);
    assert!(
        sqlstate == "55P03" && message.contains("backfill \"count\" is being walked by pid "),
        "{sqlstate} {message}"
    );
    let (sqlstate, message) = database.refusal("select strata.forget_backfill('count')");
    assert!(sqlstate == "55P03" && message.contains("is being walked"), "{sqlstate} {message}");
    assert_eq!(
        database.refusal("select strata.note_batch('count', '{250}', 1, 1)").0,
        "55000",
        "nobody else writes its cursor"
    );
    holder.batch_execute("commit").unwrap();
    walker.join().unwrap().unwrap();
    assert_eq!(counts(&database), [(1, 250)]);
}

#[test]
fn a_finished_job_does_only_what_lies_behind_its_end() {
    let database = table();
    database.run(CALL);
    database.run(CALL);
    database.run("insert into t values (251)");
    database.run(CALL);
    assert_eq!(counts(&database), [(1, 251)]);

    let (sqlstate, message) = database.refusal(&CALL.replace("n + 1", "n + 2"));
    assert!(
        sqlstate == "55000"
            && message.contains("backfill \"count\" is another statement, table or key (public.t, id)"),
        "{sqlstate} {message}"
    );
    assert!(database.value::<bool>("select strata.forget_backfill('count')"));
    assert!(!database.value::<bool>("select strata.forget_backfill('count')"), "once");
    database.run(&CALL.replace("n + 1", "n + 2"));
    assert_eq!(counts(&database), [(3, 251)]);
}

#[test]
fn an_error_is_told_and_the_next_call_goes_on_behind_the_last_batch() {
    let database = table();
    let call = CALL
        .replace("n + 1", "n + 1 + 0 / (200 - id + (select off from switch))")
        .replace("'update", "'/* now */ update");
    database.run("create table switch (off int); insert into switch values (0)");
    let (sqlstate, message) = database.refusal(&call);
    assert_eq!((sqlstate.as_str(), message.as_str()), ("22012", "division by zero"));
    let told = "select concat_ws(' ', state, sqlstate, message, walked) from strata.backfill_progress()";
    assert_eq!(database.column::<String>(told), ["failed 22012 division by zero 100"]);
    database.run("update switch set off = 1000");
    database.run(&call);
    assert_eq!(database.column::<String>(told), ["done 250"]);
    assert_eq!(counts(&database), [(1, 250)]);
}

#[test]
fn a_role_walks_what_it_sees_once_it_may() {
    let database = table();
    let role = unique("walker");
    database.run(&format!(
        "create role {role} login; grant select, update on t to {role}; alter table t enable row level security;
         create policy half on t using (id <= 120)"
    ));
    let mut session = database.connect();
    session.batch_execute(&format!("set role {role}")).unwrap();
    assert_eq!(refusal(session.batch_execute(CALL), CALL).0, "42501");
    database.run(&format!("select strata.grant_backfill('{role}')"));
    session.batch_execute(CALL).unwrap();
    assert_eq!(counts(&database), [(0, 130), (1, 120)]);
    assert_eq!(database.value::<i64>("select walked from strata.backfill_progress('count')"), 120);
    assert_eq!(refusal(session.batch_execute("select from strata.backfill_cursor"), "").0, "42501");
    session.batch_execute("reset role").unwrap();
    database.run(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn killed_again_and_again_it_repeats_no_batch() {
    let database = Database::installed();
    database.run("create table t (id int primary key, n int not null default 0); insert into t select generate_series(1, 3000)");
    let call = CALL
        .replace("n + 1", "n + 1 + 0 * (select count(*) from pg_sleep(0.001))::int")
        .replace("100, target", "20, target");
    for kill in 1..=8 {
        let walker = walk(&database, &call);
        database.until(&format!(
            "select exists (select from strata.backfill_cursor where walked >= {})",
            kill * 300
        ));
        database.terminate_others();
        walker.join().unwrap().unwrap_err();
    }
    until_state(&database, "interrupted");
    database.run(&call);
    assert_eq!(counts(&database), [(1, 3000)]);
    assert_eq!(database.value::<i64>("select batches from strata.backfill_progress('count')"), 150);
}

#[test]
fn a_run_tells_how_far_its_backfill_has_come() {
    let database = table();
    database.run("analyze t");
    let pack = Folder::of(&[("001_count.up.sql", CALL)]);
    let mut holder = holder(&database, 150);
    let run = Strata::on(&database).path(pack.path()).start(&["up"]);
    let told = "from strata.run r cross join strata.run_progress(r.id) p where p.percent = 40 and p.seconds_left > 0";
    database.until(&format!("select exists (select {told} and p.waiting_for like 'a row is locked%')"));
    run.until("backfill count: 100 of about 250 rows (40.0 %), ");
    holder.batch_execute("commit").unwrap();
    run.end().ok();
    assert_eq!(counts(&database), [(1, 250)]);
}

#[test]
fn refuses_what_it_cannot_do() {
    let database = table();
    database.run(
        "create table u (a int not null, b int not null, j jsonb primary key, c int unique, d int not null, unique (a, b));
         create unique index on u (d) where d > 0; create view v as select * from t; create materialized view m as select * from t",
    );
    let call = |relation: &str, more: &str| format!("call strata.backfill('x', '{relation}', {more})");
    let walk = |relation: &str, key: &str| call(relation, &format!("'{key}', 'select $1, $2'"));
    for (sql, code, part) in [
        (call("t", "'id', 'select $1, $2', 0"), "22023", "batch must be at least 1 row, not 0"),
        (
            call("t", "'id', 'select $1, $2', 1, '0 s'"),
            "22023",
            "target must be longer than nothing, not 00:00:00",
        ),
        (walk("t", "nope"), "42703", "column \"nope\" of relation public.t does not exist"),
        (walk("t", ""), "22023", "a backfill of public.t needs a key"),
        (walk("t", "n"), "42P10", "key (n) of relation public.t is not unique"),
        (walk("u", "d"), "42P10", "key (d) of relation public.u is not unique"),
        (walk("u", "b, a"), "42P10", "key (b, a) of relation public.u is not unique"),
        (walk("u", "c"), "42P10", "column \"c\" of relation public.u can be null"),
        (
            walk("u", "j"),
            "22023",
            "column \"j\" of relation public.u is of type jsonb, which cannot be walked",
        ),
        (walk("v", "id"), "42809", "public.v is not a table"),
        (walk("m", "id"), "42809", "public.m is not a table"),
        (format!("begin; {CALL}"), "2D000", "invalid transaction termination"),
    ] {
        let (sqlstate, message) = database.refusal(&sql);
        assert!(sqlstate == code && message.contains(part), "{sqlstate} {message}");
        let _ = database.session().batch_execute("rollback");
    }
    assert_eq!(database.value::<i64>("select sum(n) from t"), 0, "nothing is changed");
}
