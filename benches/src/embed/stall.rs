//! The oldest transaction of a worker whose provider does not answer.

use crate::figure::{Figure, Limit};
use crate::say;
use std::time::{Duration, Instant};
use strata_tests::notes;
use strata_tests::{Behaviour, ProviderServer};

/// How long it stalls.
const STALL: Duration = Duration::from_secs(60);

/// One stall, looked at all the time.
pub fn measure(_rounds: usize) -> Vec<Figure> {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Stall);
    let database = notes::database("openai");
    notes::write(&database, 200);
    let strata = notes::strata(&database, &server).env("STRATA_PROVIDER_TIMEOUT", "600");
    let running = strata.start(&["worker", "--only", "embeddings"]);
    server.until(2);
    let oldest = "select coalesce(max(extract(epoch from clock_timestamp() - xact_start)), 0)::float8 * 1000 from pg_stat_activity
                  where datname = current_database() and pid <> pg_backend_pid()";
    let (began, mut worst) = (Instant::now(), 0.0_f64);
    while began.elapsed() < STALL {
        worst = worst.max(database.value(oldest));
        std::thread::sleep(Duration::from_millis(10));
    }
    server.release();
    running.signal("TERM");
    running.end().ok();
    say(&format!("oldest transaction while the provider stalls for {} s: {worst:.1} ms", STALL.as_secs()));
    vec![Figure::new("oldest transaction in a stall of 60 s", "ms", vec![worst], Limit::AtMost(100.0))]
}
