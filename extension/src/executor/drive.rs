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
            Next::Wait(time) => session.nap(time),
            Next::Tell(event) => tell(session, id, run.attempt(), &event),
            Next::Done(outcome) => return outcome,
        }
    }
}

/// Between transactions. That it could not be kept is no reason to stop.
fn tell(session: &Session, id: &str, attempt: i64, event: &Event) {
    let parameters = vec![id.into(), attempt.into(), event.kind().into(), event.text().as_str().into()];
    let _ = session.run(&Statement::ours(include_str!("../../../sql/query/tell.sql"), parameters));
}
