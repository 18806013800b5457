//! A bad day with ten thousand rows: see `strata_tests::chaos`.

use crate::figure::{Figure, Limit};
use crate::say;
use std::time::Duration;
use strata_tests::chaos::{self, Day};

/// Rows without a vector in the morning.
const ROWS: u32 = 10_000;

/// One day.
pub fn measure(_rounds: usize) -> Vec<Figure> {
    let evening = chaos::live(Day {
        rows: ROWS,
        poison: 1_000,
        latency: Duration::from_millis(50),
        kill: Duration::from_secs(1),
        faults: 100,
    });
    say(&format!("{evening:?}"));
    let count = |name: &str, count: usize, limit| Figure::new(name, "", vec![count as f64], limit);
    let wanted = ROWS as usize + evening.edits;
    let texts = evening.texts as f64 / wanted as f64;
    vec![
        count("lost", evening.lost, Limit::AtMost(0.0)),
        count("stale", evening.stale, Limit::AtMost(0.0)),
        count("poison that is not dead", evening.poison - evening.dead, Limit::AtMost(0.0)),
        count("dead that is no poison", evening.wrongly_dead, Limit::AtMost(0.0)),
        count("kills", evening.kills, Limit::None),
        count("edits", evening.edits, Limit::None),
        count("spoilt calls", evening.faults, Limit::None),
        Figure::new("texts embedded / rows and edits", "ratio", vec![texts], Limit::AtMost(1.03)),
    ]
}
