//! Bad days of the server and of the line to it: each is told in one line with its exit code, the state stays true, and the
//! same command goes on afterwards. A lock that is never to be had: long_reader.rs; kills: crash.rs, kill_matrix.rs.

use std::process::Command;
use strata_tests::environment::FULL;
use strata_tests::own_server::{OwnServer, is_root};
use strata_tests::pooler::Pooler;
use strata_tests::proxy::Proxy;
use strata_tests::{Database, Folder, Strata, dump};

/// Two steps, of which the second stops until it is let go.
const SLOW: &str =
    "create table slow (x int);\n-- strata: new transaction\ninsert into slow select stop_until_go()";

fn slow() -> Folder {
    Folder::of(&[("001_slow.up.sql", SLOW), ("002_more.up.sql", "create table more ()")])
}

/// What [`slow`] needs.
fn prepare(database: &Database) {
    database.run(
        "create table go ();
         create function stop_until_go() returns int language plpgsql as $$
         begin
             while not exists (select from go) loop perform pg_sleep(0.02); end loop;
             return 1;
         end $$",
    );
}

fn until_stopped(database: &Database) {
    database.until(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')",
    );
}

fn let_go(database: &Database) {
    database.run("insert into go default values");
}

/// Run, step and version, in one line.
fn state(database: &Database) -> String {
    database.value(
        "select concat_ws(' ', r.state, r.sqlstate, s.state, m.state)
         from strata.run r
         left join lateral (select * from strata.run_step x where x.run = r.id order by x.started_at desc limit 1) s on true
         left join strata.migration m on m.pack = r.pack and m.version = s.version",
    )
}

fn assert_whole(database: &Database) {
    assert_eq!(
        database.column::<String>("select state from strata.migration order by version"),
        ["applied", "applied"]
    );
    assert_eq!(database.column::<i32>("select x from slow"), [1], "written once");
    assert!(database.value::<bool>("select to_regclass('more') is not null"));
}

#[test]
fn a_line_that_is_cut_in_the_middle_of_a_statement() {
    let (database, pack) = (Database::installed(), slow());
    prepare(&database);
    let port = FULL
        .url("")
        .rsplit(':')
        .next()
        .and_then(|rest| rest.trim_end_matches('/').parse().ok())
        .expect("a port");
    let proxy = Proxy::start(port, None);
    let url = database.url().replace(&format!(":{port}/"), &format!(":{}/", proxy.port()));
    let run = Strata::at(&url).path(pack.path()).start(&["up"]);
    until_stopped(&database);
    proxy.sever();
    run.end().exits(10).says(&["the connection was lost", "run the same command again"]);
    assert_eq!(state(&database), "running running applying", "as far as anybody knows");
    let_go(&database);
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
    assert_whole(&database);
}

#[test]
fn timeouts_that_the_role_or_the_database_has_for_the_application_do_not_end_a_run() {
    let (database, pack) = (Database::installed(), Folder::empty());
    let name = database.name().to_owned();
    let version: i32 = database.value("select current_setting('server_version_num')::int");
    let mut timeouts = vec![
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "idle_session_timeout",
        "lock_timeout",
    ];
    timeouts.extend((version >= 170_000).then_some("transaction_timeout"));
    for timeout in timeouts {
        database.run(&format!("alter database {name} set {timeout} = '300ms'"));
    }
    pack.write("001_a.up.sql", "create table a (); select pg_sleep(0.7); select pg_sleep(0.2)");
    pack.write("002_i.up.sql", "create index concurrently b_x on b (x); call slowly()");
    database.run("create table b (x int); create procedure slowly() language sql as 'select pg_sleep(0.7)'");
    let mut session = database.connect();
    session.batch_execute("set idle_in_transaction_session_timeout = 0").expect("set");
    if version >= 170_000 {
        session.batch_execute("set transaction_timeout = 0").expect("set");
    }
    let mut open = session.transaction().expect("a transaction");
    open.execute("insert into b values (1)", &[]).expect("a row");
    let run = Strata::on(&database).path(pack.path()).start(&["up"]);
    // Longer than the lock timeout of the role.
    run.until("waiting for pid ");
    open.commit().expect("committed");
    run.end().ok();
    let timed: String =
        Database::connect(&database).query_one("show statement_timeout", &[]).expect("shown").get(0);
    assert_eq!(timed, "300ms", "the application keeps its own");
}

