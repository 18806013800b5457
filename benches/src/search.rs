//! Search: what an answer costs beside the query that somebody writes by hand, beside the function of the documents and
//! beside the shape that no index serves; what foreign rows change; what vectors take on disk; and that no cell is short.

mod asked;
mod by_hand;
mod complete;
mod crossover;
mod documents;
mod footprint;
mod isolation;
mod library;
mod random;
mod recall;
mod whole_corpus;
mod world;

use crate::Wish;
use crate::figure::{Figure, Report};
use library::{Keep, Library};
use strata_tests::Database;

/// The cases, as one types them.
pub const NAMES: [&str; 8] =
    ["by-hand", "documents", "whole-corpus", "isolation", "footprint", "recall", "complete", "crossover"];

/// The same rows twice.
pub struct Libraries {
    /// With vectors in a column of each table.
    pub inline: Library,
    /// With vectors in a narrow table.
    pub store: Library,
}

/// A case: measures so many rounds.
type Case = fn(&Libraries, usize) -> Vec<Figure>;

/// Measures the cases that were asked for, in every size.
pub fn run(wish: &Wish) -> Report {
    let server = Database::empty().value::<String>("select version()");
    // Those that want a filled database.
    let cases: [Case; 6] = [
        by_hand::measure,
        documents::measure,
        whole_corpus::measure,
        isolation::measure,
        footprint::measure,
        recall::measure,
    ];
    let mut figures = Vec::new();
    let wanted: Vec<Case> =
        NAMES.iter().zip(cases).filter(|(name, _)| wish.wants(name)).map(|(_, case)| case).collect();
    for size in library::SIZES.into_iter().filter(|_| !wanted.is_empty()) {
        let [inline, store] = [Keep::Inline, Keep::Store].map(|keep| Library::of(size, keep));
        let libraries = Libraries { inline, store };
        figures.extend(wanted.iter().flat_map(|case| case(&libraries, wish.rounds)));
    }
    if wish.wants("complete") {
        figures.extend(complete::measure());
    }
    if wish.wants("crossover") {
        figures.extend(crossover::measure(wish.rounds, wish.vectors.as_deref()));
    }
    Report { suite: "search", server, figures }
}
