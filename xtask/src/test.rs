//! `cargo xtask test`: every proof, in order, with its seconds. The first that fails ends it.

use std::time::{Duration, Instant};

use crate::edge_tests;
use crate::error::{Failure, Result};
use crate::imports;
use crate::pgrx_tests;
use crate::place::Place;
use crate::run;
use crate::toolchain;
use crate::versions;
use crate::whole;
use crate::workbench::{Bench, EDGE, TOGETHER};

/// One proof.
struct Stage {
    /// As one types it to run this one alone.
    name: &'static str,
    /// As a heading.
    title: &'static str,
    run: fn(&Bench) -> Result<()>,
}

const STAGES: &[Stage] = &[
    Stage { name: "format", title: "rustfmt finds nothing to change", run: format },
    Stage { name: "clippy", title: "clippy has no warning", run: clippy },
    Stage { name: "imports", title: "nobody imports whom they must not", run: imports::check },
    Stage { name: "unit", title: "the rules, without PostgreSQL", run: unit },
    Stage { name: "versions", title: "the extension for every PostgreSQL", run: versions::check },
    Stage { name: "pg", title: "the extension inside PostgreSQL", run: pgrx_tests::run },
    Stage { name: "edge", title: "the Edge Function in a running project", run: edge_tests::run },
    Stage { name: "whole", title: "the installed whole, seen by a client", run: whole::run },
];

/// Runs the stages that are named before `--`, or all; the words after it go to the test programs.
pub fn run(words: &[String]) -> Result<()> {
    let (names, filter) = split(words);
    let (names, programs) = programs(names);
    let stages = choose(&names)?;
    let bench = Bench::new(Place::find()?, filter.to_vec(), programs);
    let mut times = Vec::new();
    timed("set-up", "what the tests lean on", &mut times, || set_up(&bench))?;
    for stage in stages {
        timed(stage.name, stage.title, &mut times, || (stage.run)(&bench))?;
    }
    run::say(summary(&times));
    Ok(())
}

fn split(words: &[String]) -> (&[String], &[String]) {
    match words.iter().position(|word| word == "--") {
        Some(at) => (&words[..at], &words[at + 1..]),
        None => (words, &[]),
    }
}

/// `whole/search` is the stage `whole` with one of its programs.
fn programs(names: &[String]) -> (Vec<String>, Vec<String>) {
    let stage = |name: &String| name.strip_prefix("whole/").map_or(name.as_str(), |_| "whole").to_owned();
    let mut stages: Vec<String> = names.iter().map(stage).collect();
    stages.dedup();
    (stages, names.iter().filter_map(|name| name.strip_prefix("whole/")).map(str::to_owned).collect())
}

fn choose(names: &[String]) -> Result<Vec<&'static Stage>> {
    if names.is_empty() {
        return Ok(STAGES.iter().collect());
    }
    let known = || STAGES.iter().map(|stage| stage.name).collect::<Vec<_>>().join(" ");
    let find = |name: &String| {
        STAGES.iter().find(|stage| stage.name == name).ok_or_else(|| {
            Failure::new(format!("there is no stage `{name}`")).hint(format!("the stages are: {}", known()))
        })
    };
    names.iter().map(find).collect()
}

type Times = Vec<(String, Duration)>;

fn timed(name: &str, title: &str, times: &mut Times, work: impl FnOnce() -> Result<()>) -> Result<()> {
    run::say(format!("\n== {name}: {title}"));
    let since = Instant::now();
    let outcome = work();
    let took = since.elapsed();
    times.push((name.into(), took));
    match outcome {
        Ok(()) => run::say(format!("== {name}: passed, {:.1} s", took.as_secs_f64())),
        Err(failure) => {
            run::say(summary(times));
            return Err(Failure::new(format!(
                "the stage `{name}` failed after {:.1} s: {failure}",
                took.as_secs_f64()
            )));
        }
    }
    Ok(())
}

