//! The extension's own tests, run inside PostgreSQL exactly as `cargo pgrx test` runs them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo_pgrx::path_with;
use crate::cluster;
use crate::error::{Context, Result};
use crate::place;
use crate::run;
use crate::setup::Server;
use crate::system;
use crate::user::{self, Runner};
use crate::workbench::Bench;

/// One at a time per checkout, because they install into one copy of PostgreSQL.
pub fn run(bench: &Bench) -> Result<()> {
    let server = bench.server()?;
    let _alone = server.place.own_lock("pgrx-tests")?;
    let runner = Runner::choose()?;
    let data = data_folder(server, &runner)?;
    let mut command = cargo_test(server, &bench.filter)?;
    command.env("CARGO_PGRX_TEST_PGDATA", &data).current_dir(&server.place.checkout);
    if let Some(name) = runner.name() {
        command.env("CARGO_PGRX_TEST_RUNAS", name);
    }
    let outcome = run::loud(&mut command);
    remove_leftovers(server, &runner, &data)?;
    outcome
}

/// `cargo pgrx test`, or where rustc is too old for its taste the command that it would run.
fn cargo_test(server: &Server, filter: &[String]) -> Result<Command> {
    let pgrx = &server.pgrx;
    let mut command = pgrx.cargo()?;
    match pgrx.rust_version_flag() {
        None => command
            .args(["pgrx", "test", &pgrx.feature(), "-p", "strata", "--no-default-features"])
            .args(filter),
        Some(flag) => {
            let features = format!("{} pg_test", pgrx.feature());
            command.args(["test", flag, "-p", "strata", "--no-default-features", "--lib", "--features"]);
            command.arg(features).arg("--").args(filter)
        }
    };
    if user::is_root()? && !system::program_is_there("sudo") {
        let shim = sudo_shim(server)?;
        command.env("PATH", path_with(&[&pgrx.programs(), &shim])?);
    }
    Ok(command)
}

/// pgrx calls sudo by name to become the servers' user; root needs none for that.
fn sudo_shim(server: &Server) -> Result<PathBuf> {
    let folder = server.place.own.join("shim");
    place::public_dir(&folder)?;
    let script = "#!/bin/sh\n# sudo [-u user] command ..., for root, who needs no rights but another user\n\
        user=root\nif [ \"$1\" = -u ]; then user=$2; shift 2; fi\ncd /\nexec runuser -u \"$user\" -- env \"$@\"\n";
    let path = folder.join("sudo");
    place::write_if_changed(&path, script.as_bytes())?;
    fs::set_permissions(&path, Permissions::from_mode(0o755))
        .context(|| format!("make {} a program", path.display()))?;
    Ok(folder)
}

/// Where the tests make their clusters; what killed runs have left is removed first.
fn data_folder(server: &Server, runner: &Runner) -> Result<PathBuf> {
    let folder = server.place.own.join("pgrx-data");
    place::public_dir(&folder)?;
    runner.own(&folder)?;
    remove_leftovers(server, runner, &folder)?;
    Ok(folder)
}

fn remove_leftovers(server: &Server, runner: &Runner, folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder).context(|| format!("list {}", folder.display()))? {
        let data = entry.context(|| format!("list {}", folder.display()))?.path();
        if cluster::postmaster(&data).is_some() {
            let mut command = Command::new(server.pgrx.postgres().bin.join("pg_ctl"));
            command.args(["stop", "-s", "-w", "-m", "immediate", "-D"]).arg(&data);
            runner.apply(&mut command);
            run::read(&mut command)?;
        }
        place::remove_dir(&data)?;
    }
    Ok(())
}
