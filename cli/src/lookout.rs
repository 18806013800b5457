//! A second session that looks at the first while its statement takes time. Opened again when it was lost; where it cannot be
//! had, nothing is seen, and the run goes on.

use crate::args::Args;
use crate::session::Session;
use std::time::{Duration, Instant};
use strata_core::run::Run;
use strata_core::statement::Row;

/// Longest that a look may take; the next one is tried on a new session.
const PATIENCE: Duration = Duration::from_secs(5);

/// The second session and the time of the next look.
pub struct Lookout<'s> {
    args: &'s Args,
    session: Option<Session>,
    began: Instant,
    /// When the last look ended.
    last: Instant,
    looks: u32,
}

impl<'s> Lookout<'s> {
    /// With a session that is open already, or none yet.
    pub fn new(args: &'s Args, session: Option<Session>) -> Self {
        let now = Instant::now();
        Lookout { args, session, began: now, last: now, looks: 0 }
    }

    /// A statement begins.
    pub fn begin(&mut self) {
        let now = Instant::now();
        (self.began, self.last, self.looks) = (now, now, 0);
    }

    /// Waits for the time of a look and takes it. Never ends for a statement that nobody looks at. Safe to drop anywhere.
    pub async fn look(&mut self, run: &Run) -> (Vec<Row>, Duration) {
        let Some(rhythm) = run.rhythm() else { return std::future::pending().await };
        loop {
            let due = self.last + rhythm.pause(self.looks);
            tokio::time::sleep_until(due.into()).await;
            let rows = tokio::time::timeout(PATIENCE, self.ask(run)).await.ok().flatten();
            (self.last, self.looks) = (Instant::now(), self.looks + 1);
            match rows {
                Some(rows) => return (rows, self.began.elapsed()),
                None => self.session = None,
            }
        }
    }

    async fn ask(&mut self, run: &Run) -> Option<Vec<Row>> {
        if self.session.is_none() {
            self.session = Session::open(self.args).await.ok();
        }
        self.session.as_ref()?.run(&run.look()).await.ok()
    }
}
