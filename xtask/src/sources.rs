//! Fetches source tarballs: Debian's, verified by apt in a configuration of its own, else upstream's by checksum.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Context, Failure, Result};
use crate::place::{self, Place};
use crate::run;
use crate::system::{self, Release};

/// One pinned tarball.
pub struct Source {
    /// Debian's name of the source package.
    pub package: &'static str,
    /// Upstream's version. Another one of the same package is taken only when the archive has moved on.
    pub version: &'static str,
    /// Of upstream's tarball, which Debian passes on unchanged.
    pub sha256: &'static str,
    /// Where upstream publishes it.
    pub url: &'static str,
}

/// A tarball on disk.
pub struct Tarball {
    /// The file.
    pub path: PathBuf,
    /// Upstream's version, usually the pinned one.
    pub version: String,
}

impl Source {
    /// The pinned tarball from the cache, from Debian or from upstream; else a newer one that Debian signs.
    pub fn fetch(&self, place: &Place) -> Result<Tarball> {
        let folder = place.cache.join("sources");
        place::public_dir(&folder)?;
        if let Some(tarball) = self.pinned_in(&folder) {
            return Ok(tarball);
        }
        let apt = Apt::prepare(place)
            .map_err(|failure| run::say(format!("setup: no source packages: {failure}")))
            .ok();
        let debian = |version: &str| apt.as_ref().and_then(|apt| apt.download(self, version, &folder));
        let offered = apt.as_ref().map(|apt| apt.versions(self.package)).unwrap_or_default();
        let fetched =
            offered.iter().filter(|offer| upstream(offer) == self.version).find_map(|offer| debian(offer));
        if let Some(tarball) = fetched.and_then(|_| self.pinned_in(&folder)) {
            return Ok(tarball);
        }
        let refusal = match self.download(&folder) {
            Ok(tarball) => return Ok(tarball),
            Err(refusal) => refusal,
        };
        offered
            .iter()
            .filter(|offer| upstream(offer) != self.version)
            .find_map(|offer| debian(offer))
            .ok_or(refusal)
    }

    /// A tarball of the folder that has the pinned checksum.
    fn pinned_in(&self, folder: &Path) -> Option<Tarball> {
        let files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let mut named = files.filter(|path| is_tarball_of(self, path));
        let path = named.find(|path| place::file_sha256(path).is_ok_and(|sum| sum == self.sha256))?;
        Some(Tarball { path, version: self.version.into() })
    }

    fn download(&self, folder: &Path) -> Result<Tarball> {
        system::ensure(system::FOR_DOWNLOAD)?;
        run::say(format!("setup: fetching {} {} from upstream", self.package, self.version));
        let name = self.url.rsplit('/').next().unwrap_or(self.url);
        let (part, path) =
            (folder.join(format!("{name}.part")), folder.join(format!("{}_{name}", self.package)));
        let fixed = ["-fsSL", "--retry", "3", "--connect-timeout", "20", "-o"];
        run::read(Command::new("curl").args(fixed).arg(&part).arg(self.url))?;
        let sum = place::file_sha256(&part)?;
        if sum != self.sha256 {
            return Err(Failure::new(format!("{} has SHA-256 {sum}, not {}", self.url, self.sha256)));
        }
        fs::rename(&part, &path).context(|| format!("keep {}", path.display()))?;
        Ok(Tarball { path, version: self.version.into() })
    }
}

fn is_tarball_of(source: &Source, path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with(&format!("{}_", source.package)) && name.contains(".tar.") && !name.contains(".debian.")
}

/// `17.11` of `17.11-0+deb13u1`.
fn upstream(debian: &str) -> &str {
    debian.rsplit_once('-').map_or(debian, |(upstream, _)| upstream)
}

/// apt with lists, caches and sources in our cache, so that the system's configuration stays as it is.
struct Apt {
    config: PathBuf,
}

/// The release whose sources compile everywhere that we support.
const SUITE: &str = "trixie";

