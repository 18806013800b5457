//! Turning a run by hand: the loop between core and the session of a worker. The same as `cli/src/drive.rs`.

use super::lookout;
use super::notices;
use super::session::Session;
use super::tell::tell;
use pgrx::pg_sys;
use strata_core::Error;
use strata_core::run::{Event, Next, Report, Run};
use strata_core::statement::Statement;

/// Turns the run to its end. What it tells is kept in `strata.run_event`.
pub fn drive(session: &mut Session, id: &str, run: &mut Run) -> Result<Report, Error> {
    let mut watched = false;
    loop {
        session.hold_cancel = run.is_claimed();
        match run.turn() {
            Next::Run(statement) => {
                if !watched && run.is_watched() {
                    watched = true;
                    lookout::launch(id);
                }
                let reply = session.run(&statement);
                tell_notices(session, id, run.attempt());
                run.replied(reply);
            }
            Next::Together(statements) => {
                for statement in statements {
                    let reply = session.run(&statement);
                    tell_notices(session, id, run.attempt());
                    let failed = reply.is_err();
                    run.replied(reply);
                    if failed {
                        break;
                    }
                }
            }
            Next::Wait(time) => {
                session.nap(time);
                if !run.is_claimed() && is_cancelled(session, id) {
                    run.stop();
                }
            }
            Next::Tell(event) => tell(session, id, run.attempt(), &event),
            Next::Done(outcome) => return outcome,
        }
    }
}

/// A run that waits for the lock of its pack has no statement that a cancel could reach, so it looks.
fn is_cancelled(session: &Session, id: &str) -> bool {
    let asked = Statement::ours(include_str!("../../../sql/query/stop_asked.sql"), vec![id.into()]);
    let rows = session.run(&asked).unwrap_or_default();
    rows.first().and_then(|row| row.first()?.as_deref()) == Some("true")
}

/// What was said inside of a transaction is told behind it: it was said also if the transaction fails.
#[allow(unsafe_code)]
fn tell_notices(session: &Session, id: &str, attempt: i64) {
    // SAFETY: reading a state.
    if unsafe { pg_sys::IsTransactionBlock() } {
        return;
    }
    for text in notices::take() {
        tell(session, id, attempt, &Event::Notice { text });
    }
}
