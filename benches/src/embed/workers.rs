//! Four workers beside one, against a provider that takes its time.

use crate::figure::{Figure, Limit};
use crate::say;
use std::time::{Duration, Instant};
use strata_tests::{Behaviour, ProviderServer, notes};

/// Rows to embed.
const ROWS: u32 = 4_000;

/// Time of a call of a hundred texts.
const LATENCY: Duration = Duration::from_millis(200);

/// One over four, a round a pair.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let ratio = |_| {
        let (one, four) = (drained(1), drained(4));
        say(&format!("{ROWS} rows: one worker {one:.2} s, four {four:.2} s"));
        one / four
    };
    let samples = (0..rounds.min(3)).map(ratio).collect();
    vec![Figure::new("one worker / four workers", "ratio", samples, Limit::AtLeast(3.0))]
}

/// Seconds from the first call to the last vector: starting a process is not draining.
fn drained(workers: usize) -> f64 {
    let server = ProviderServer::start(LATENCY, |_, _| Behaviour::Good);
    let database = notes::database("openai");
    let strata = notes::strata(&database, &server);
    let words = ["worker", "--only", "embeddings", "--calls", "1"];
    let running: Vec<_> = (0..workers).map(|_| strata.start(&words)).collect();
    // Each has a session and has looked at the queue.
    database.until(&format!(
        "select count(*) = {workers} from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and state = 'idle'
             and (query like '%strata.rest_worker%' or query like '%strata.rouse_worker%' or query like '%strata.claim_jobs%')"
    ));
    notes::write(&database, ROWS);
    let since = Instant::now();
    while database.value::<bool>("select exists (select from strata.job)") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = since.elapsed().as_secs_f64();
    for worker in running {
        worker.signal("TERM");
        worker.end().ok();
    }
    assert_eq!(notes::right_and_wrong(&database), (ROWS as usize, 0));
    took
}
