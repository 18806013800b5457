//! PostgreSQL with pgvector from the packages of the system's own release, when that carries them.

use std::path::PathBuf;

use crate::error::{Failure, Result};
use crate::installation::{Installation, PGVECTOR};
use crate::run;
use crate::system::{self, Release};
use crate::version::Version;

/// Majors in the order in which we like them.
const WANTED: [u32; 4] = [17, 18, 16, 15];

/// One that is installed, else one that can be; `None` when the release carries none.
pub fn postgres(release: &Release) -> Result<Option<Installation>> {
    if !release.has_apt() {
        return Ok(None);
    }
    if let Some(found) = WANTED.into_iter().find_map(installed) {
        return Ok(Some(found));
    }
    let all: Vec<String> = WANTED.into_iter().flat_map(names).collect();
    let words: Vec<&str> = ["policy"].into_iter().chain(all.iter().map(String::as_str)).collect();
    let offered = candidates(&run::read(&mut system::apt_cache(&words)?)?);
    let Some(major) = WANTED.into_iter().find(|major| carries(&offered, *major)) else { return Ok(None) };
    run::say(format!("setup: this release carries PostgreSQL {major} with pgvector: taking its packages"));
    install(major)?;
    match installed(major) {
        Some(found) => Ok(Some(found)),
        None => Err(Failure::new(format!("postgresql-{major} was installed and still cannot be used"))
            .hint("name another one with PG_CONFIG=/path/to/pg_config")),
    }
}

fn installed(major: u32) -> Option<Installation> {
    let pg_config = PathBuf::from(format!("/usr/lib/postgresql/{major}/bin/pg_config"));
    let found = pg_config.is_file().then(|| Installation::ask(&pg_config).ok())??;
    found.refusal().is_none().then_some(found)
}

fn names(major: u32) -> [String; 3] {
    [
        format!("postgresql-{major}"),
        format!("postgresql-server-dev-{major}"),
        format!("postgresql-{major}-pgvector"),
    ]
}

/// Whether all three packages can be installed and pgvector is new enough.
fn carries(offered: &[(String, String)], major: u32) -> bool {
    let version = |wanted: &String| {
        let (_, text) = offered.iter().find(|(name, _)| name == wanted)?;
        Version::find(text)
    };
    let [server, headers, vector] = names(major).map(|name| version(&name));
    server.is_some() && headers.is_some() && vector.is_some_and(|version| version >= PGVECTOR)
}

/// Name and candidate version of each package that can be installed.
fn candidates(policy: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut name = "";
    for line in policy.lines() {
        if let Some(package) = line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
            name = package;
        }
        if let Some(version) = line.trim().strip_prefix("Candidate: ").filter(|version| *version != "(none)")
        {
            found.push((name.to_string(), version.to_string()));
        }
    }
    found
}

/// Installs, and keeps the package from making a cluster of the machine's: we only want the programs.
fn install(major: u32) -> Result<()> {
    let folder = "/etc/postgresql-common/createcluster.d";
    let file = format!("{folder}/strata-no-cluster.conf");
    let write = format!("mkdir -p {folder} && echo 'create_main_cluster = false' >{file}");
    run::read(&mut system::privileged(&["sh", "-c", &write])?)?;
    let outcome = system::install(&names(major));
    run::read(&mut system::privileged(&["rm", "-f", &file])?)?;
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packages_with_a_candidate_count() {
        let policy = "postgresql-17:\n  Installed: (none)\n  Candidate: 17.6-1\n  Version table:\n     17.6-1 500\n\
                      postgresql-17-pgvector:\n  Installed: (none)\n  Candidate: (none)\n";
        assert_eq!(candidates(policy), [("postgresql-17".to_string(), "17.6-1".to_string())]);
    }

    #[test]
    fn a_release_with_an_old_pgvector_does_not_carry_it() {
        let offer = |vector: &str| {
            let versions = ["16.3-1", "16.3-1", vector];
            names(16).into_iter().zip(versions.map(String::from)).collect::<Vec<_>>()
        };
        assert!(carries(&offer("0.8.0-1"), 16) && !carries(&offer("0.6.0-1"), 16));
        assert!(!carries(&offer("0.8.0-1"), 17) && !carries(&offer("0.8.0-1")[..2], 16));
    }
}
