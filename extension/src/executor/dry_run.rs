//! A dry run in a worker: turned like a run, with a block whose savepoints outlive what fails in it. No second session sees who
//! waits, so each statement is short, and between two of them the worker looks itself.

use super::session::Session;
use super::{notices, toplevel};
use strata_core::run::{DryRun, GIVE_WAY_MS, HOLD, Limits, Next};
use strata_core::statement::{Nature, Statement, Value, column};
use strata_core::{Error, Kind};

/// Longest that one statement of a dry run may take. Unit: milliseconds. As long as a run makes writers wait for a lock.
const STATEMENT_MS: u32 = strata_core::run::LOCK_TIMEOUT_MS;

/// How considerate a dry run in the database is.
pub fn limits() -> Limits {
    let hold_ms = u32::try_from(HOLD.as_millis()).unwrap_or(u32::MAX);
    Limits { give_way_ms: GIVE_WAY_MS, hold_ms, statement_ms: STATEMENT_MS }
}

/// Turns it to its end and keeps what it has found.
pub fn turn(session: &mut Session, id: &str, dry: &mut DryRun) {
    toplevel::keep_blocks(true);
    let outcome = drive(session, dry);
    toplevel::keep_blocks(false);
    let trial = dry.trial();
    let error = outcome.err().or_else(|| trial.incomplete());
    let state = match error.as_ref().map(Error::kind) {
        None => "passed",
        Some(Kind::Untried) => "incomplete",
        Some(_) => "failed",
    };
    close(session, id, (state, error.as_ref()), trial.json());
}

/// Keeps how a dry run ended.
pub fn close(
    session: &mut Session,
    id: &str,
    (state, error): (&str, Option<&Error>),
    report: serde_json::Value,
) {
    session.hold_cancel = true;
    let (code, message) = (error.map(Error::sqlstate), error.map(Error::message));
    let parameters = vec![id.into(), state.into(), code.into(), message.into(), Value::Json(report)];
    let _ = session.run(&Statement::ours(include_str!("../../../sql/query/dry_run_closed.sql"), parameters));
}

fn drive(session: &Session, dry: &mut DryRun) -> Result<(), Error> {
    loop {
        match dry.turn() {
            Next::Run(statement) => {
                let reply = session.run(&statement);
                notices::take();
                if reply.is_ok()
                    && statement.nature == Nature::Single
                    && let Some(who) = waiting(session)
                {
                    dry.give_way(&who);
                }
                dry.replied(reply);
            }
            Next::Together(_) => unreachable!("a dry run is turned apart"),
            Next::Wait(time) => session.nap(time),
            Next::Tell(_) => {}
            Next::Done(outcome) => return outcome.map(drop),
        }
    }
}

/// Whoever has waited too long by now.
fn waiting(session: &Session) -> Option<String> {
    let process = Value::Int(std::process::id().into());
    let parameters = vec![process, Value::Int(GIVE_WAY_MS.into())];
    let query = include_str!("../../../sql/query/dry_run_waiting.sql");
    let rows = session.run(&Statement::of_session(query, parameters)).ok()?;
    rows.first().map(|row| column(row, 0).to_owned())
}
