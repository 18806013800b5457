//! From nothing to the first answer, in a process of its own each time, as the function says itself: what starting Deno takes
//! is not its own.

use super::project::Project;
use crate::figure::{Figure, Limit};
use std::process::Command;

/// Longest from nothing to the first answer. Unit: milliseconds.
const COLD: f64 = 50.0;

/// Processes a round.
const STARTS: usize = 5;

/// Starts so many.
pub fn measure(project: &Project, rounds: usize) -> Vec<Figure> {
    let starts = (0..rounds * STARTS).map(|_| start(project)).collect();
    vec![Figure::new("cold start", "ms", starts, Limit::AtMost(COLD))]
}

fn start(project: &Project) -> f64 {
    let function = |name| project.text(&["function", name]);
    let output = Command::new(function("deno"))
        .args(["run", "--quiet", "--no-check", "--allow-env", "--allow-read"])
        .arg(format!("--env-file={}", function("environment")))
        .arg(function("cold"))
        .arg(function("module"))
        .env("SUPABASE_URL", project.text(&["url"]))
        .output()
        .expect("Deno starts");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}
