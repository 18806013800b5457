//! `strata-bench`: figures that compare two things in one run. `cargo xtask bench` sets it up and starts it.

mod engine;
mod figure;
mod writers;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask bench engine [--json] [--rounds N] [apply|backfill|pack|blocked ...]";

/// What is asked for.
struct Wish {
    json: bool,
    rounds: usize,
    only: Vec<String>,
}

impl Wish {
    fn parse(words: &[String]) -> Option<Wish> {
        let mut wish = Wish { json: false, rounds: 5, only: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--json" => wish.json = true,
                "--rounds" => wish.rounds = words.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
                name if engine::NAMES.contains(&name) => wish.only.push(name.to_owned()),
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
    let wish = match words.split_first() {
        Some((suite, rest)) if suite == "engine" => Wish::parse(rest),
        _ => None,
    };
    let Some(wish) = wish else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let report = engine::run(&wish);
    println!("{}", if wish.json { report.json().to_string() } else { report.table() });
    ExitCode::SUCCESS
}

/// Says on stderr what is being measured.
fn say(text: &str) {
    eprintln!("bench: {text}");
}
