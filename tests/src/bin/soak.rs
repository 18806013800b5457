//! `cargo xtask soak`: trials until the time is over, on every server at once. Ends with 1 where something was not as it
//! must be.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use strata_tests::kill::World;
use strata_tests::kill::soak::Trial;
use strata_tests::victim::Victim;

/// What came of all trials so far.
#[derive(Default)]
struct Tally {
    trials: u64,
    met: BTreeMap<String, u64>,
    violations: u64,
}

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).map(|word| word.parse::<u64>().expect("xtask gives numbers"));
    let (minutes, first) = (words.next().expect("minutes"), words.next().expect("a seed"));
    let end = Instant::now() + Duration::from_secs(60 * minutes);
    let worlds: Vec<World> = Victim::all().into_iter().map(World::new).collect();
    let (next, tally) = (AtomicU64::new(first), Mutex::new(Tally::default()));
    std::thread::scope(|scope| {
        for world in &worlds {
            scope.spawn(|| {
                while Instant::now() < end {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    note(&tally, seed, world);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no thread has panicked");
    summary(&tally, first, minutes);
    if tally.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn note(tally: &Mutex<Tally>, seed: u64, world: &World) {
    let trial = Trial::of(seed);
    let outcome = trial.run(world);
    let mut tally = tally.lock().expect("no thread panics while it counts");
    tally.trials += 1;
    match outcome {
        Ok(met) => *tally.met.entry(trial.executor.to_string()).or_default() += met as u64,
        Err(what) => {
            tally.violations += 1;
            println!("VIOLATION, seed {seed}: {trial}\n{what}\n");
        }
    }
    if tally.trials.is_multiple_of(50) {
        println!("{} trials, {} violations", tally.trials, tally.violations);
    }
}

fn summary(tally: &Tally, first: u64, minutes: u64) {
    let met: Vec<String> = tally.met.iter().map(|(executor, kills)| format!("{executor} {kills}")).collect();
    let (trials, violations) = (tally.trials, tally.violations);
    println!(
        "{trials} trials in {minutes} minutes; kills that met a run: {}; {violations} violations",
        met.join(", ")
    );
    println!("again: cargo xtask soak --minutes {minutes} --seed {first}");
}
