//! A run against a list of answers: what it sends, in which order, whatever the server says.

use super::*;
use crate::error::{DbError, Kind};
use crate::statement::{Reply, Value};

/// What brings the session back.
const RESET: &str = "reset session authorization; reset role; reset all; set standard_conforming_strings = 'on'; \
                     set default_transaction_isolation = 'read committed'";

fn pack(files: &[(&str, &str)]) -> Pack {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Pack::read("p", None, files).expect("a pack")
}

pub(in crate::run) fn row(columns: &[&str]) -> Vec<Option<String>> {
    columns.iter().map(|c| Some((*c).to_owned())).collect()
}

/// The name of one of our statements, or the text of a verbatim one.
pub(in crate::run) fn called(statement: &Statement) -> String {
    let head = statement.sql.strip_prefix("-- ").and_then(|rest| rest.split_once(':')).map(|(name, _)| name);
    head.unwrap_or(&statement.sql).to_owned()
}

/// What an undisturbed server answers.
fn calm(name: &str) -> Reply {
    Ok(match name {
        "lock" => vec![row(&["true"])],
        "claim" => vec![row(&["11111111-1111-1111-1111-111111111111", "1"])],
        _ => Vec::new(),
    })
}

/// Drives a run to its end. `server` answers by the name of a statement; None means [`calm`].
fn drive(
    run: &mut Run,
    mut server: impl FnMut(&str) -> Option<Reply>,
) -> (Vec<String>, Result<Report, Error>) {
    let sent = std::cell::RefCell::new(Vec::new());
    let answer = |statement: &Statement| {
        let name = called(statement);
        let reply = server(&name).unwrap_or_else(|| calm(&name));
        sent.borrow_mut().push(name);
        reply
    };
    let outcome = turned(run, answer, || sent.borrow_mut().push("(wait)".into()));
    (sent.into_inner(), outcome)
}

/// Turns a run to its end, with these answers. Hears of each pause.
fn turned(
    run: &mut Run,
    mut server: impl FnMut(&Statement) -> Reply,
    mut waits: impl FnMut(),
) -> Result<Report, Error> {
    for _ in 0..2000 {
        match run.turn() {
            Next::Run(statement) => run.replied(server(&statement)),
            Next::Together(statements) => {
                for statement in statements {
                    let reply = server(&statement);
                    let failed = reply.is_err();
                    run.replied(reply);
                    if failed {
                        break;
                    }
                }
            }
            Next::Wait(_) => waits(),
            Next::Tell(_) => {}
            Next::Done(outcome) => return outcome,
        }
    }
    panic!("the run does not end");
}

fn broken(sqlstate: &str, message: &str) -> Option<Reply> {
    Some(Err(DbError { sqlstate: sqlstate.into(), message: message.into(), ..Default::default() }))
}

fn up(files: &[(&str, &str)]) -> Run {
    Run::new(pack(files), Request::new(Direction::Up, Target::All))
}

const MIXED: [(&str, &str); 2] = [
    ("1_a.up.sql", "create table t(x int); create index concurrently i on t(x)"),
    ("1_a.verify.sql", "select 'x', '1', '1', true"),
];

#[test]
fn tells_before_and_after_every_step_and_marks_the_version_with_the_last() {
    let (sent, outcome) = drive(&mut up(&MIXED), |name| {
        name.starts_with("select 'x'").then(|| Ok(vec![row(&["x", "1", "1", "t"])]))
    });
    assert_eq!(
        sent,
        [
            "variables",
            "migrations",
            "same_files",
            "ledgers",
            "lock",
            "variables",
            "migrations",
            "ledgers",
            "register",
            "claim",
            "steps",
            "step_start",
            "session",
            "begin",
            "create table t(x int)",
            "reset session authorization; reset role",
            "step_done",
            "commit",
            "step_start",
            "session",
            "index_state",
            "create index concurrently i on t(x)",
            "index_state",
            "reset session authorization; reset role",
            "step_done",
            "step_start",
            "session",
            "begin",
            "select 'x', '1', '1', true",
            "reset session authorization; reset role",
            "migration_done",
            "commit",
            RESET,
            "run_end",
            "unlock",
        ]
    );
    assert_eq!(outcome.expect("succeeds").moved, [(1, "a".to_owned())]);
}