#[test]
fn a_statement_timeout_of_the_file_fails_the_step() {
    let database = Database::installed();
    let pack = Folder::of(&[(
        "001_a.up.sql",
        "set statement_timeout = '100ms'; create table a (); select pg_sleep(60)",
    )]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(1).says(&[
        "version 1 (a) step 1, 001_a.up.sql line 1: canceling",
        "57014",
        "the file sets a statement_timeout",
    ]);
    assert_eq!(state(&database), "failed 57014 failed applying");
    pack.write("001_a.up.sql", "create table a (); select pg_sleep(0)");
    strata.run(&["up"]).ok();
}

#[test]
fn a_statement_that_somebody_else_cancels_fails_the_step_and_the_same_command_goes_on() {
    let (database, pack) = (Database::installed(), slow());
    prepare(&database);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    until_stopped(&database);
    database.run(
        "select pg_cancel_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event = 'PgSleep' and pid <> pg_backend_pid()",
    );
    run.end().exits(1).says(&[
        "version 1 (slow) step 2, 001_slow.up.sql line 3",
        "canceling statement due to user request",
        "57014",
    ]);
    assert_eq!(state(&database), "failed 57014 failed applying");
    let_go(&database);
    strata.run(&["up"]).ok();
    assert_whole(&database);
}

#[test]
fn a_run_that_is_cancelled_says_so_and_the_same_command_goes_on() {
    let (database, pack) = (Database::installed(), slow());
    prepare(&database);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    until_stopped(&database);
    assert!(database.value::<bool>("select strata.cancel_run(id) from strata.run"));
    run.end().exits(130).says(&["version 1 (slow) step 2", "cancelled", "run the same command to go on"]);
    assert_eq!(state(&database), "cancelled 57014 failed applying");
    let_go(&database);
    strata.run(&["up"]).ok();
    assert_whole(&database);
}

#[test]
fn a_pooler_in_transaction_mode_is_refused_before_anything_is_changed() {
    let database = Database::empty();
    let pack = Folder::of(&[("001_a.up.sql", "create table a ()"), ("001_a.down.sql", "drop table a")]);
    let before = dump(&database);
    for mode in ["transaction", "statement"] {
        let pooler = Pooler::start(&FULL, mode);
        let strata = Strata::at(&pooler.url(database.name())).path(pack.path());
        // Again and again: what an earlier one left in the pool does not hide it.
        for words in [&["up"][..], &["up", "1"], &["down"]] {
            let says = ["is a connection pooler in transaction mode", "port 5432"];
            strata.run(words).exits(12).says(&says);
        }
    }
    assert!(before == dump(&database), "nothing changed");
    let pooler = Pooler::start(&FULL, "session");
    Strata::at(&pooler.url(database.name())).path(pack.path()).run(&["up"]).ok();
    assert!(database.value::<bool>("select to_regclass('a') is not null"));
}

#[test]
fn a_session_that_may_only_read_is_refused() {
    let (database, pack) = (Database::empty(), Folder::of(&[("001_a.up.sql", "create table a ()")]));
    let name = database.name().to_owned();
    let strata = Strata::on(&database).path(pack.path());
    database.run(&format!("alter database {name} set default_transaction_read_only = on"));
    let refused =
        strata.run(&["up", "--json"]).exits(28).says(&["may only read", "default_transaction_read_only"]);
    assert_eq!(refused.json()["error"]["code"], "25006");
    strata.clone().env("PGOPTIONS", "-c default_transaction_read_only=off").run(&["up"]).ok();
}

#[test]
fn a_standby_is_refused_and_names_its_primary() {
    let primary = OwnServer::start("wal_level = replica\nmax_wal_senders = 4\n");
    let database = primary.database();
    let pack = Folder::of(&[("001_a.up.sql", "create table a ()"), ("002_b.up.sql", "create table b ()")]);
    Strata::on(&database).path(pack.path()).run(&["up", "1"]).ok();
    let mut standby = OwnServer::standby_of(&primary, "hot_standby = on");
    standby.until("the standby does not start", |answer| answer.is_ok());
    let there = Strata::at(&standby.url(database.name())).path(pack.path());
    let primary_is = format!("127.0.0.1:{}", primary.port());
    standby.until("it does not follow", |answer| {
        let follows = "select exists (select from pg_stat_wal_receiver where status = 'streaming')";
        answer.is_ok_and(|mut client| client.query_one(follows, &[]).is_ok_and(|row| row.get(0)))
    });
    there.run(&["up"]).exits(28).says(&[
        "is a standby, which may only be read",
        "connect to the primary",
        &primary_is,
    ]);
    assert!(there.run(&["status"]).ok().stdout.contains("pending"), "what is asked is answered there too");
    // A standby that lets nobody in.
    standby.stop();
    standby.set("hot_standby = off");
    standby.run();
    standby.until("it lets somebody in", |answer| code(answer) == Some("57P03".into()));
    there.run(&["up"]).exits(10).says(&["57P03", "cannot connect to 127.0.0.1:"]);
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
}

fn code(answer: Result<postgres::Client, postgres::Error>) -> Option<String> {
    Some(answer.err()?.as_db_error()?.code().code().to_owned())
}

#[test]
fn a_server_without_a_free_connection_lets_a_run_end_and_refuses_the_next() {
    let server = OwnServer::start(
        "max_connections = 8\nsuperuser_reserved_connections = 0\nreserved_connections = 0\n",
    );
    let (database, pack) = (server.database(), slow());
    prepare(&database);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    until_stopped(&database);
    let mut others = Vec::new();
    while let Ok(client) = postgres::Client::connect(&database.url(), postgres::NoTls) {
        others.push(client);
    }
    strata.run(&["up"]).exits(10).says(&["53300", "close other connections, or raise max_connections"]);
    let_go(&database);
    run.end().ok();
    assert_whole(&database);
    others.clear();
    strata.run(&["up"]).ok();
}

#[test]
fn a_server_that_is_stopped_in_the_middle_of_a_step() {
    let mut server = OwnServer::start("");
    let (database, pack) = (server.database(), slow());
    prepare(&database);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    until_stopped(&database);
    server.stop();
    run.end()
        .exits(10)
        .says(&["the connection was lost: terminating connection due to administrator command"]);
    strata.run(&["up"]).exits(10).says(&["connection refused"]);
    server.go();
    database.reconnect();
    assert_eq!(state(&database), "running running applying");
    assert!(
        !database.value::<bool>("select alive from strata.run r, strata.run_progress(r.id)"),
        "its executor is gone"
    );
    let_go(&database);
    strata.run(&["up"]).ok();
    assert_whole(&database);
}

/// Where there is no room for the index of the pack: a file system that is full, or a limit on the size of files.
struct Full {
    server: OwnServer,
    mounted: Option<std::path::PathBuf>,
}

impl Full {
    /// None where we may not mount one.
    fn mounted() -> Option<Full> {
        let server = OwnServer::start("");
        let place = server.home().path().join("small");
        std::fs::create_dir(&place).expect("a folder");
        let small =
            is_root() && mount(&["-t", "tmpfs", "-o", "size=4m", "strata", &place.display().to_string()]);
        small.then(|| {
            server.home().give(&place);
            Full { server, mounted: Some(place) }
        })
    }

    /// Anybody may. Larger than a segment of the log, and than the table. Unit of the shell: 512 bytes.
    fn limited() -> Full {
        Full { server: OwnServer::limited("", "ulimit -f 40960;"), mounted: None }
    }

    /// Of the statement that needs the room.
    fn tablespace(&self, database: &Database) -> String {
        let Some(place) = &self.mounted else { return String::new() };
        database.run(&format!("create tablespace small location '{}'", place.display()));
        "tablespace small".to_owned()
    }

    fn make_room(&mut self, database: &Database) {
        match &self.mounted {
            Some(place) => assert!(mount(&["-o", "remount,size=200m", &place.display().to_string()])),
            None => {
                self.server.stop();
                self.server.limit("");
                self.server.go();
                database.reconnect();
            }
        }
    }
}

impl Drop for Full {
    fn drop(&mut self) {
        self.server.stop();
        if let Some(place) = &self.mounted {
            let _ = Command::new("umount").arg(place).status();
        }
    }
}

fn mount(words: &[&str]) -> bool {
    Command::new("mount").args(words).status().is_ok_and(|status| status.success())
}

#[test]
fn a_disk_that_is_full() {
    match Full::mounted() {
        Some(full) => no_room_for_the_index(full, "53100"),
        None => eprintln!("only root may mount a disk that can be filled"),
    }
}

#[test]
fn a_file_that_may_not_grow() {
    no_room_for_the_index(Full::limited(), "XX000");
}

fn no_room_for_the_index(mut full: Full, expected: &str) {
    let database = full.server.database();
    let place = full.tablespace(&database);
    let table = "create table t as select md5(n::text) as x from generate_series(1, 200000) n";
    let index = format!("create index concurrently t_x on t ((x || x || x || x || x || x)) {place}");
    let copy = format!("create table u {place} as select repeat(x, 6) as x from t");
    let pack = Folder::of(&[("001_t.up.sql", table), ("002_i.up.sql", &index), ("003_u.up.sql", &copy)]);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(1).says(&[
        "version 2 (i) step 1, 002_i.up.sql line 1: could not ",
        "file",
        expected,
    ]);
    assert_eq!(state(&database), format!("failed {expected} failed applying"));
    let indexes = "select count(*) from pg_index where indrelid = 't'::regclass";
    assert_eq!(database.value::<i64>(indexes), 0, "the unfinished index is gone: it would fill the disk");
    full.make_room(&database);
    strata.run(&["up"]).ok();
    assert_eq!(database.value::<i64>(indexes), 1);
    assert_eq!(database.value::<i64>("select count(*) from u"), 200_000);
}
