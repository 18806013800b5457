//! A backfill waits for a standby that replays late: of a real one, whose replay is paused.

use postgres::{Client, NoTls};
use strata_tests::own_server::OwnServer;
use strata_tests::{Database, Folder, Strata};

const ROWS: i64 = 20_000;

/// A server, a database in it, and a standby called `late` that follows.
struct Pair {
    // Before the primary, which would wait for it.
    standby: OwnServer,
    database: Database,
    _primary: OwnServer,
}

impl Pair {
    fn new() -> Pair {
        let primary = OwnServer::start("wal_level = replica\nmax_wal_senders = 4\n");
        let database = primary.database();
        database.run("create extension strata cascade");
        database.run(&format!(
            "create table t (id int primary key, touched int not null default 0);
             insert into t select generate_series(1, {ROWS})"
        ));
        let standby = OwnServer::standby_of(
            &primary,
            "hot_standby = on\ncluster_name = 'late'\nwal_receiver_status_interval = '1s'\n",
        );
        standby.until("it does not follow", |answer| {
            let follows = "select exists (select from pg_stat_wal_receiver where status = 'streaming')";
            answer.is_ok_and(|mut client| client.query_one(follows, &[]).is_ok_and(|row| row.get(0)))
        });
        Pair { standby, database, _primary: primary }
    }

    fn on_standby(&self, sql: &str) {
        let mut client = Client::connect(&self.standby.url("postgres"), NoTls).expect("a session");
        client.batch_execute(sql).unwrap_or_else(|e| panic!("{e}: {sql}"));
    }

    /// More than a standby may lie behind.
    fn fall_behind(&self) {
        self.on_standby("select pg_wal_replay_pause()");
        self.standby.until("it does not pause", |answer| {
            let paused = "select pg_get_wal_replay_pause_state() = 'paused'";
            answer.is_ok_and(|mut client| client.query_one(paused, &[]).is_ok_and(|row| row.get(0)))
        });
        self.database
            .run("create table behind as select repeat('x', 100) as x from generate_series(1, 10000)");
        self.database
            .until("select coalesce(bool_or(replay_lag > '1 second'), false) from pg_stat_replication");
    }
}

fn waits_and_goes_on(limit: &str, reason: &str) {
    let pair = Pair::new();
    let call = format!(
        "call strata.backfill(job => 'fill', relation => 't', key => 'id', batch => 100, {limit},
             statement => 'update t set touched = touched + 1 where id between $1::int and $2::int')"
    );
    let pack = Folder::of(&[("1_fill.up.sql", &call)]);
    pair.fall_behind();
    let run = Strata::on(&pair.database).path(pack.path()).start(&["up"]);
    let paused = format!(
        "select coalesce((select state = 'paused' and paused_for ~ '^standby late replays {reason}'
                          from strata.backfill_progress('fill')), false)"
    );
    pair.database.until(&paused);
    let walked = "select walked from strata.backfill_progress('fill')";
    let before: i64 = pair.database.value(walked);
    assert!(before < ROWS, "it waits before its end");
    // It looks once a second, and at nothing else: three looks on it has not moved.
    let looked =
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    for _ in 0..3 {
        pair.database.until(&format!("select ({looked}) = 0"));
        pair.database.until(&format!("select ({looked}) = 1"));
    }
    assert_eq!(pair.database.value::<i64>(walked), before, "no batch while the standby is late");
    run.until("paused: standby late replays ");
    pair.on_standby("select pg_wal_replay_resume()");
    run.end().ok();
    let touched: i64 = pair.database.value("select count(*) from t where touched = 1");
    assert_eq!(touched, ROWS, "each row once");
}

#[test]
fn a_backfill_waits_while_a_standby_replays_too_many_bytes_behind() {
    waits_and_goes_on("max_lag => null, max_lag_bytes => 200000", "[0-9]+ bytes behind, more than 200000");
}

#[test]
fn a_backfill_waits_while_a_standby_replays_too_long_behind() {
    waits_and_goes_on("max_lag => '1 second'", "[0-9]+ ms behind, more than 00:00:01");
}
