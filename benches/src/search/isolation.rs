//! What a tenant can tell of others: an answer must not take longer, nor be shorter, for rows that are not theirs.

use super::Libraries;
use super::asked::{Asker, RAG_SEARCH, in_turn};
use super::library::{Library, TABLES};
use super::world;
use crate::figure::{Figure, Limit};
use crate::say;

/// Rows of another tenant about everything that the questions are about.
const PLANTED: usize = 100_000;

/// Who asks: of middling size.
const TENANT: usize = 49;

/// Calls in a round.
const CALLS: usize = 300;

/// The same questions to two databases, one with foreign rows all around what is asked for, in turn.
pub fn measure(libraries: &Libraries, rounds: usize) -> Vec<Figure> {
    [&libraries.inline, &libraries.store].into_iter().flat_map(|library| beside(library, rounds)).collect()
}

fn beside(library: &Library, rounds: usize) -> Vec<Figure> {
    if library.size.rows != PLANTED {
        return Vec::new();
    }
    let crowded = Library::among(library.size, library.keep, plant);
    let mut calm = Asker::signed_in(library, RAG_SEARCH);
    let mut busy = Asker::signed_in(&crowded, RAG_SEARCH);
    let ratio = |_| {
        // The same rows in both, or it fails: row counts and answers do not differ at all.
        let (a, b) = in_turn(library, (&mut busy, &mut calm), TENANT, CALLS);
        say(&format!("{TENANT}th tenant: {a:.3} ms among foreign rows, {b:.3} ms without"));
        a / b
    };
    let samples = (0..rounds).map(ratio).collect();
    vec![Figure::new(
        format!("{}: among 100k foreign rows / without", library.keep.name()),
        "ratio",
        samples,
        Limit::AtMost(1.05),
    )]
}

fn plant(library: &Library) {
    for (n, table) in TABLES.iter().enumerate() {
        let topic = |row: usize| match row.is_multiple_of(2) {
            true => world::topic(TENANT, row / 2),
            false => world::foreign_topic(TENANT, row / 2),
        };
        let rows = (0..PLANTED / TABLES.len()).map(|row| (world::TENANTS + row % 7, topic(row)));
        library.fill(table, rows, 500 + n);
    }
}