impl Apt {
    fn prepare(place: &Place) -> Result<Self> {
        if !Release::here().is_debian() {
            return Err(Failure::new("apt does not speak to Debian's archive here"));
        }
        let keyring = debian_keyring().ok_or_else(|| Failure::new("Debian's keyring is not installed"))?;
        system::ensure(system::FOR_SOURCE_PACKAGES)?;
        let home = place.cache.join("apt");
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            place::public_dir(&home.join(folder))?;
        }
        let sites = run::read(Command::new("apt-get").args([
            "indextargets",
            "--format",
            "$(SITE)",
            "Created-By: Packages",
        ]))?;
        let (config, list) = (home.join("apt.conf"), home.join("sources.list"));
        place::write_if_changed(&list, source_lines(&sites, keyring)?.as_bytes())?;
        place::write_if_changed(&config, apt_conf(&home).as_bytes())?;
        let apt = Self { config };
        run::quiet(
            "setup: reading the index of Debian's sources",
            &place.log("apt")?,
            apt.command("apt-get").arg("update"),
        )?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("APT_CONFIG", &self.config).env("LC_ALL", "C");
        command
    }

    /// What the archive offers, newest first.
    fn versions(&self, package: &str) -> Vec<String> {
        let shown = run::read(self.command("apt-cache").args(["showsrc", "--only-source", package]))
            .unwrap_or_default();
        let mut found: Vec<String> = shown
            .lines()
            .filter_map(|line| Some(line.strip_prefix("Version: ")?.trim().to_string()))
            .collect();
        found.sort_by_key(|version| std::cmp::Reverse(crate::version::Version::find(version)));
        found.dedup();
        found
    }

    /// The tarball of one version; `None` when the mirror has it in its index only.
    fn download(&self, source: &Source, version: &str, folder: &Path) -> Option<Tarball> {
        run::say(format!("setup: fetching the source package {} {version}", source.package));
        let wanted = format!("{}={version}", source.package);
        let mut command = self.command("apt-get");
        command.args(["-q", "source", "--download-only", &wanted]).current_dir(folder);
        if let Err(failure) = run::read(&mut command) {
            run::say(format!("setup: {wanted} is not to be had: {}", last_line(&failure.to_string())));
            return None;
        }
        let number = upstream(version);
        let prefix = format!("{}_{number}.orig.tar.", source.package);
        let mut files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
        let path = files
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)))?;
        Some(Tarball { path, version: number.into() })
    }
}

fn last_line(text: &str) -> &str {
    text.lines().last().unwrap_or_default()
}

/// The mirrors that apt is configured with, asked for the sources of `SUITE`.
fn source_lines(sites: &str, keyring: &Path) -> Result<String> {
    let (security, plain): (Vec<&str>, Vec<&str>) =
        sites.lines().partition(|site| site.contains("-security"));
    let mirror = plain.first().ok_or_else(|| Failure::new("apt is configured with no mirror"))?;
    let security = security.first().map_or_else(|| format!("{mirror}-security"), |site| site.to_string());
    let line = |site: &str, suite: String| {
        format!("deb-src [signed-by={}] {site} {suite} main\n", keyring.display())
    };
    Ok(line(mirror, SUITE.into()) + &line(&security, format!("{SUITE}-security")))
}

fn apt_conf(home: &Path) -> String {
    let home = home.display();
    format!(
        "Dir::Etc::SourceList \"{home}/sources.list\";\nDir::Etc::SourceParts \"-\";\nDir::State \"{home}/state\";\n\
         Dir::State::Status \"/var/lib/dpkg/status\";\nDir::Cache \"{home}/cache\";\nAPT::Sandbox::User \"root\";\n"
    )
}

/// The folder of keys that apt's own packages are signed with, for those that need it.
fn debian_keyring() -> Option<&'static Path> {
    let keyring = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
    fs::exists(keyring).is_ok_and(|found| found).then_some(keyring)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirrors_of_the_system_are_asked_for_sources() {
        let lines = source_lines("http://m/debian\nhttp://m/debian-security\n", Path::new("/k.gpg")).unwrap();
        assert_eq!(
            lines,
            "deb-src [signed-by=/k.gpg] http://m/debian trixie main\n\
             deb-src [signed-by=/k.gpg] http://m/debian-security trixie-security main\n"
        );
        assert!(source_lines("", Path::new("/k.gpg")).is_err());
    }

    #[test]
    fn debians_revision_is_not_part_of_upstreams_version() {
        assert_eq!(upstream("17.11-0+deb13u1"), "17.11");
        assert_eq!(upstream("0.8.0"), "0.8.0");
    }
}
