//! The tests of the installed whole: running clusters, the extension, the command line, the model.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cluster::{Cluster, Kind};
use crate::error::{Context, Failure, Result};
use crate::extension;
use crate::guard::Guarded;
use crate::regression_sql;
use crate::run;
use crate::setup::Server;
use crate::system;
use crate::workbench::{Bench, TOGETHER};

/// The program of the tests that kills servers.
const KILLER: &str = "kill_matrix";

/// Clusters that may be killed; each is killed by one thread. Unit: clusters. Two processors are busy with three, because
/// a crash is mostly waiting.
const VICTIMS: usize = 3;

/// Builds everything, starts the clusters, runs the tests crate against them.
pub fn run(bench: &Bench) -> Result<()> {
    let server = bench.server()?;
    extension::install(&server.place, &server.pgrx, &server.postgres)?;
    run::loud(run::cargo().arg("build").args(TOGETHER).current_dir(&bench.place.checkout))?;
    let full = Guarded::start(&server.place, "whole", &server.postgres, Kind::Throwaway)?;
    let bare = Guarded::start(&server.place, "bare", &server.bare()?, Kind::Throwaway)?;
    let killed = if wants(bench, KILLER) { victims(server)? } else { Vec::new() };
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
        .env("STRATA_TEST_KILL", homes(&killed))
        .env("STRATA_TEST_PG", &server.postgres.bin)
        .env("STRATA_TEST_PGBOUNCER", pooler(bench)?)
        .env("STRATA_TEST_BIN", binary(&bench.place.checkout)?)
        .env("STRATA_TEST_REGRESS", regression_sql::ensure(&server.place)?)
        .env("STRATA_MODEL_DIR", bench.model()?);
    let outcome = run::loud(&mut command);
    keep_log(bench, &full.cluster, "server")?;
    keep_log(bench, &bare.cluster, "server-bare")?;
    let logs = killed.iter().enumerate().map(|(at, victim)| {
        let name = format!("server-killed-{at}");
        keep_log(bench, &victim.cluster, &name).map(|()| name)
    });
    let mut logs: Vec<String> = logs.collect::<Result<_>>()?;
    logs.extend(["server".into(), "server-bare".into()]);
    outcome.and_then(|()| no_crash(bench, &logs))
}

/// PgBouncer; only where a program of the tests asks for it.
fn pooler(bench: &Bench) -> Result<PathBuf> {
    if !wants(bench, "bad_days") {
        return Ok(PathBuf::new());
    }
    system::ensure(system::FOR_POOLER)?;
    system::program_path("pgbouncer").ok_or_else(|| Failure::new("pgbouncer was installed and is not found"))
}

fn wants(bench: &Bench, program: &str) -> bool {
    bench.programs.is_empty() || bench.programs.iter().any(|name| name == program)
}

/// Clusters of their own for what kills servers: nobody else's test is in them.
pub fn victims(server: &Server) -> Result<Vec<Guarded>> {
    let start = |at| Guarded::start(&server.place, &format!("killed-{at}"), &server.postgres, Kind::Killed);
    (0..VICTIMS).map(start).collect()
}

/// Their folders, as the tests are told of them.
pub fn homes(victims: &[Guarded]) -> String {
    let homes = victims.iter().map(|victim| victim.cluster.home().display().to_string());
    homes.collect::<Vec<_>>().join(":")
}

/// As cargo wants them named.
fn programs(bench: &Bench) -> Vec<&str> {
    let named = bench.programs.iter().flat_map(|name| ["--test", name]).collect();
    if bench.programs.is_empty() { vec!["--test", "*"] } else { named }
}

/// The command line that was just built.
pub fn binary(checkout: &Path) -> Result<PathBuf> {
    built(checkout, "strata")
}

/// A program that was just built.
pub fn built(checkout: &Path, name: &str) -> Result<PathBuf> {
    Ok(target_folder(checkout)?.join("debug").join(name))
}

/// Where cargo builds, whoever configured it.
pub fn target_folder(checkout: &Path) -> Result<PathBuf> {
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
fn no_crash(bench: &Bench, logs: &[String]) -> Result<()> {
    for name in logs {
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
