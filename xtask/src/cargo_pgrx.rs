//! cargo-pgrx: installed once per machine, told which PostgreSQL to use, called with the flags that stable Rust needs.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use crate::error::{Failure, Result};
use crate::installation::Installation;
use crate::place::{self, Place};
use crate::run;
use crate::version::Version;

/// Equal to the pgrx that the extension depends on, to the digit.
const VERSION: &str = "0.19.3";

/// The first rustc that pgrx calls supported. Older ones compile it when they are told not to mind.
const SUPPORTED_RUSTC: Version = Version::new(1, 96);

/// cargo-pgrx and the PostgreSQL that it builds against.
#[derive(Debug)]
pub struct CargoPgrx {
    programs: PathBuf,
    home: PathBuf,
    postgres: Installation,
    rustc: Version,
}

impl CargoPgrx {
    /// Installs cargo-pgrx when it is missing and points it at a copy of a PostgreSQL.
    pub fn ensure(place: &Place, postgres: &Installation, original: &Installation) -> Result<Self> {
        let root = place.cache.join("tools").join(format!("cargo-pgrx-{VERSION}"));
        let programs = root.join("bin");
        if !programs.join("cargo-pgrx").is_file() {
            let _alone = place.lock("cargo-pgrx")?;
            install(place, &root)?;
        }
        let home = place.own.join("pgrx");
        place::public_dir(&home)?;
        let made_of = format!("# a copy of PostgreSQL {} in {}", original.version, original.bin.display());
        let config =
            format!("{made_of}\n[configs]\npg{} = {:?}\n", original.version.major, postgres.pg_config());
        // pgrx makes its bindings again when this file changes, so it names the original, and is written only then.
        place::write_if_changed(&home.join("config.toml"), config.as_bytes())?;
        Ok(Self { programs, home, postgres: postgres.clone(), rustc: rustc_version()? })
    }

    /// The feature of the extension for this server.
    pub fn feature(&self) -> String {
        format!("pg{}", self.postgres.version.major)
    }

    /// `--ignore-rust-version` where rustc is too old for pgrx's taste.
    pub fn rust_version_flag(&self) -> Option<&'static str> {
        (self.rustc < SUPPORTED_RUSTC).then_some("--ignore-rust-version")
    }

    /// The PostgreSQL that it builds against and installs its tests into.
    pub fn postgres(&self) -> &Installation {
        &self.postgres
    }

    /// The folder of cargo-pgrx itself.
    pub fn programs(&self) -> PathBuf {
        self.programs.clone()
    }

    /// A cargo that knows where cargo-pgrx and its configuration are.
    pub fn cargo(&self) -> Result<Command> {
        // The servers' user reads what it installs.
        let mut command = run::readable_cargo();
        command
            .env("PATH", path_with(&[&self.programs])?)
            .env("PGRX_HOME", &self.home)
            .env("PGRX_BUILD_FLAGS", self.rust_version_flag().unwrap_or_default())
            // The extension's build.rs passes the linker flag itself; twice means everything compiled twice.
            .env("CARGO_PGRX_DISABLE_GC_SECTIONS_WORKAROUND", "1");
        Ok(command)
    }
}

/// `PATH` with folders before it.
pub fn path_with(first: &[&PathBuf]) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = first.iter().map(|folder| folder.to_path_buf()).chain(env::split_paths(&path));
    env::join_paths(all).map_err(|reason| Failure::new(format!("a folder cannot be part of PATH: {reason}")))
}

fn install(place: &Place, root: &std::path::Path) -> Result<()> {
    if root.join("bin/cargo-pgrx").is_file() {
        return Ok(());
    }
    let fixed =
        ["install", "cargo-pgrx", "--version", VERSION, "--locked", "--debug", "--ignore-rust-version"];
    let mut command = run::readable_cargo();
    // Not in the checkout, whose configuration is not this program's.
    command.args(fixed).arg("--root").arg(root).current_dir(&place.own).env_remove("CARGO_TARGET_DIR");
    run::quiet(
        &format!("setup: installing cargo-pgrx {VERSION} (minutes, once)"),
        &place.log("cargo-pgrx")?,
        &mut command,
    )
}

fn rustc_version() -> Result<Version> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let text = run::read(Command::new(rustc).arg("--version"))?;
    Version::find(&text)
        .ok_or_else(|| Failure::new(format!("rustc does not tell its version: {}", text.trim())))
}