#[test]
fn nothing_to_do_writes_nothing() {
    let files = [("1_a.up.sql", "select 1")];
    let checksum = crate::pack::checksum("select 1");
    let (sent, outcome) = drive(&mut up(&files), |name| {
        (name == "migrations").then(|| Ok(vec![row(&["1", "a", "applied", &checksum])]))
    });
    assert_eq!(sent, ["variables", "migrations", "ledgers"], "not even the lock is asked for");
    assert_eq!(outcome.expect("succeeds"), Report::default());
}

#[test]
fn a_run_that_died_behind_its_last_version_is_settled() {
    let files = [("1_a.up.sql", "select 1")];
    let checksum = crate::pack::checksum("select 1");
    let (sent, outcome) = drive(&mut up(&files), |name| {
        (name == "migrations").then(|| Ok(vec![row(&["1", "a", "applied", &checksum, "false", "true"])]))
    });
    assert_eq!(
        sent,
        [
            "variables",
            "migrations",
            "ledgers",
            "lock",
            "variables",
            "migrations",
            "ledgers",
            "settle",
            "unlock"
        ]
    );
    assert_eq!(outcome.expect("succeeds"), Report::default());
}

#[test]
fn a_failing_statement_is_undone_recorded_and_named() {
    let files = [("1_a.up.sql", "select 1;\nalter table t add check (x > 0)")];
    let (sent, outcome) = drive(&mut up(&files), |name| {
        name.starts_with("alter").then(|| broken("23514", "check is violated").expect("broken"))
    });
    let reset = RESET;
    assert_eq!(sent[sent.len() - 4..], ["rollback", reset, "step_failed", "unlock"]);
    let err = outcome.expect_err("fails");
    assert_eq!(
        err.to_string(),
        "version 1 (a) step 1, 1_a.up.sql line 2: check is violated (SQLSTATE 23514)"
    );
    assert_eq!((err.kind(), err.sqlstate()), (Kind::Failed, "23514"));
}

#[test]
fn a_failing_verification_undoes_the_version() {
    let (sent, outcome) = drive(&mut up(&[MIXED[1], ("1_a.up.sql", "select 1")]), |name| {
        name.starts_with("select 'x'").then(|| Ok(vec![row(&["x", "1", "2", "f"])]))
    });
    assert!(
        !sent.contains(&"migration_done".to_owned()) && sent.contains(&"rollback".to_owned()),
        "{sent:?}"
    );
    assert_eq!(outcome.expect_err("fails").kind(), Kind::VerificationFailed);
}

#[test]
fn a_deferred_constraint_that_fails_at_commit_fails_the_step() {
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "select 1")]), |name| {
        if name == "commit" { broken("23503", "foreign key") } else { None }
    });
    assert!(sent.ends_with(&[RESET.into(), "step_failed".into(), "unlock".into()]));
    assert!(outcome.expect_err("fails").to_string().contains("version 1 (a) step 1"));
}

#[test]
fn a_lock_that_is_not_to_be_had_is_tried_again_and_then_given_up() {
    let mut failures = 2;
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "drop table t")]), |name| {
        if name != "drop table t" || failures == 0 {
            return None;
        }
        failures -= 1;
        broken("55P03", "canceling statement due to lock timeout")
    });
    assert_eq!(sent.iter().filter(|s| *s == "rollback").count(), 2);
    assert!(sent.iter().filter(|s| *s == "(wait)").count() >= 2, "it pauses");
    assert_eq!(sent.iter().filter(|s| *s == "step_start").count(), 1);
    assert!(outcome.is_ok());

    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "drop table t")]), |name| match name {
        "drop table t" => broken("55P03", "lock timeout"),
        "blockers" => Some(Ok(vec![row(&["pid 7 (ann): select 1", "public.t"])])),
        _ => None,
    });
    let tries = sent.iter().filter(|s| *s == "drop table t").count();
    assert!((20..60).contains(&tries), "{tries} tries in a minute");
    let err = outcome.expect_err("given up");
    assert_eq!((err.sqlstate(), err.kind()), ("55P03", Kind::Locked));
    for part in
        ["version 1 (a) step 1, 1_a.up.sql line 1: no lock on public.t in ", "held by pid 7 (ann): select 1"]
    {
        assert!(err.to_string().contains(part), "{err}");
    }
    assert!(err.get_hint().is_some_and(|hint| hint.contains("--table-lock-timeout")), "{err:?}");
}

