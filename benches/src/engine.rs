//! The engine of migrations: what applying costs beside psql, what a backfill costs beside one statement, and how long
//! the application waits for either.

mod apply;
mod backfill;
mod blocked;
mod pack;

use crate::Wish;
use crate::figure::{Figure, Report};
use strata_tests::Database;

/// The parts, as one types them.
pub const NAMES: [&str; 4] = ["apply", "backfill", "pack", "blocked"];

/// A part: measures so many rounds.
type Part = fn(&Wish) -> Vec<Figure>;

/// Measures the parts that were asked for.
pub fn run(wish: &Wish) -> Report {
    let server = Database::empty().value::<String>("select version()");
    let parts: [Part; 4] = [
        |wish| apply::measure(wish.rounds),
        |wish| backfill::measure(wish.rounds),
        pack::measure,
        |wish| blocked::measure(wish.rounds),
    ];
    let wanted = NAMES.iter().zip(parts).filter(|(name, _)| wish.wants(name));
    Report { suite: "engine", server, figures: wanted.flat_map(|(_, part)| part(wish)).collect() }
}
