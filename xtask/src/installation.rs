//! A PostgreSQL as its pg_config tells of it, and whether it can be used.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Failure, Result};
use crate::run;
use crate::version::Version;

/// The oldest and the newest major version that the extension has a feature for.
pub const MAJORS: std::ops::RangeInclusive<u32> = 15..=18;

/// The oldest pgvector that has iterative index scans.
pub const PGVECTOR: Version = Version::new(0, 8);

/// A PostgreSQL as its pg_config describes it. Every folder is absolute.
#[derive(Clone, Debug)]
pub struct Installation {
    /// Which release.
    pub version: Version,
    /// initdb, pg_ctl, postgres, psql ...
    pub bin: PathBuf,
    /// Loadable modules.
    pub pkglib: PathBuf,
    /// Holds the folder `extension`.
    pub share: PathBuf,
    /// The server's headers.
    pub server_headers: PathBuf,
    /// Other folders that a pg_config must be able to name: lib, include, locale ...
    pub others: Vec<PathBuf>,
}

impl Installation {
    /// Asks a pg_config. Debian's own wrapper is followed to the real one, which can be moved.
    pub fn ask(pg_config: &Path) -> Result<Self> {
        let answer = run::read(&mut Command::new(pg_config))?;
        let here = Self::parse(&answer).ok_or_else(|| {
            Failure::new(format!("{} does not answer like a pg_config", pg_config.display()))
        })?;
        let real = here.bin.join("pg_config");
        if real.is_file() && real != pg_config {
            let answer = run::read(&mut Command::new(&real))?;
            return Ok(Self::parse(&answer).unwrap_or(here));
        }
        Ok(here)
    }

    fn parse(answer: &str) -> Option<Self> {
        let field = |name: &str| {
            let line =
                answer.lines().find_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('='))?;
            Some(line.trim().to_string())
        };
        let folder = |name: &str| field(name).map(PathBuf::from);
        let others = ["LIBDIR", "INCLUDEDIR", "PKGINCLUDEDIR", "LOCALEDIR"];
        Some(Self {
            version: Version::find(&field("VERSION")?)?,
            bin: folder("BINDIR")?,
            pkglib: folder("PKGLIBDIR")?,
            share: folder("SHAREDIR")?,
            server_headers: folder("INCLUDEDIR-SERVER")?,
            others: others.iter().filter_map(|name| folder(name)).collect(),
        })
    }

    /// Its own pg_config.
    pub fn pg_config(&self) -> PathBuf {
        self.bin.join("pg_config")
    }

    /// Where control files and scripts lie.
    pub fn extensions(&self) -> PathBuf {
        self.share.join("extension")
    }

    /// Whether a module can be preloaded.
    pub fn has_module(&self, name: &str) -> bool {
        self.pkglib.join(format!("{name}{}", env::consts::DLL_SUFFIX)).is_file()
    }

    /// Why this installation cannot be used, if it cannot.
    pub fn refusal(&self) -> Option<String> {
        if !MAJORS.contains(&self.version.major) {
            return Some(format!(
                "version {} is not between {} and {}",
                self.version,
                MAJORS.start(),
                MAJORS.end()
            ));
        }
        let needed = [
            (self.bin.join("postgres"), "no server"),
            (self.bin.join("initdb"), "no initdb"),
            (self.pg_config(), "no pg_config beside the server"),
            (self.server_headers.join("postgres.h"), "no server headers"),
        ];
        let lacks = needed.iter().find(|(path, _)| !path.is_file());
        lacks.map(|(_, what)| what.to_string()).or_else(|| self.pgvector_refusal())
    }

    fn pgvector_refusal(&self) -> Option<String> {
        let control = fs::read_to_string(self.extensions().join("vector.control")).unwrap_or_default();
        let line = control.lines().find(|line| line.starts_with("default_version"));
        match line.and_then(Version::find) {
            None => Some("no pgvector".into()),
            Some(version) if version < PGVECTOR => {
                Some(format!("pgvector {version} is older than {PGVECTOR}"))
            }
            Some(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "BINDIR = /usr/lib/postgresql/17/bin\nINCLUDEDIR = /usr/include/postgresql\n\
        INCLUDEDIR-SERVER = /usr/include/postgresql/17/server\nLIBDIR = /usr/lib/x86_64-linux-gnu\n\
        PKGLIBDIR = /usr/lib/postgresql/17/lib\nSHAREDIR = /usr/share/postgresql/17\nVERSION = PostgreSQL 17.6 (Debian)\n";

    #[test]
    fn a_pg_config_is_read_by_whole_names() {
        let found = Installation::parse(ANSWER).unwrap();
        assert_eq!(found.version, Version::new(17, 6));
        assert_eq!(found.pkglib, Path::new("/usr/lib/postgresql/17/lib"));
        assert_eq!(found.server_headers, Path::new("/usr/include/postgresql/17/server"));
        assert_eq!(found.others, ["/usr/lib/x86_64-linux-gnu", "/usr/include/postgresql"].map(PathBuf::from));
    }

    #[test]
    fn a_version_without_a_feature_is_refused_by_number() {
        let old = Installation::parse(&ANSWER.replace("17.6", "14.9")).unwrap();
        assert_eq!(old.refusal().unwrap(), "version 14.9 is not between 15 and 18");
        let nowhere = Installation::parse(&ANSWER.replace("/usr", "/strata-none")).unwrap();
        assert_eq!(nowhere.refusal().unwrap(), "no server");
    }
}
