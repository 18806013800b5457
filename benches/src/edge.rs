//! The Edge Function: what it adds to asking the project's API directly, how long it takes from nothing to its first answer,
//! how large it is, what many requests leave in its memory, and whether callers who come at once get their own answers.

mod added;
mod cold;
mod crowd;
mod http;
mod memory;
mod project;

use crate::Wish;
use crate::figure::{Figure, Limit, Report};
use project::Project;

/// The parts, as one types them.
pub const NAMES: [&str; 5] = ["added", "cold", "size", "memory", "crowd"];

/// Largest WebAssembly that is deployed, compressed. Unit: bytes.
const SIZE: f64 = 400_000.0;

/// A part: measures so many rounds.
type Part = fn(&Project, usize) -> Vec<Figure>;

/// Measures the parts that were asked for.
pub fn run(wish: &Wish) -> Report {
    let project = Project::running();
    let parts: [Part; 5] = [added::measure, cold::measure, size, memory::measure, crowd::measure];
    let wanted = NAMES.iter().zip(parts).filter(|(name, _)| wish.wants(name));
    let figures = wanted.flat_map(|(_, part)| part(&project, wish.rounds)).collect();
    Report { suite: "edge", server: project.server(), figures }
}

fn size(project: &Project, _: usize) -> Vec<Figure> {
    let bytes = |name: &str| project.number(&["wasm", name]);
    vec![
        Figure::new("wasm, compressed", "bytes", vec![bytes("gzip")], Limit::AtMost(SIZE)),
        Figure::new("wasm", "bytes", vec![bytes("raw")], Limit::None),
    ]
}
