//! `strata.backfill` on a live table: it gives way to the application's writers, and refuses what it cannot do.

use strata_tests::Database;

const TABLE: &str = "create table t (id int primary key, n int not null default 0); insert into t select generate_series(1, 250)";

const CALL: &str = "call strata.backfill('count', 't', 'id', 'update t set n = n + 1 where id between $1::int and $2::int', 100)";

fn table() -> Database {
    let database = Database::installed();
    database.run(TABLE);
    database
}

#[test]
fn touches_every_row_once_and_counts_them() {
    let database = table();
    database.run(CALL);
    assert_eq!(database.column::<i32>("select distinct n from t"), [1]);
    assert_eq!(
        database.value::<i64>("select rows from strata.backfill_cursor where job = 'count' and done"),
        250
    );
}

#[test]
fn gives_way_to_a_writer_and_ends_when_it_has_gone() {
    let database = table();
    let mut writer = database.connect();
    writer.batch_execute("begin; update t set n = n + 10 where id = 150").unwrap();
    let mut walker = database.connect();
    let walk = std::thread::spawn(move || walker.batch_execute(CALL));
    database.until("select exists (select from strata.backfill_cursor where job = 'count' and rows = 100)");
    // The backfill holds no row of the batch that it cannot have: another writer passes at once.
    for id in [101, 149, 200] {
        database.run(&format!("set lock_timeout = '5s'; update t set n = n where id = {id}"));
    }
    assert!(!walk.is_finished(), "it waits for the row of the open transaction");
    writer.batch_execute("commit").unwrap();
    walk.join().unwrap().unwrap();
    let counted = database.rows("select n, count(*)::int from t group by n order by n", &[]);
    let counted: Vec<(i32, i32)> = counted.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(counted, [(1, 249), (11, 1)], "nothing lost, nothing twice");
}

#[test]
fn refuses_what_it_cannot_do() {
    let database = table();
    let call = |more: &str| format!("call strata.backfill('x', 't', {more})");
    for (sql, code, part) in [
        (call("'id', 'select $1, $2', 0"), "22023", "batch must be at least 1 row, not 0"),
        (call("'nope', 'select $1, $2'"), "42703", "column \"nope\" of relation \"t\" does not exist"),
        (format!("begin; {CALL}"), "2D000", "invalid transaction termination"),
    ] {
        let (sqlstate, message) = database.refusal(&sql);
        assert!(sqlstate == code && message.contains(part), "{sqlstate} {message}");
        let _ = database.session().batch_execute("rollback");
    }
    assert_eq!(database.value::<i64>("select sum(n) from t"), 0, "nothing is changed");
}