/// Answers for a run that an earlier attempt left at a version that is half-way up.
fn resumed(steps: Vec<Vec<Option<String>>>, index: Option<&str>) -> impl FnMut(&str) -> Option<Reply> {
    let mut index = index.map(|state| row(&[state, "\"public\".\"i\""]));
    move |name| match name {
        "migrations" => Some(Ok(vec![row(&["1", "a", "applying", "any"])])),
        "steps" => Some(Ok(steps.clone())),
        "index_state" => Some(Ok(index.take().into_iter().collect())),
        _ => None,
    }
}

fn sum(text: &str) -> String {
    crate::pack::checksum(text)
}

#[test]
fn resumes_behind_the_last_finished_step() {
    let (table, index) = (sum("create table t(x int)"), sum("create index concurrently i on t(x)"));
    let steps = vec![row(&["1", "1", &table, "done"]), row(&["1", "2", &index, "running"])];
    let (sent, outcome) = drive(&mut up(&MIXED[..1]), resumed(steps.clone(), Some("invalid")));
    assert!(outcome.is_ok() && !sent.contains(&"create table t(x int)".to_owned()), "{sent:?}");
    let drop = sent.iter().position(|s| s.starts_with("drop index concurrently if exists \"public\".\"i\""));
    let build = sent.iter().position(|s| s.starts_with("create index concurrently"));
    assert!(drop.is_some() && drop < build, "{sent:?}");

    let (sent, outcome) = drive(&mut up(&MIXED[..1]), resumed(steps, Some("valid")));
    assert!(
        outcome.is_ok() && !sent.iter().any(|s| s.starts_with("create index")),
        "built already: {sent:?}"
    );
}

#[test]
fn an_index_that_was_there_before_is_not_taken_for_ours() {
    let steps = vec![row(&["1", "1", &sum("create table t(x int)"), "done"])];
    let (sent, _) = drive(&mut up(&MIXED[..1]), resumed(steps, Some("valid")));
    assert!(sent.iter().any(|s| s.starts_with("create index")), "Postgres must say that it exists: {sent:?}");
}

#[test]
fn refuses_to_resume_over_a_finished_step_whose_text_changed() {
    let steps = vec![row(&["1", "1", &sum("create table other(x int)"), "done"])];
    let (sent, outcome) = drive(&mut up(&MIXED[..1]), resumed(steps, None));
    assert_eq!(outcome.expect_err("changed").kind(), Kind::Changed);
    assert!(!sent.contains(&"begin".to_owned()) && sent.ends_with(&["unlock".into()]), "{sent:?}");
}

/// A run of a file whose steps an earlier attempt began.
fn mended(
    text: &str,
    steps: &[(&str, &str, &str)],
    index: Option<&str>,
) -> (Vec<String>, Result<Report, Error>) {
    let steps = steps.iter().map(|(number, text, state)| row(&["1", number, &sum(text), state])).collect();
    drive(&mut up(&[("1_a.up.sql", text)]), resumed(steps, index))
}

#[test]
fn a_step_that_became_the_last_when_the_file_was_mended_still_marks_the_version() {
    let done = [("1", "create table t(x int)", "done"), ("2", "select 1/0", "failed")];
    let (sent, outcome) = mended("create table t(x int)", &done, None);
    assert!(outcome.is_ok() && !sent.contains(&"create table t(x int)".to_owned()), "{sent:?}");
    assert!(sent.contains(&"migration_done".to_owned()), "{sent:?}");
}

#[test]
fn refuses_a_file_that_has_lost_a_finished_step() {
    let done = [("1", "create table t(x int)", "done"), ("2", "vacuum t", "done")];
    let (sent, outcome) = mended("create table t(x int)", &done, None);
    assert_eq!(outcome.expect_err("lost").kind(), Kind::Changed);
    assert!(!sent.contains(&"begin".to_owned()), "{sent:?}");
}

