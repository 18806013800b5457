//! Turning a run by hand: the loop between core and the session of a worker. The same as `cli/src/drive.rs`.

use super::session::Session;
use strata_core::Error;
use strata_core::run::{Event, Next, Report, Run};
use strata_core::statement::Statement;

/// Turns the run to its end. What it tells is kept in `strata.run_event`.
pub fn drive(session: &mut Session, id: &str, run: &mut Run) -> Result<Report, Error> {
    loop {
        session.hold_cancel = run.is_claimed();
        match run.turn() {
            Next::Run(statement) => run.replied(session.run(&statement)),
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

/// Between transactions. That it could not be kept is no reason to stop.
fn tell(session: &Session, id: &str, attempt: i64, event: &Event) {
    let parameters = vec![id.into(), attempt.into(), event.kind().into(), event.text().as_str().into()];
    let _ = session.run(&Statement::ours(include_str!("../../../sql/query/tell.sql"), parameters));
}
