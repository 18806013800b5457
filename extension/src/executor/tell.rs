//! What a run tells, kept as its events.

use super::session::Session;
use strata_core::run::Event;
use strata_core::statement::Statement;

/// Between transactions. That it could not be kept is no reason to stop.
pub fn tell(session: &Session, id: &str, attempt: i64, event: &Event) {
    let parameters = vec![id.into(), attempt.into(), event.kind().into(), event.text().as_str().into()];
    let _ = session.run(&Statement::ours(include_str!("../../../sql/query/tell.sql"), parameters));
}
