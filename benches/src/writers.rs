//! An application that writes at a fixed rate, and how long its writes took: counted from when a write was due, so
//! that a write which could not even begin is not forgotten.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use strata_tests::Database;

/// What the application does: statements in turn, from so many sessions, each so often.
pub struct Application<'a> {
    /// The statements; each session begins with another.
    pub statements: &'a [&'static str],
    /// Sessions.
    pub clients: usize,
    /// Between two writes of one session.
    pub every: Duration,
}

/// A write that took long.
#[derive(Clone, Copy, Debug)]
pub struct Slow {
    /// What it was.
    pub sql: &'static str,
    /// When it was due and when it was done. Unit: seconds since 1970.
    pub due: f64,
    pub done: f64,
}

impl Slow {
    /// How long it took, in milliseconds.
    pub fn ms(&self) -> f64 {
        (self.done - self.due) * 1000.0
    }
}

/// From here on a write is remembered with its time and its text.
const SLOW: Duration = Duration::from_millis(5);

/// How long the writes took.
#[derive(Clone, Debug, Default)]
pub struct Stalls {
    latencies: Vec<Duration>,
    slow: Vec<Slow>,
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

    /// The slow ones, the slowest first.
    pub fn slowest(&self) -> Vec<Slow> {
        let mut slow = self.slow.clone();
        slow.sort_by(|a, b| b.ms().total_cmp(&a.ms()));
        slow
    }

    fn took(&mut self, sql: &'static str, latency: Duration) {
        self.latencies.push(latency);
        if latency > SLOW {
            let done =
                SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64();
            self.slow.push(Slow { sql, due: done - latency.as_secs_f64(), done });
        }
    }

    /// These and those.
    pub fn and(mut self, more: Stalls) -> Stalls {
        self.latencies.extend(more.latencies);
        self.slow.extend(more.slow);
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
            stalls.took(sql, due.elapsed());
            due += self.every;
        }
        stalls
    }
}
