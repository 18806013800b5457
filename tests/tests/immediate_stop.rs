//! A server that stops as if its machine had failed takes what it has not written. What a run has said at its end is there
//! afterwards; of a run that is under way a version and its mark go together. The log writer is kept asleep, so that what nobody
//! waits for is still in memory.

use strata_tests::own_server::OwnServer;
use strata_tests::{Database, Folder, Strata};

const ASLEEP: &str = "wal_writer_delay = '10s'\nautovacuum = off\n";

/// Versions that make a table each, and one that waits until it is let go.
fn pack(versions: usize, waits: bool) -> Folder {
    let pack = Folder::empty();
    for number in 1..=versions {
        pack.write(&format!("{number:03}_t.up.sql"), &format!("create table t{number} as select 1 as x"));
    }
    if waits {
        pack.write(&format!("{:03}_wait.up.sql", versions + 1), "select wait_until_go()");
    }
    pack
}

fn crash(server: &mut OwnServer, database: &Database) {
    server.crash();
    database.reconnect();
}

/// Versions whose mark and whose table do not say the same.
fn at_odds(database: &Database) -> Vec<i64> {
    database.column(
        "select version from strata.migration
         where name = 't' and (state = 'applied') <> (to_regclass('t' || version) is not null)",
    )
}

#[test]
fn a_run_that_has_ended_is_on_disk() {
    let mut server = OwnServer::start(ASLEEP);
    let database = server.database();
    let pack = pack(5, false);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    crash(&mut server, &database);
    let applied: i64 = database.value("select count(*) from strata.migration where state = 'applied'");
    assert_eq!((applied, at_odds(&database)), (5, vec![]));
    assert_eq!(database.column::<String>("select state from strata.run"), ["succeeded"]);
    assert_eq!(strata.run(&["up"]).ok().stdout.trim(), "no change");
}

#[test]
fn a_version_and_its_mark_are_lost_together_and_the_next_run_goes_on() {
    let mut server = OwnServer::start(ASLEEP);
    let database = server.database();
    let pack = pack(20, true);
    let strata = Strata::on(&database).path(pack.path());
    database.run(
        "create table go ();
         create function wait_until_go() returns void language plpgsql as $$
         begin
             while not exists (select from go) loop perform pg_sleep(0.02); end loop;
         end $$",
    );
    let run = strata.start(&["up"]);
    database.until("select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')");
    crash(&mut server, &database);
    run.end().exits(10);
    assert_eq!(at_odds(&database), Vec::<i64>::new());
    database.run("insert into go default values");
    strata.run(&["up"]).ok();
    let applied: i64 = database.value("select count(*) from strata.migration where state = 'applied'");
    assert_eq!((applied, at_odds(&database)), (21, vec![]));
    let twice: i64 = database.value(
        "select count(*) from (select from strata.history where event = 'succeeded' group by version having count(*) > 1) h",
    );
    assert_eq!(twice, 0, "what was told as done and is lost leaves no trace that it was");
}
