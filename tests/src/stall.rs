//! A writer of the application beside a migration: how many writes it did, and how long the slowest of them took.

use crate::{Database, Outcome, Running};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// One session that writes without a pause.
pub struct Writer {
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    slowest: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Begins to run a statement over and over.
    pub fn start(database: &Database, sql: &str) -> Writer {
        let (stop, writes, slowest) = (Arc::default(), Arc::default(), Arc::default());
        let (mut client, sql) = (database.connect(), sql.to_owned());
        let thread = {
            let (stop, writes, slowest): (Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>) =
                (Arc::clone(&stop), Arc::clone(&writes), Arc::clone(&slowest));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    client.batch_execute(&sql).expect("the application's write succeeds");
                    slowest.fetch_max(began.elapsed().as_micros() as u64, Ordering::Relaxed);
                    writes.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        Writer { stop, writes, slowest, thread }
    }

    /// Writes so far.
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::Relaxed)
    }

    /// Waits until it has written again, and again.
    pub fn goes_on(&self) {
        let (began, before) = (Instant::now(), self.writes());
        while self.writes() < before + 2 {
            assert!(began.elapsed() < Duration::from_secs(60), "the writer stands still");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it. Writes, and the slowest of them.
    pub fn end(self) -> (u64, Duration) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("every write succeeded");
        (self.writes.load(Ordering::Relaxed), Duration::from_micros(self.slowest.load(Ordering::Relaxed)))
    }
}

/// What a step did to writers while a reader stood in its way.
#[derive(Debug)]
pub struct Blocked {
    /// Tries of the step.
    pub tries: usize,
    /// Writes of the application meanwhile.
    pub writes: u64,
    /// The slowest of them. To be compared with the lock budget of the step.
    pub slowest: Duration,
    /// The run that went through in the end.
    pub outcome: Outcome,
    /// Process of the reader.
    pub reader: i32,
}

/// A run that has to lock table `t`, which a reader holds until the step has been tried `tries` times, and to which the
/// application writes all the while.
pub fn behind_a_long_reader(database: &Database, tries: usize, start: impl FnOnce() -> Running) -> Blocked {
    let mut session = database.connect();
    let reader = session.query_one("select pg_backend_pid()", &[]).expect("a session").get(0);
    let mut reading = session.transaction().expect("a transaction");
    reading.batch_execute("select count(*) from t").expect("a lock");
    let writer = Writer::start(database, "insert into t (x) values (1)");
    let run = start();
    for number in 2..=tries {
        run.until(&format!("try {number} follows"));
        writer.goes_on();
    }
    reading.rollback().expect("the reader ends");
    let outcome = run.end();
    let (writes, slowest) = writer.end();
    let tries = 1 + outcome.stderr.matches("follows").count();
    Blocked { tries, writes, slowest, outcome, reader }
}
