//! A model is changed under a search every ten milliseconds, and changed back: for how long each turn holds something, and
//! what the probes found. See `strata_tests::change`.

use crate::figure::{Figure, Limit};
use crate::say;
use strata_tests::change::{self, Turned};

/// Rows of each of two tenants; one of them searches, the other writes.
const ROWS: u32 = 1_000;

/// A switch and a way back each round.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let verbs = ["switch", "revert"].repeat(rounds);
    let Turned { probed, edits, told, .. } = change::live(ROWS, &verbs);
    let held: Vec<f64> = told.iter().map(|told| told["held_ms"].as_f64().expect("a time")).collect();
    let answers: usize = probed.answers.values().sum();
    say(&format!(
        "{answers} probes, {} asked again, {edits} edits, held {held:?} ms; longest without an answer {:?}",
        probed.refused, probed.longest
    ));
    let of = |first: usize| held.iter().copied().skip(first).step_by(2).collect();
    let count = |name: &str, count: usize, limit| Figure::new(name, "", vec![count as f64], limit);
    vec![
        Figure::new("a switch holds", "ms", of(0), Limit::AtMost(10.0)),
        Figure::new("the way back holds", "ms", of(1), Limit::AtMost(10.0)),
        count("probes", answers, Limit::None),
        count("probes of a wrong model or short", probed.wrong.len(), Limit::AtMost(0.0)),
        Figure::new(
            "longest between two answers",
            "ms",
            vec![probed.longest.as_secs_f64() * 1e3],
            Limit::None,
        ),
    ]
}
