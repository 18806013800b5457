//! The broom: every job leaves dead rows in the queue, and autovacuum comes once a minute at most. A worker that takes
//! thousands of jobs through it in that time sweeps behind itself, so that the table stays as large as what waits in it.

use super::queue::Queue;
use std::cell::Cell;

/// Jobs before the first look.
const FIRST: u64 = 2_000;

/// When the queue is to be swept.
#[derive(Debug)]
pub struct Broom {
    /// Jobs that were ended in the meantime.
    due: Cell<u64>,
}

impl Default for Broom {
    fn default() -> Self {
        Broom { due: Cell::new(FIRST) }
    }
}

impl Broom {
    /// Sweeps where it is time; `ended`: jobs that this process has ended or handed back so far. One lane of several does it.
    /// Where it fails the queue stays larger, and nothing else: a session that is gone is told by the next claim.
    pub async fn sweep(&self, queue: &impl Queue, ended: u64) {
        if ended < self.due.get() {
            return;
        }
        self.due.set(u64::MAX);
        let next = queue.sweep().await.unwrap_or(FIRST);
        self.due.set(ended.saturating_add(next));
    }
}