#[test]
fn an_index_is_looked_for_where_the_file_puts_it_and_built_again_when_its_statement_changed() {
    let text = "set search_path = app; create index concurrently i on t(y)";
    let (sent, outcome) =
        mended(text, &[("1", "create index concurrently i on t(x)", "running")], Some("valid"));
    let at = |part: &str| sent.iter().position(|s| s.starts_with(part));
    assert!(outcome.is_ok() && at("set search_path") < at("index_state"), "{sent:?}");
    assert!(at("drop index").is_some() && at("drop index") < at("create index"), "{sent:?}");
}

#[test]
fn a_drop_that_was_done_before_its_outcome_could_be_said_is_taken() {
    let text = "drop index concurrently i";
    let steps = vec![row(&["1", "1", &sum(text), "running"])];
    let mut answers = resumed(steps, None);
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", text)]), |name| match name {
        "drop index concurrently i" => broken("42704", "index \"i\" does not exist"),
        other => answers(other),
    });
    assert!(outcome.is_ok() && sent.contains(&"migration_done".to_owned()), "{sent:?}");
}

#[test]
fn a_stop_is_heard_while_the_lock_is_waited_for() {
    let mut run = up(&MIXED);
    run.stop();
    let (_, outcome) = drive(&mut run, |name| (name == "lock").then(|| Ok(vec![row(&["false"])])));
    assert_eq!(outcome.expect_err("stopped").kind(), Kind::Interrupted);
}

#[test]
fn a_lost_connection_ends_the_run_at_once() {
    let gone = DbError { sqlstate: "57P01".into(), fatal: true, ..Default::default() };
    let (sent, outcome) = drive(&mut up(&MIXED), |name| (name == "begin").then(|| Err(gone.clone())));
    assert_eq!(sent.last().map(String::as_str), Some("begin"));
    assert_eq!(outcome.expect_err("lost").kind(), Kind::CannotConnect);
}

#[test]
fn another_server_that_a_statement_cannot_reach_is_a_failure_of_the_statement() {
    let (sent, outcome) = drive(&mut up(&MIXED), |name| {
        if name.starts_with("create table") { broken("08001", "could not connect to server") } else { None }
    });
    assert!(sent.contains(&"step_failed".to_owned()), "{sent:?}");
    let err = outcome.expect_err("failed");
    assert_eq!((err.kind(), err.sqlstate()), (Kind::Failed, "08001"));
}

#[test]
fn gives_up_the_lock_of_the_pack_after_its_patience_and_names_the_holder() {
    let mut run = up(&MIXED);
    run.request.lock_patience = Duration::from_millis(500);
    let (sent, outcome) = drive(&mut run, |name| match name {
        "lock" => Some(Ok(vec![row(&["false"])])),
        "lock_holder" => Some(Ok(vec![row(&["4711", "ann psql"])])),
        _ => None,
    });
    let err = outcome.expect_err("locked out");
    assert_eq!(err.kind(), Kind::Locked);
    assert!(err.to_string().contains("pack p is being moved by pid 4711, ann psql"), "{err}");
    assert!(
        sent.iter().filter(|s| *s == "lock").count() == 3 && !sent.contains(&"unlock".to_owned()),
        "{sent:?}"
    );
}

#[test]
fn a_run_that_was_asked_for_beforehand_takes_no_other() {
    let mut run = up(&[("1_a.up.sql", "select 1")]);
    run.request.run = Some("22222222-2222-2222-2222-222222222222".into());
    let (sent, outcome) = drive(&mut run, |name| (name == "claim").then(|| Ok(Vec::new())));
    assert_eq!(outcome.expect_err("gone").kind(), Kind::Locked);
    assert_eq!(sent.last().map(String::as_str), Some("unlock"));
}

#[test]
fn a_newer_attempt_fences_this_one_off() {
    let (sent, outcome) = drive(&mut up(&[("1_a.up.sql", "select 1")]), |name| {
        (name == "migration_done").then(|| broken("ST006", "taken over").expect("broken"))
    });
    assert_eq!(outcome.expect_err("fenced").kind(), Kind::Locked);
    assert!(sent.contains(&"rollback".to_owned()) && !sent.contains(&"commit".to_owned()), "{sent:?}");
}

