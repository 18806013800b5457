//! An application that writes at a fixed rate, and how long its writes took: counted from when a write was due, so
//! that a write which could not even begin is not forgotten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use strata_tests::Database;

/// What the application does: statements in turn, from so many sessions, each so often.
pub struct Application<'a> {
    /// The statements; each session begins with another.
    pub statements: &'a [&'a str],
    /// Sessions.
    pub clients: usize,
    /// Between two writes of one session.
    pub every: Duration,
}

/// How long the writes took.
#[derive(Clone, Debug, Default)]
pub struct Stalls {
    latencies: Vec<Duration>,
    /// Writes that failed, with what the server said.
    pub errors: Vec<String>,
}

impl Stalls {
    /// The longest, in milliseconds.
    pub fn max_ms(&self) -> f64 {
        self.latencies.iter().max().map_or(0.0, |longest| longest.as_secs_f64() * 1000.0)
    }

    /// That nine hundred and ninety-nine of a thousand stay below, in milliseconds.
    pub fn p999_ms(&self) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort();
        let at = (sorted.len() * 999 / 1000).min(sorted.len().saturating_sub(1));
        sorted.get(at).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }

    /// Writes.
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// These and those.
    pub fn and(mut self, more: Stalls) -> Stalls {
        self.latencies.extend(more.latencies);
        self.errors.extend(more.errors);
        self
    }
}

impl Application<'_> {
    /// Writes while `work` runs.
    pub fn during<R>(&self, database: &Database, work: impl FnOnce() -> R) -> (R, Stalls) {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writers: Vec<_> = (0..self.clients)
                .map(|client| {
                    let stop = &stop;
                    scope.spawn(move || self.write(database, client, stop))
                })
                .collect();
            let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            stop.store(true, Ordering::Relaxed);
            let join =
                |writer: std::thread::ScopedJoinHandle<'_, Stalls>| writer.join().expect("a writer ends");
            let stalls = writers.into_iter().map(join).fold(Stalls::default(), Stalls::and);
            (done.unwrap_or_else(|cause| std::panic::resume_unwind(cause)), stalls)
        })
    }

    fn write(&self, database: &Database, client: usize, stop: &AtomicBool) -> Stalls {
        let mut session = database.connect();
        let mut stalls = Stalls::default();
        // Not all at the same moment.
        let mut due = Instant::now() + self.every * client as u32 / self.clients as u32;
        for turn in client.. {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let sql = self.statements[turn % self.statements.len()];
            if let Err(error) = session.batch_execute(sql) {
                stalls.errors.push(format!("{:?} in: {sql}", error.as_db_error()));
            }
            stalls.latencies.push(due.elapsed());
            due += self.every;
        }
        stalls
    }
}
