//! The shape that pg_vectorize sends: the whole corpus, ordered by `1 - distance` descending, which no index serves.

use super::Libraries;
use super::asked::{Asker, K, RAG_SEARCH, median};
use super::library::TABLES;
use crate::figure::{Figure, Limit};
use crate::say;

/// Calls of each in a round.
const CALLS: usize = 6;

/// Theirs, for nobody's rows in particular and without content, over ours for the largest tenant.
pub fn measure(libraries: &Libraries, rounds: usize) -> Vec<Figure> {
    let library = &libraries.store;
    let mut ours = Asker::signed_in(library, RAG_SEARCH);
    ours.is(0);
    let mut theirs = Asker::above(&libraries.inline, &shape());
    let ratio = |_| {
        let (mut a, mut b) = (Vec::new(), Vec::new());
        for call in 0..CALLS {
            let question = library.question(0, call);
            ours.ask(&question, 0);
            a.push(ours.ask(&question, 0).0);
            b.push(theirs.ask(&question, 0).0);
        }
        let (a, b) = (median(a), median(b));
        say(&format!("largest tenant: rag_search {a:.3} ms, the whole corpus {b:.3} ms"));
        b / a
    };
    let samples = (0..rounds).map(ratio).collect();
    // The limit is one of a hundred thousand rows.
    let limit = if library.size.rows == 100_000 { Limit::AtLeast(50.0) } else { Limit::None };
    let name = format!("{}: by 1 - distance desc / largest tenant", library.name());
    vec![Figure::new(name, "ratio", samples, limit)]
}

fn shape() -> String {
    let branch =
        |table: &str| format!("select id as entity_id, 1 - (embedding <=> $1) as similarity from {table}");
    // The tenant is not looked at: with it the rows would be fewer, and the shape another.
    format!(
        "select * from ({}) r where $2::uuid is not null order by similarity desc limit {K}",
        TABLES.map(branch).join(" union all ")
    )
}