#[test]
fn a_value_that_versions_were_made_with_cannot_change() {
    let manifest = "name='p'\ntitle='P'\n[variables.dims]\ntype='integer'\ndefault=1536";
    let files = vec![("1_a.up.sql".to_owned(), "select ${dims}".to_owned())];
    let mut pack = Pack::read("p", Some(manifest), files).expect("a pack");
    pack.given.insert("dims".into(), "384".into());
    let checksum = crate::pack::checksum("select ${dims}");
    let mut run = Run::new(pack, Request::new(Direction::Up, Target::All));
    let (_, outcome) = drive(&mut run, |name| match name {
        "variables" => Some(Ok(vec![row(&["dims", "768"])])),
        "migrations" => Some(Ok(vec![row(&["1", "a", "applied", &checksum])])),
        _ => None,
    });
    let err = outcome.expect_err("changed");
    assert_eq!(err.to_string(), "variable dims was \"768\" when versions were applied, not \"384\"");
}

#[test]
fn what_is_told_to_the_database_names_run_attempt_version_and_step() {
    let mut run = up(&[("7_a.up.sql", "select 1")]);
    let mut told = Vec::new();
    let answer = |statement: &Statement| {
        let name = called(statement);
        if name == "step_start" {
            told = statement.params.clone();
        }
        calm(&name)
    };
    turned(&mut run, answer, || ()).expect("succeeds");
    assert_eq!(
        told[1..6],
        [Value::Int(1), Value::Int(7), Value::Int(1), "transaction".into(), "select 1".into()]
    );
    assert_eq!(told[7], Value::Bool(true), "the first step of the attempt opens the history");
}

#[path = "gate_tests.rs"]
mod gate_tests;

#[path = "stop_tests.rs"]
mod stop_tests;

#[path = "lock_tests.rs"]
mod locks;
#[test]
fn what_another_tool_has_applied_is_taken_over_before_anything_is_moved() {
    let files = [("1_a.up.sql", "select 1"), ("2_b.up.sql", "select 2")];
    let checksum = crate::pack::checksum("select 1");
    let mut adopted = false;
    let (sent, outcome) = drive(&mut up(&files), |name| {
        adopted |= name == "adopt";
        match name {
            "ledgers" => {
                let bound = if adopted { "true" } else { "false" };
                let table =
                    ["golang-migrate", "public", "schema_migrations", "0", bound, "idle", "1", "false"];
                Some(Ok(vec![row(&table)]))
            }
            "migrations" if adopted => Some(Ok(vec![row(&["1", "a", "applied", &checksum])])),
            _ => None,
        }
    });
    let place =
        |name: &str| sent.iter().position(|sent| sent == name).unwrap_or_else(|| panic!("{name}: {sent:?}"));
    assert!(place("lock") < place("register") && place("register") < place("adopt"), "{sent:?}");
    assert!(!sent.contains(&"select 1".to_owned()), "{sent:?}");
    assert_eq!(outcome.expect("succeeds").moved, [(2, "b".to_owned())]);
}

#[test]
fn a_plan_that_would_be_refused_adopts_nothing() {
    let files = [("1_a.up.sql", "select 1"), ("2_b.up.sql", "rollback")];
    let (sent, outcome) = drive(&mut up(&files), |name| {
        let table = ["golang-migrate", "public", "schema_migrations", "0", "false", "idle", "1", "false"];
        (name == "ledgers").then(|| Ok(vec![row(&table)]))
    });
    assert_eq!(outcome.expect_err("refused").kind(), Kind::BadPack);
    assert!(!sent.contains(&"register".to_owned()), "{sent:?}");
}

#[test]
fn a_version_to_go_to_may_lie_either_way() {
    let files = [("1_a.up.sql", "select 1"), ("2_b.up.sql", "select 2"), ("2_b.down.sql", "select -2")];
    let checksum = crate::pack::checksum("select 1");
    let second = crate::pack::checksum("select 2");
    let mut run = Run::new(pack(&files), Request::new(Direction::Up, Target::Goto(1)));
    let (sent, outcome) = drive(&mut run, |name| {
        let known = || vec![row(&["1", "a", "applied", &checksum]), row(&["2", "b", "applied", &second])];
        (name == "migrations").then(|| Ok(known()))
    });
    assert!(sent.contains(&"select -2".to_owned()), "{sent:?}");
    assert_eq!((run.direction(), outcome.expect("succeeds").moved.len()), (Direction::Down, 1));
}
