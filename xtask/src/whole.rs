//! The tests of the installed whole: two running clusters, the extension, the command line, the model.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::Cluster;
use crate::error::{Context, Failure, Result};
use crate::extension;
use crate::guard::Guarded;
use crate::run;
use crate::test::{Bench, TOGETHER};

/// Builds everything, starts the clusters, runs the tests crate against them.
pub fn run(bench: &Bench) -> Result<()> {
    let server = bench.server()?;
    extension::install(&server.place, &server.pgrx, &server.postgres)?;
    run::loud(run::cargo().arg("build").args(TOGETHER).current_dir(&bench.place.checkout))?;
    let full = Guarded::start(&server.place, "whole", &server.postgres)?;
    let bare = Guarded::start(&server.place, "bare", &server.bare()?)?;
    let mut command = run::cargo();
    command
        .arg("test")
        .args(TOGETHER)
        .arg("--no-fail-fast")
        .args(programs(bench))
        .arg("--")
        .args(&bench.filter)
        .current_dir(&bench.place.checkout)
        .env("STRATA_TEST_URL", full.cluster.url("postgres"))
        .env("STRATA_TEST_BARE_URL", bare.cluster.url("postgres"))
        .env("STRATA_TEST_PG", &server.postgres.bin)
        .env("STRATA_TEST_BIN", binary(&bench.place.checkout)?)
        .env("STRATA_MODEL_DIR", bench.model()?);
    let outcome = run::loud(&mut command);
    keep_log(bench, &full.cluster, "server")?;
    keep_log(bench, &bare.cluster, "server-bare")?;
    outcome.and_then(|()| no_crash(bench))
}

/// As cargo wants them named.
fn programs(bench: &Bench) -> Vec<&str> {
    let named = bench.programs.iter().flat_map(|name| ["--test", name]).collect();
    if bench.programs.is_empty() { vec!["--test", "*"] } else { named }
}

/// The command line that was just built.
pub fn binary(checkout: &Path) -> Result<PathBuf> {
    Ok(target_folder(checkout)?.join("debug").join("strata"))
}

/// Where cargo builds, whoever configured it.
fn target_folder(checkout: &Path) -> Result<PathBuf> {
    let fixed = ["metadata", "--format-version", "1", "--no-deps"];
    let metadata = run::read(run::cargo().args(fixed).current_dir(checkout))?;
    let folder = metadata.split("\"target_directory\":\"").nth(1).and_then(|rest| rest.split('"').next());
    folder.map(PathBuf::from).ok_or_else(|| Failure::new("cargo metadata names no target directory"))
}

fn keep_log(bench: &Bench, cluster: &Cluster, name: &str) -> Result<()> {
    let kept = bench.place.log(name)?;
    fs::copy(cluster.log(), &kept).map(drop).context(|| format!("keep {}", kept.display()))
}

/// A failed assertion or a dead backend is a bug even when every client was content.
fn no_crash(bench: &Bench) -> Result<()> {
    for name in ["server", "server-bare"] {
        let path = bench.place.log(name)?;
        let log = fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
        if let Some(line) = log.lines().find(|line| is_crash(line)) {
            return Err(Failure::new(format!("the server crashed during the tests: {line}"))
                .hint(format!("its log is {}", path.display())));
        }
    }
    Ok(())
}

/// Signal 9 is what a test sends on purpose.
fn is_crash(line: &str) -> bool {
    let killed = line.contains("was terminated by signal") && !line.contains("signal 9");
    killed || line.contains("TRAP: ") || line.contains("PANIC: ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_a_crash_and_a_kill_on_purpose_is_not() {
        assert!(is_crash("TRAP: failed Assert(\"x\"), File: \"a.c\", Line: 1, PID: 7"));
        assert!(is_crash("LOG:  server process (PID 7) was terminated by signal 6: Aborted"));
        assert!(!is_crash("LOG:  server process (PID 7) was terminated by signal 9: Killed"));
    }
}
