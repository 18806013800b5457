//! Embeddings: what a save costs that changes no text, what the queue costs a job, how vectors are written, how long a
//! transaction is open while a provider stalls, what more workers bring, what a change of the model holds, and a bad day.

mod chaos;
mod notes;
mod queue;
mod save;
mod stall;
mod switch;
mod workers;
mod write;

use crate::Wish;
use crate::figure::{Figure, Report};
use strata_tests::Database;

/// The parts, as one types them.
pub const NAMES: [&str; 7] = ["save", "write", "queue", "stall", "workers", "switch", "chaos"];

/// A part: measures so many rounds.
type Part = fn(usize) -> Vec<Figure>;

/// Measures the parts that were asked for.
pub fn run(wish: &Wish) -> Report {
    let server = Database::empty().value::<String>("select version()");
    let parts: [Part; 7] = [
        save::measure,
        write::measure,
        queue::measure,
        stall::measure,
        workers::measure,
        switch::measure,
        chaos::measure,
    ];
    let wanted = NAMES.iter().zip(parts).filter(|(name, _)| wish.wants(name));
    Report { suite: "embed", server, figures: wanted.flat_map(|(_, part)| part(wish.rounds)).collect() }
}
