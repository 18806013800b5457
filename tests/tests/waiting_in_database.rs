//! Runs in the database that wait for others: how long is the caller's to say, and who is in the way can be read.

use postgres::Client;
use strata_tests::{Database, Folder, Strata};

fn push(database: &Database, files: &[(&str, &str)]) {
    Strata::on(database).path(Folder::of(files).path()).run(&["push"]).ok();
}

/// A table, and a session whose transaction writes it.
fn writer(database: &Database) -> (Client, i32) {
    database.run("create table t (x int)");
    let mut writer = database.connect();
    let pid = writer.query_one("select pg_backend_pid()", &[]).expect("a pid").get(0);
    writer.batch_execute("begin; insert into t values (1)").expect("writes");
    (writer, pid)
}

/// Starts a run of a session with these settings.
fn start(database: &Database, settings: &str) -> String {
    let mut session = database.connect();
    session.batch_execute(settings).expect("settings");
    session.query_one("select strata.start_run('pack')::text", &[]).expect("started").get(0)
}

/// State, SQLSTATE, message and hint of a run that has ended.
fn ended(database: &Database, run: &str) -> [String; 4] {
    database.until(&format!("select state not in ('queued', 'running') from strata.run where id = '{run}'"));
    let rows = database.rows(
        "select r.state, coalesce(r.sqlstate, ''), coalesce(r.message, ''),
                coalesce((select s.hint from strata.run_step s where s.run = r.id and s.state = 'failed'), '')
         from strata.run r where r.id::text = $1",
        &[&run],
    );
    [0, 1, 2, 3].map(|column| rows[0].get(column))
}

#[test]
fn a_step_tries_for_its_lock_as_long_as_the_caller_has_set() {
    let database = Database::installed();
    let (other, pid) = writer(&database);
    push(&database, &[("1_a.up.sql", "alter table t add y int")]);
    let settings = "set strata.table_lock_timeout = '20ms'; set strata.table_lock_patience = '1s'";
    let run = start(&database, settings);
    let [state, code, message, hint] = ended(&database, &run);
    assert_eq!((state.as_str(), code.as_str()), ("failed", "55P03"), "{message}");
    assert!(message.contains("no lock on t") && message.contains(&format!("pid {pid} ")), "{message}");
    assert!(hint.contains("strata.table_lock_patience"), "{hint}");
    drop(other);
    // Whoever resumes it says how long it waits from now on.
    let mut session = database.connect();
    session.batch_execute("set strata.index_wait = '7min'").expect("set");
    session.batch_execute(&format!("select strata.resume_run('{run}')")).expect("resumed");
    assert_eq!(ended(&database, &run)[0], "succeeded");
    let kept: String =
        database.value(&format!("select (request -> 'patience')::text from strata.run where id = '{run}'"));
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("an object");
    let expected =
        serde_json::json!({"table_lock_timeout": 500, "table_lock_patience": 60, "index_wait": 420});
    assert_eq!(kept, expected);
}

#[test]
fn an_index_build_waits_for_others_as_long_as_the_caller_has_set() {
    let database = Database::installed();
    let (_other, pid) = writer(&database);
    push(&database, &[("1_a.up.sql", "create index concurrently t_x on t (x)")]);
    let run = start(&database, "set strata.index_wait = '1500ms'");
    let [state, code, message, hint] = ended(&database, &run);
    assert_eq!((state.as_str(), code.as_str()), ("failed", "55P03"), "{message}");
    assert!(message.contains("waited 2 s for") && message.contains(&format!("pid {pid} ")), "{message}");
    assert!(hint.contains("strata.index_wait"), "{hint}");
}

#[test]
fn who_is_in_the_way_of_an_index_build_is_an_event_of_the_run() {
    let database = Database::installed();
    let (mut other, pid) = writer(&database);
    push(&database, &[("1_a.up.sql", "create index concurrently t_x on t (x)")]);
    let run = start(&database, "");
    let blocked = format!(
        "select exists (select from strata.run_event where run = '{run}' and kind = 'blocked'
                        and text like 'waiting for pid {pid} (%')"
    );
    database.until(&blocked);
    let told: Option<String> =
        database.value(&format!("select last_event from strata.run_progress('{run}')"));
    assert!(told.as_deref().is_some_and(|event| event.starts_with("blocked: waiting for pid ")), "{told:?}");
    other.batch_execute("commit").expect("ends");
    assert_eq!(ended(&database, &run)[0], "succeeded");
    let events = "select count(*) from strata.run_event where kind = 'blocked'";
    assert_eq!(database.value::<i64>(events), 1, "told once, however long it lasts");
    database.until(
        "select not exists (select from pg_stat_activity
                            where backend_type = 'strata lookout' and datname = current_database())",
    );
}

#[test]
fn a_wait_that_is_no_time_is_refused_where_it_is_set() {
    let database = Database::installed();
    database.run("select strata.version()");
    for (name, value) in [
        ("index_wait", "'soon'"),
        ("index_wait", "-1"),
        ("table_lock_timeout", "0"),
        ("table_lock_patience", "'90GB'"),
    ] {
        let (code, message) = database.refusal(&format!("set strata.{name} = {value}"));
        assert_eq!(code, "22023", "{message}");
        assert!(message.contains(&format!("strata.{name}")), "{message}");
    }
}
