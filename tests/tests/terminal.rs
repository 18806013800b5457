//! Questions that are asked on a terminal only: a yes does it, everything else leaves all as it was.

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};
use strata_tests::{Database, Folder, Strata};

/// Longest that a question or an end may take. Unit: milliseconds.
const PATIENCE: u64 = 60_000;

/// Everything that is no yes; the last is a terminal that has no more to say.
const NO: [&str; 6] = ["n", "", "yes", "no", "yy", "\u{4}"];

/// The command line on a terminal, when it has asked.
fn asked(strata: &Strata, words: &[&str], question: &str) -> PtySession {
    let mut terminal = spawn_command(strata.command(words), Some(PATIENCE)).expect("a terminal");
    terminal.exp_string(question).unwrap_or_else(|e| panic!("{words:?}: {e}"));
    terminal
}

/// Answers; what is said then, and the exit code.
fn answered(mut terminal: PtySession, answer: &str) -> (String, i32) {
    match answer {
        "\u{4}" => terminal.send_control('d').expect("sent"),
        line => drop(terminal.send_line(line).expect("sent")),
    }
    let said = terminal.exp_eof().expect("an end");
    match terminal.process().wait().expect("an end") {
        WaitStatus::Exited(_, code) => (said, code),
        other => panic!("{other:?}: {said}"),
    }
}

/// Interrupts; how the process ended.
fn interrupted(mut terminal: PtySession) -> WaitStatus {
    terminal.send_control('c').expect("sent");
    terminal.exp_eof().expect("an end");
    terminal.process().wait().expect("an end")
}

fn is_interrupt(status: WaitStatus) -> bool {
    matches!(status, WaitStatus::Signaled(_, Signal::SIGINT, _) | WaitStatus::Exited(_, 130))
}

fn pack() -> Folder {
    Folder::of(&[
        ("1_a.up.sql", "create table a ()"),
        ("1_a.down.sql", "drop table a"),
        ("2_b.up.sql", "create table b ()"),
        ("2_b.down.sql", "drop table b"),
    ])
}

fn tables(database: &Database) -> Vec<String> {
    database.column("select relname::text from pg_class where relname in ('a', 'b') order by 1")
}

/// A question before something that takes every table away.
fn only_a_yes_takes_the_tables_away(words: &[&str], question: &str, refusal: &str) {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    for no in NO {
        let (said, code) = answered(asked(&strata, words, question), no);
        assert_eq!(code, 11, "{no:?}: {said}");
        assert!(said.contains(refusal), "{no:?}: {said}");
        assert_eq!(tables(&database), ["a", "b"], "{no:?}");
    }
    let ended = interrupted(asked(&strata, words, question));
    assert!(is_interrupt(ended), "{ended:?}");
    assert_eq!(tables(&database), ["a", "b"]);
    let (said, code) = answered(asked(&strata, words, question), "Y");
    assert_eq!(code, 0, "{said}");
    assert!(tables(&database).is_empty());
}

#[test]
fn drop_asks() {
    let question = "Are you sure you want to drop the entire database schema? [y/N]";
    only_a_yes_takes_the_tables_away(&["drop"], question, "Aborted dropping the entire database schema");
}

#[test]
fn down_all_asks() {
    let question = "Are you sure you want to apply all down migrations? [y/N]";
    only_a_yes_takes_the_tables_away(&["down", "--all"], question, "Not applying all down migrations");
}

#[test]
fn down_without_a_number_takes_one_version_and_force_runs_nothing_so_neither_asks() {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).ok();
    for words in [&["down"][..], &["force", "1"]] {
        let mut terminal = spawn_command(strata.command(words), Some(PATIENCE)).expect("a terminal");
        let said = terminal.exp_eof().expect("an end");
        let ended = terminal.process().wait().expect("an end");
        assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}: {said}");
        assert!(!said.contains("[y/N]"), "{said}");
    }
    assert_eq!(tables(&database), ["a"]);
}

#[test]
fn cancelling_and_terminating_a_session_ask() {
    let database = Database::installed();
    let mut holder = database.connect();
    database.run("create table t (x int)");
    holder.batch_execute("begin; lock table t").expect("holds");
    let pid: i32 = holder.query_one("select pg_backend_pid()", &[]).expect("a pid").get(0);
    let mut waiter = database.connect();
    let waiting = std::thread::spawn(move || waiter.batch_execute("select count(*) from t"));
    database.until("select exists (select from pg_locks where not granted and relation = 't'::regclass)");
    let strata = Strata::on(&database);
    let (pid, question) = (pid.to_string(), format!("terminate pid {pid} "));
    let words = ["locks", "--terminate", &pid];
    for no in NO {
        let (said, code) = answered(asked(&strata, &words, &question), no);
        assert_eq!(code, 11, "{no:?}: {said}");
        assert!(said.contains("not confirmed: terminate pid"), "{said}");
    }
    let ended = interrupted(asked(&strata, &words, &question));
    assert!(is_interrupt(ended), "{ended:?}");
    holder.batch_execute("select 1").expect("nobody has ended it");
    let (said, code) = answered(asked(&strata, &words, &question), "y");
    assert_eq!(code, 0, "{said}");
    waiting.join().expect("a session").expect("it waits no longer");
    assert!(holder.batch_execute("select 1").is_err(), "it was ended");
}
