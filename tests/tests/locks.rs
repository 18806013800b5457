//! `strata locks`: who waits for whom, and the end of one of them once that is confirmed.

use postgres::Client;
use std::thread::JoinHandle;
use strata_tests::{Database, Strata};

/// A reader that is idle in its transaction, a statement that wants the table for itself, and a writer behind that.
struct Queue {
    database: Database,
    reader: Client,
    pids: [i32; 3],
    waiters: Vec<JoinHandle<Result<(), postgres::Error>>>,
}

impl Queue {
    fn new() -> Queue {
        let database = Database::installed();
        database.run("create table t (x int)");
        let mut sessions = [database.connect(), database.connect(), database.connect()];
        let pids =
            sessions.each_mut().map(|s| s.query_one("select pg_backend_pid()", &[]).expect("a pid").get(0));
        let [mut reader, changer, writer] = sessions;
        reader.batch_execute("begin; select count(*) from t").expect("reads");
        let mut waiters = Vec::new();
        let waits = [(changer, "alter table t add y int"), (writer, "insert into t (x) values (1)")];
        for (at, (mut session, sql)) in waits.into_iter().enumerate() {
            waiters.push(std::thread::spawn(move || session.batch_execute(sql)));
            database.until(&format!(
                "select exists (select from pg_locks where pid = {} and not granted)",
                pids[at + 1]
            ));
        }
        Queue { database, reader, pids, waiters }
    }

    fn strata(&self) -> Strata {
        Strata::on(&self.database)
    }

    fn outcomes(self) -> Vec<Option<String>> {
        let code = |error: postgres::Error| error.as_db_error().map(|error| error.code().code().to_owned());
        self.waiters
            .into_iter()
            .map(|waiter| waiter.join().expect("a session").err().and_then(code))
            .collect()
    }
}

#[test]
fn the_tree_has_its_root_first_and_marks_who_is_idle_in_a_transaction() {
    let queue = Queue::new();
    let [reader, changer, writer] = queue.pids;
    let json = queue.strata().run(&["locks", "--json"]).ok().json();
    let found: Vec<_> = json["sessions"].as_array().expect("sessions").iter().collect();
    let told: Vec<_> =
        found.iter().map(|s| (s["depth"].as_i64(), s["pid"].as_i64(), s["blocks"].as_i64())).collect();
    let expected = [(0, reader, 2), (1, changer, 1), (2, writer, 0)];
    assert_eq!(told, expected.map(|(depth, pid, n)| (Some(depth), Some(pid.into()), Some(n))), "{json}");
    let [root, change, write] = [found[0], found[1], found[2]];
    assert_eq!(
        (&root["idle_in_transaction"], &root["relation"], &root["mode"]),
        (&true.into(), &"public.t".into(), &"AccessShareLock".into())
    );
    assert_eq!((&change["mode"], &change["waits_for"][0]), (&"AccessExclusiveLock".into(), &reader.into()));
    assert_eq!((&write["mode"], &write["waits_for"][0]), (&"RowExclusiveLock".into(), &changer.into()));
    assert!(change["waiting_seconds"].is_f64() && root["transaction_seconds"].is_f64(), "{json}");

    let text = queue.strata().run(&["locks"]).ok().stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with(&format!(
            "pid {reader} (owner, IDLE IN TRANSACTION, holds AccessShareLock on public.t, blocks 2"
        )),
        "{text}"
    );
    assert!(lines[1].starts_with(&format!("└ pid {changer} (owner, active, waits ")), "{text}");
    assert!(
        lines[2].starts_with(&format!("  └ pid {writer} "))
            && lines[2].ends_with(": insert into t (x) values (1)"),
        "{text}"
    );
}

#[test]
fn where_nobody_waits_it_says_so() {
    let database = Database::installed();
    assert_eq!(Strata::on(&database).run(&["locks"]).ok().stdout, "nobody waits\n");
    assert_eq!(
        Strata::on(&database).run(&["locks", "--json"]).ok().json()["sessions"],
        serde_json::json!([])
    );
    let none = Database::empty();
    Strata::on(&none).run(&["locks"]).exits(22).says(&["strata is not installed in "]);
}

#[test]
fn cancelling_a_statement_needs_a_word_and_lets_the_others_go_on() {
    let queue = Queue::new();
    let [_, changer, _] = queue.pids.map(|pid| pid.to_string());
    queue
        .strata()
        .run(&["locks", "--cancel", &changer])
        .exits(11)
        .says(&["not confirmed: cancel pid ", "--yes"]);
    assert_eq!(queue.database.value::<i64>("select count(*) from strata.lock_tree()"), 3, "nothing happened");
    let done = queue.strata().run(&["locks", "--cancel", &changer, "--yes"]).ok();
    assert!(done.stdout.starts_with(&format!("cancelled pid {changer} (owner")), "{}", done.stdout);
    assert_eq!(queue.outcomes(), [Some("57014".to_owned()), None]);
}

#[test]
fn an_idle_transaction_is_ended_with_its_session() {
    let mut queue = Queue::new();
    let reader = queue.pids[0].to_string();
    let idle = queue.strata().run(&["locks", "--cancel", &reader, "--yes"]).exits(2);
    idle.says(&["there is no statement to cancel in pid ", &format!("strata locks --terminate {reader}")]);
    let done = queue.strata().run(&["locks", "--terminate", &reader, "--yes", "--json"]).ok().json();
    assert_eq!((&done["pid"], &done["action"]), (&queue.pids[0].into(), &"terminate".into()));
    assert!(queue.reader.batch_execute("select 1").is_err(), "it is gone");
    assert_eq!(queue.outcomes(), [None, None]);
}

#[test]
fn whoever_is_in_nobodys_way_is_left_alone() {
    let queue = Queue::new();
    let writer = queue.pids[2].to_string();
    let strata = queue.strata();
    strata.run(&["locks", "--cancel", &writer, "--yes"]).exits(2).says(&["nobody waits for pid ", "--force"]);
    strata
        .run(&["locks", "--terminate", "1", "--yes"])
        .exits(24)
        .says(&["no session with pid 1 in this database"]);
    strata.run(&["locks", "--cancel", &writer, "--yes", "--force"]).ok();
    queue.database.run(&format!("select pg_terminate_backend({})", queue.pids[0]));
    assert_eq!(queue.outcomes(), [None, Some("57014".to_owned())]);
}

#[test]
fn a_role_without_rights_sees_who_waits_and_not_what_they_say() {
    let queue = Queue::new();
    let mut session = queue.database.session();
    session
        .batch_execute(
            "do $$ begin create role strata_locks; exception when duplicate_object or unique_violation then end $$;
             grant usage on schema strata to strata_locks; set role strata_locks",
        )
        .expect("a role");
    let rows =
        session.query("select pid, query, state, mode from strata.lock_tree()", &[]).expect("the tree");
    let pids: Vec<i32> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(pids, queue.pids);
    assert_eq!(rows[1].get::<_, Option<&str>>(1), Some("<insufficient privilege>"));
    assert_eq!((rows[1].get::<_, Option<&str>>(2), rows[1].get::<_, &str>(3)), (None, "AccessExclusiveLock"));
    let refused = session.query_one("select pg_cancel_backend($1)", &[&queue.pids[1]]);
    let (code, _) = strata_tests::database::refusal(refused, "a cancel");
    assert_eq!(code, "42501");
}
