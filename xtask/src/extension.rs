//! The extension, built by cargo-pgrx and put into an overlay file by file, so that servers which run it go on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cargo_pgrx::CargoPgrx;
use crate::error::{Context, Failure, Result};
use crate::installation::Installation;
use crate::place::{self, Place};
use crate::run;

/// Builds the extension (cargo decides what is to be done) and installs it into `target`.
pub fn install(place: &Place, pgrx: &CargoPgrx, target: &Installation) -> Result<()> {
    install_from(place, pgrx.cargo()?.args(["pgrx", "package", "--debug"]), pgrx, target)
}

/// The same with all optimisation, built in a folder of its own: it is compiled against another server.
pub fn install_release(place: &Place, pgrx: &CargoPgrx, target: &Installation, folder: &Path) -> Result<()> {
    let mut command = pgrx.cargo()?;
    install_from(place, command.args(["pgrx", "package"]).env("CARGO_TARGET_DIR", folder), pgrx, target)
}

fn install_from(place: &Place, command: &mut Command, pgrx: &CargoPgrx, target: &Installation) -> Result<()> {
    let _alone = place.own_lock("extension")?;
    let out = place.own.join("package");
    place::remove_dir(&out)?;
    let feature = pgrx.feature();
    let fixed = ["-p", "strata", "--no-default-features", "--features", &feature];
    command.args(fixed).arg("--pg-config").arg(pgrx.postgres().pg_config()).arg("--out-dir").arg(&out);
    run::quiet(
        "setup: building the extension",
        &place.log("extension")?,
        command.current_dir(&place.checkout),
    )?;
    let files = files_below(&out)?;
    if files.is_empty() {
        return Err(Failure::new(format!("cargo-pgrx left nothing in {}", out.display())));
    }
    // The library first: a script must never name a function that is not there yet.
    let (scripts, libraries): (Vec<_>, Vec<_>) = files.into_iter().partition(|path| is_script(path));
    libraries.iter().try_for_each(|path| put(path, &target.pkglib))?;
    scripts.iter().try_for_each(|path| put(path, &target.extensions()))
}

/// The script that `CREATE EXTENSION strata` runs, if the extension is installed there.
pub fn script(target: &Installation) -> Option<PathBuf> {
    let control = fs::read_to_string(target.extensions().join("strata.control")).ok()?;
    let line = control.lines().find(|line| line.starts_with("default_version"))?;
    let version = line.split('\'').nth(1)?;
    Some(target.extensions().join(format!("strata--{version}.sql"))).filter(|path| path.is_file())
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "sql" || kind == "control")
}

/// Replaces a file by renaming: a server that has the old one mapped keeps it.
fn put(file: &Path, folder: &Path) -> Result<()> {
    let target = folder.join(file.file_name().unwrap_or_default());
    let bytes = fs::read(file).context(|| format!("read {}", file.display()))?;
    if fs::read(&target).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let part = folder.join(".strata.part");
    let written =
        fs::write(&part, bytes).and_then(|()| make_readable(&part)).and_then(|()| fs::rename(&part, &target));
    written.context(|| format!("install {}", target.display()))
}

fn make_readable(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).context(|| format!("list {}", folder.display()))? {
        let path = entry.context(|| format!("list {}", folder.display()))?.path();
        if path.is_dir() {
            files.append(&mut files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_control_files_go_beside_each_other() {
        assert!(is_script(Path::new("a/strata.control")) && is_script(Path::new("strata--0.1.0.sql")));
        assert!(!is_script(Path::new("strata.so")));
    }
}
