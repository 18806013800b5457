//! `strata-bench`: figures that compare two things in one run. `cargo xtask bench` sets it up and starts it.

mod edge;
mod embed;
mod engine;
mod figure;
mod search;
mod writers;

use std::path::PathBuf;
use std::process::ExitCode;

const USAGE: &str =
    "usage: cargo xtask bench engine|search|embed|edge [--json] [--rounds N] [--tasks N] [--vectors FILE] [case ...]

engine: apply backfill pack blocked; --tasks: of the application that the pack migrates
search: by-hand documents whole-corpus isolation footprint recall complete crossover;
        --vectors: of crossover, as Postgres writes them, one a line; the last 200 are questions
embed: save write queue stall workers switch chaos
edge: added cold size memory crowd";

/// Tasks of the application that the Aurum pack migrates, unless somebody says otherwise; entries are an eighth of it. Chosen:
/// each of its backfills takes several batches and each index some seconds, on two cores.
const TASKS: u32 = 10_000;

/// What is asked for.
struct Wish {
    json: bool,
    rounds: usize,
    tasks: u32,
    vectors: Option<PathBuf>,
    only: Vec<String>,
}

impl Wish {
    fn parse(words: &[String], names: &[&str]) -> Option<Wish> {
        let mut wish = Wish { json: false, rounds: 5, tasks: TASKS, vectors: None, only: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => wish.json = true,
                "--rounds" => wish.rounds = words.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
                "--tasks" => wish.tasks = words.next()?.parse().ok()?,
                "--vectors" => wish.vectors = Some(words.next()?.into()),
                name if names.contains(&name) => wish.only.push(name.to_owned()),
                _ => return None,
            }
        }
        Some(wish)
    }

    /// True: this part was asked for, by name or by naming none.
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some((wish, suite)) = asked(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let report = suite(&wish);
    println!("{}", if wish.json { report.json().to_string() } else { report.table() });
    ExitCode::SUCCESS
}

/// What measures.
type Suite = fn(&Wish) -> figure::Report;

/// What is to be measured, and how much of it.
fn asked(words: &[String]) -> Option<(Wish, Suite)> {
    let (suite, rest) = words.split_first()?;
    match suite.as_str() {
        "engine" => Some((Wish::parse(rest, &engine::NAMES)?, engine::run)),
        "edge" => Some((Wish::parse(rest, &edge::NAMES)?, edge::run)),
        "embed" => Some((Wish::parse(rest, &embed::NAMES)?, embed::run)),
        "search" => Some((Wish::parse(rest, &search::NAMES)?, search::run)),
        _ => None,
    }
}

/// Says on stderr what is being measured.
fn say(text: &str) {
    eprintln!("bench: {text}");
}
