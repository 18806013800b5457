//! `cargo xtask bench`: builds everything as users get it, starts a cluster that writes things down, runs `benches/`.

use std::path::{Path, PathBuf};

use crate::cluster::Kind;
use crate::error::Result;
use crate::extension;
use crate::guard::Guarded;
use crate::run;
use crate::setup::Server;
use crate::stack::Stack;
use crate::whole;

/// The words after `bench` are those of the program itself.
pub fn run(words: &[String]) -> Result<()> {
    let server = Server::plain()?;
    let suite = words.first().map_or("", String::as_str);
    let built = build(&server, suite)?;
    if suite == "edge" {
        return edge(&server, &built, words);
    }
    let guarded = Guarded::start(&server.place, "bench", &server.postgres, Kind::Durable)?;
    let mut command = std::process::Command::new(built.join("strata-bench"));
    command
        .args(words)
        .env("STRATA_TEST_URL", guarded.cluster.url("postgres"))
        .env("STRATA_TEST_BARE_URL", guarded.cluster.url("postgres"))
        .env("STRATA_TEST_PG", &server.postgres.bin)
        .env("STRATA_TEST_BIN", built.join("strata"))
        .env("STRATA_MODEL_DIR", server.place.cache.join("models/all-MiniLM-L6-v2"));
    run::printing(&mut command)
}

/// The function in a project of its own, on the same PostgreSQL.
fn edge(server: &Server, built: &Path, words: &[String]) -> Result<()> {
    let stack = Stack::start(server, &[])?;
    let mut command = std::process::Command::new(built.join("strata-bench"));
    command.args(words).envs(stack.tools.deno_settings()).env("STRATA_TEST_STACK", stack.json()?);
    run::printing(&mut command)
}

/// Compiles with all optimisation, in a folder of its own; where the programs are. Two suites do without the command line.
fn build(server: &Server, suite: &str) -> Result<PathBuf> {
    let folder = whole::target_folder(&server.place.checkout)?.join("bench");
    extension::install_release(&server.place, &server.pgrx, &server.postgres, &folder)?;
    let mut command = run::cargo();
    command
        .args(["build", "--release", "-p", "strata-benches"])
        .args(if ["search", "edge"].contains(&suite) { &[][..] } else { &["-p", "strata-cli"] })
        .env("CARGO_TARGET_DIR", &folder)
        .current_dir(&server.place.checkout);
    run::quiet(
        "setup: building the command line and the benchmarks",
        &server.place.log("benches")?,
        &mut command,
    )?;
    Ok(Path::new(&folder).join("release"))
}
