//! `strata.cancel_run` reaches a run in every state that it can be in, whoever turns it. What it does to a statement at work
//! and to a run that waits for its pack is in `in_database.rs`.

use strata_tests::{Database, Folder, Running, Strata};

/// Who turns the run.
enum Turned {
    Outside(Running),
    Inside,
}

/// Starts the pack over a connection or in the database.
fn start(database: &Database, pack: &Folder, inside: bool) -> Turned {
    let strata = Strata::on(database).path(pack.path());
    if !inside {
        return Turned::Outside(strata.start(&["up"]));
    }
    strata.run(&["push"]).ok();
    database.run("select strata.start_run('pack')");
    Turned::Inside
}

fn cancel(database: &Database, turned: Turned) {
    assert!(database.value::<bool>("select strata.cancel_run(id) from strata.run"));
    database.until("select state <> 'running' from strata.run");
    assert_eq!(database.column::<String>("select state from strata.run"), ["cancelled"]);
    assert_eq!(database.column::<String>("select state from strata.migration"), ["applying"]);
    if let Turned::Outside(run) = turned {
        run.end().exits(130).says(&["cancelled"]);
    }
}

#[test]
fn in_the_pause_before_a_lock_is_tried_for_again() {
    let pack = Folder::of(&[("001_column.up.sql", "alter table t add y int")]);
    // Somebody reads the table and does not stop.
    for inside in [false, true] {
        let database = Database::installed();
        database.run("create table t (x int)");
        let mut holder = database.connect();
        holder.batch_execute("begin; lock table t in access share mode").expect("a lock");
        let turned = start(&database, &pack, inside);
        // The pauses double: from the third on there is time to be heard in one.
        database.until("select exists (select from strata.run_step where state = 'running')");
        let pauses = "select count(*) filter (where wait_event_type = 'Lock') from pg_stat_activity where datname = current_database()";
        for _ in 0..3 {
            database.until(&format!("select ({pauses}) > 0"));
            database.until(&format!("select ({pauses}) = 0"));
        }
        cancel(&database, turned);
        holder.batch_execute("rollback").expect("released");
    }
}

#[test]
fn in_a_backfill() {
    let call = "call strata.backfill('slow', 't', 'x', 'update t set y = (select 1 from pg_sleep(0.1)) where x between $1::int and $2::int', 1)";
    let pack = Folder::of(&[("001_fill.up.sql", call)]);
    let table = "create table t (x int primary key, y int); insert into t select generate_series(1, 5000)";
    for inside in [false, true] {
        let database = Database::installed();
        database.run(table);
        let turned = start(&database, &pack, inside);
        database.until("select exists (select from strata.backfill_cursor where rows > 2)");
        cancel(&database, turned);
        assert!(!database.value::<bool>("select done from strata.backfill_cursor"));
    }
}
