//! `rag_search` beside the exact query that somebody writes by hand: four sources, content, row level security.

use super::Libraries;
use super::asked::{Asker, RAG_SEARCH, by_hand, in_turn};
use super::library::Library;
use crate::figure::{Figure, Limit};
use crate::say;

/// Tenants by their number: what they are called, and how many calls make a round.
pub const KINDS: [(usize, &str, usize); 4] =
    [(0, "largest", 60), (9, "10th", 200), (99, "100th", 400), (899, "900th", 400)];

/// The middle of each, one over the other, wherever the vectors lie.
pub fn measure(libraries: &Libraries, rounds: usize) -> Vec<Figure> {
    [&libraries.inline, &libraries.store].into_iter().flat_map(|library| beside(library, rounds)).collect()
}

fn beside(library: &Library, rounds: usize) -> Vec<Figure> {
    let mut ours = Asker::signed_in(library, RAG_SEARCH);
    // Planned once, as ours is: otherwise it would be planned anew in every call.
    let mut hand = Asker::prepared(
        library,
        "set role authenticated; set plan_cache_mode = force_generic_plan",
        &by_hand(library.keep),
    );
    let mut figure = |(tenant, kind, calls): (usize, &str, usize)| {
        let ratio = |_| {
            let (a, b) = in_turn(library, (&mut ours, &mut hand), tenant, calls);
            say(&format!("{kind} tenant: rag_search {a:.3} ms, by hand {b:.3} ms"));
            a / b
        };
        let samples = (0..rounds).map(ratio).collect();
        let name = format!("{}: {kind} tenant / by hand", library.name());
        Figure::new(name, "ratio", samples, Limit::AtMost(1.25))
    };
    KINDS.map(&mut figure).into()
}