fn summary(times: &Times) -> String {
    let line = |(name, took): &(String, Duration)| format!("   {name:<10}{:>8.1} s\n", took.as_secs_f64());
    let total: Duration = times.iter().map(|(_, took)| *took).sum();
    format!("\n{}{}", times.iter().map(line).collect::<String>(), line(&("total".into(), total)))
}

fn set_up(bench: &Bench) -> Result<()> {
    toolchain::ensure_component("rustfmt")?;
    toolchain::ensure_component("clippy")?;
    bench.model()?;
    bench.server().map(drop)
}

fn format(bench: &Bench) -> Result<()> {
    run::loud(run::cargo().args(["fmt", "--all", "--check"]).current_dir(&bench.place.checkout))
        .map_err(|failure| failure.hint("cargo fmt --all"))
}

fn clippy(bench: &Bench) -> Result<()> {
    let deny = ["--all-targets", "--", "-D", "warnings"];
    let mut command = run::cargo();
    command.arg("clippy").args(TOGETHER).args(["-p", "strata-benches", "-p", "xtask"]).args(deny);
    run::loud(command.current_dir(&bench.place.checkout))?;
    let mut command = run::cargo();
    command.arg("clippy").args(EDGE).args(["--features", "strata-edge/describe"]).args(deny);
    run::loud(command.current_dir(&bench.place.checkout))?;
    toolchain::ensure_target(imports::WASM)?;
    let mut command = run::cargo();
    command.args(["clippy", "-p", "strata-edge", "--target", imports::WASM, "--", "-D", "warnings"]);
    run::loud(command.current_dir(&bench.place.checkout))?;
    let pgrx = &bench.server()?.pgrx;
    let features = format!("{} pg_test", pgrx.feature());
    let mut command = pgrx.cargo()?;
    command.arg("clippy").args(pgrx.rust_version_flag()).args([
        "-p",
        "strata",
        "--no-default-features",
        "--features",
    ]);
    run::loud(command.arg(features).args(deny).current_dir(&bench.place.checkout))
}

fn unit(bench: &Bench) -> Result<()> {
    let test = |crates: &[&str], targets: &[&str]| {
        let mut command = run::cargo();
        command.args(["test", "--no-fail-fast"]).args(crates).args(targets).arg("--").args(&bench.filter);
        run::loud(command.current_dir(&bench.place.checkout))
    };
    test(&["-p", "xtask"], &[])?;
    test(&["-p", "strata-benches"], &["--bins"])?;
    test(&["-p", "strata-edge", "--features", "describe"], &["--lib"])?;
    test(&TOGETHER, &["--lib", "--bins"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(String::from).collect()
    }

    #[test]
    fn words_after_the_dashes_belong_to_the_test_programs() {
        let typed = words("unit whole -- under_rls --nocapture");
        let (names, filter) = split(&typed);
        assert_eq!((names, filter), (&words("unit whole")[..], &words("under_rls --nocapture")[..]));
        assert_eq!(split(&words("--")), (&[][..], &[][..]));
    }

    #[test]
    fn a_program_of_the_whole_can_be_named() {
        let (stages, chosen) = programs(&words("unit whole/search whole/embed"));
        assert_eq!((stages, chosen), (words("unit whole"), words("search embed")));
        assert_eq!(programs(&words("whole")), (words("whole"), Vec::new()));
    }

    #[test]
    fn an_unknown_stage_is_answered_with_the_known_ones() {
        let refusal = choose(&words("units")).map(drop).unwrap_err().to_string();
        assert!(
            refusal.contains("`units`")
                && refusal.contains("format clippy imports unit versions pg edge whole"),
            "{refusal}"
        );
        assert_eq!(choose(&[]).unwrap().len(), STAGES.len());
    }

    #[test]
    fn the_summary_adds_up() {
        let times =
            vec![("a".to_string(), Duration::from_secs(1)), ("b".to_string(), Duration::from_secs(2))];
        assert!(summary(&times).contains("total          3.0 s"), "{}", summary(&times));
    }
}
