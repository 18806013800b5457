//! A dry run against a list of answers: what it sends instead of what a run would send, and what it makes of what comes back.

use super::*;
use crate::plan::{Direction, Target};
use crate::run::tests::{called, row};
use crate::statement::Reply;

/// What an undisturbed server answers: a relation that is there, and a clock that stands still.
fn calm(name: &str) -> Reply {
    Ok(match name {
        "lock" => vec![row(&["true"])],
        "claim" => vec![row(&["11111111-1111-1111-1111-111111111111", "1"])],

        "dry_run_relations" => vec![row(&["now", "100", "7"]), row(&["relation", "16384", "public.t", "r"])],
        "dry_run_limits" => vec![row(&["now", "100"])],
        "dry_run_look" => vec![row(&["now", "130", "7"])],
        "dry_run_end" => vec![row(&["aborted"])],
        _ => Vec::new(),
    })
}

fn dry(files: &[(&str, &str)]) -> DryRun {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let pack = Pack::read("p", None, files).expect("a pack");
    let limits = Limits { give_way_ms: 200, hold_ms: 1000, statement_ms: 0 };
    DryRun::new(pack, Request::new(Direction::Up, Target::All), limits, false)
}

/// Drives it to its end. `server` answers by the name of a statement; None means [`calm`].
fn drive(
    dry: &mut DryRun,
    mut server: impl FnMut(&str, &mut DryRun) -> Option<Reply>,
) -> (Vec<String>, Result<Report, Error>) {
    let mut sent = Vec::new();
    for _ in 0..2000 {
        match dry.turn() {
            Next::Run(statement) => {
                let name = called(&statement);
                let reply = server(&name, dry).unwrap_or_else(|| calm(&name));
                sent.push(name);
                dry.replied(reply);
            }
            Next::Wait(_) => sent.push("(wait)".into()),
            Next::Tell(_) => {}
            Next::Together(_) => panic!("apart"),
            Next::Done(outcome) => return (sent, outcome),
        }
    }
    panic!("it does not end: {sent:?}");
}

fn broken(sqlstate: &str, message: &str) -> Option<Reply> {
    Some(Err(DbError { sqlstate: sqlstate.into(), message: message.into(), ..Default::default() }))
}

const MIXED: [(&str, &str); 1] =
    [("1_a.up.sql", "begin; create table a (); commit; create index concurrently i on t (x); vacuum")];

#[test]
fn nothing_that_it_sends_could_commit() {
    let (sent, outcome) = drive(&mut dry(&MIXED), |_, _| None);
    assert_eq!(outcome.expect("it passes").moved.len(), 1);
    assert_eq!(sent.iter().filter(|sql| *sql == "begin").count(), 1);
    assert!(!sent.iter().any(|sql| sql.starts_with("commit") || sql.contains("concurrently")), "{sent:?}");
    assert!(!sent.contains(&"vacuum".to_owned()));
    assert_eq!(sent[sent.len() - 3..], ["rollback", "dry_run_end", "unlock"]);
}

#[test]
fn what_it_left_out_is_not_called_passed() {
    let mut dry = dry(&MIXED);
    drive(&mut dry, |_, _| None).1.expect("it passes");
    let steps = dry.trial().steps;
    let passed: Vec<bool> = steps.iter().map(|step| step.verdict == Verdict::Passed).collect();
    assert_eq!(passed, [true, true, false, true], "{steps:?}");
    assert_eq!(steps[1].remarks, ["tried without \"concurrently\""]);
}

#[test]
fn a_transaction_that_is_not_its_own_any_more_is_told_loudly() {
    for (told, status) in [("8", "aborted"), ("7", "committed")] {
        let (sent, outcome) = drive(&mut dry(&MIXED), |name, _| match name {
            "dry_run_look" => Some(Ok(vec![row(&["now", "130", told])])),
            "dry_run_end" => Some(Ok(vec![row(&[status])])),
            _ => None,
        });
        let error = outcome.expect_err("it is told");
        assert_eq!((error.sqlstate(), error.kind()), ("25000", Kind::Failed), "{error}");
        assert!(sent.contains(&"rollback".to_owned()));
    }
}

#[test]
fn locks_count_from_the_first_that_others_could_wait_for() {
    let file = [("1_a.up.sql", "select 1; select 2; select 3; select 4")];
    let mut dry = dry(&file);
    let mut clock = 0;
    let (sent, outcome) = drive(&mut dry, |name, _| match name {
        "dry_run_limits" => Some(Ok(vec![row(&["now", &clock.to_string()])])),
        "dry_run_look" => {
            clock += 700;
            let lock = row(&["lock", "16384", "AccessExclusiveLock"]);
            let new = row(&["lock", "99999", "AccessExclusiveLock"]);
            let now = row(&["now", &clock.to_string(), "7"]);
            Some(Ok(if clock > 700 { vec![now, lock, new] } else { vec![now, new] }))
        }
        _ => None,
    });
    outcome.expect("nothing failed");
    // 700 ms on what nobody else sees; the lock came with the second statement, and the fourth is over the limit.
    assert!(sent.contains(&"select 3".to_owned()) && !sent.contains(&"select 4".to_owned()), "{sent:?}");
    let trial = dry.trial();
    assert!(
        matches!(&trial.ended, Some(Ended::Busy(why)) if why == "it had held locks for 1 s"),
        "{trial:?}"
    );
    assert_eq!(trial.steps[0].locks.len(), 1);
}

#[test]
fn it_gives_way_at_once_and_undoes_everything() {
    let mut dry = dry(&MIXED);
    let (sent, outcome) = drive(&mut dry, |name, dry| {
        (name == "create table a ()")
            .then(|| dry.give_way("pid 7"))
            .and_then(|()| broken("57014", "cancelled"))
    });
    outcome.expect("nothing failed");
    assert_eq!(sent[sent.len() - 4..], ["create table a ()", "rollback", "dry_run_end", "unlock"]);
    let trial = dry.trial();
    assert_eq!(trial.ended, Some(Ended::Busy("it gave way to pid 7".into())));
    assert_eq!(trial.count(|verdict| *verdict == Verdict::Passed), 0);
}

#[test]
fn a_failure_ends_it_as_it_would_end_the_run() {
    let mut dry = dry(&MIXED);
    let (sent, outcome) =
        drive(
            &mut dry,
            |name, _| if name.starts_with("create index") { broken("23505", "twice") } else { None },
        );
    let error = outcome.expect_err("it fails");
    assert_eq!(error.to_string(), "version 1 (a) step 2, 1_a.up.sql line 1: twice (SQLSTATE 23505)");
    assert_eq!(sent.last().map(String::as_str), Some("unlock"));
    assert!(matches!(dry.trial().steps[1].verdict, Verdict::Failed(_)));
    assert_eq!(dry.trial().steps[2].verdict, Verdict::NotTried("not reached".into()));
}

#[test]
fn a_connection_that_is_lost_is_told() {
    let gone = DbError { sqlstate: "08006".into(), fatal: true, ..Default::default() };
    let (sent, outcome) = drive(&mut dry(&MIXED), |name, _| (name == "register").then(|| Err(gone.clone())));
    assert_eq!(outcome.expect_err("it is gone").kind(), Kind::CannotConnect);
    assert_eq!(sent.last().map(String::as_str), Some("register"));
}
