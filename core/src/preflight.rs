//! What a server must be before anything is done to it.

use crate::error::{Error, Kind};
use crate::pack::Requires;
use crate::statement::{Row, Statement, column};
use crate::verify::Check;

/// Oldest PostgreSQL that works. Unit: major version. Source: security_invoker views came with 15.
pub const OLDEST_POSTGRES: u32 = 15;

/// Oldest pgvector that works. Source: iterative index scans came with 0.8.0.
pub const OLDEST_VECTOR: &str = "0.8";

/// What the server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// As in `show server_version_num`.
    pub version_num: u32,
    /// pgvector's version, installed or else available.
    pub vector: Option<String>,
    /// The extension's version that is installed in this database.
    pub strata_installed: Option<String>,
    /// The extension's version that the server offers.
    pub strata_available: Option<String>,
}

/// Asks a server. One row, read by [`Server::read`].
pub fn question() -> Statement {
    Statement::ours(include_str!("../../sql/query/server.sql"), Vec::new())
}

impl Server {
    /// From the answer to [`question`].
    pub fn read(row: &Row) -> Server {
        let text = |index| Some(column(row, index).to_owned()).filter(|t| !t.is_empty());
        Server {
            version_num: column(row, 0).parse().unwrap_or(0),
            vector: text(1),
            strata_installed: text(2),
            strata_available: text(3),
        }
    }

    /// Refuses a server that cannot carry the extension and the pack.
    pub fn check(&self, requires: &Requires) -> Result<(), Error> {
        self.check_postgres(requires.postgres.unwrap_or(OLDEST_POSTGRES).max(OLDEST_POSTGRES))?;
        self.check_vector(requires.vector.as_deref().unwrap_or(OLDEST_VECTOR))?;
        if self.strata_installed.is_none() && self.strata_available.is_none() {
            return Err(Error::new(
                Kind::NotInstalled,
                "extension \"strata\" is not available on this server",
            )
            .hint("install it beside the server with \"cargo pgrx install\" (README, Install)"));
        }
        Ok(())
    }

    /// The same question by question, for whoever wants to see every answer.
    pub fn checks(&self, requires: &Requires) -> Vec<Check> {
        let postgres = requires.postgres.unwrap_or(OLDEST_POSTGRES).max(OLDEST_POSTGRES);
        let vector = requires.vector.as_deref().unwrap_or(OLDEST_VECTOR);
        let check = |name: &str, expected: String, actual: String, ok: bool| Check {
            name: name.into(),
            expected,
            actual,
            ok,
        };
        let (major, minor) = (self.version_num / 10_000, self.version_num % 10_000);
        let has = self.vector.clone().unwrap_or_else(|| "none".into());
        vec![
            check(
                "PostgreSQL",
                format!("{postgres} or later"),
                format!("{major}.{minor}"),
                self.check_postgres(postgres).is_ok(),
            ),
            check("pgvector", format!("{vector} or later"), has, self.check_vector(vector).is_ok()),
        ]
    }

    fn check_postgres(&self, least: u32) -> Result<(), Error> {
        let (major, minor) = (self.version_num / 10_000, self.version_num % 10_000);
        if major >= least {
            return Ok(());
        }
        Err(Error::new(
            Kind::PostgresTooOld,
            format!("the server is PostgreSQL {major}.{minor}, {least} is the oldest that works"),
        )
        .hint(format!("upgrade the server to PostgreSQL {least} or later")))
    }

    fn check_vector(&self, least: &str) -> Result<(), Error> {
        let hint = "install pgvector 0.8 or later beside the server (package postgresql-NN-pgvector)";
        match &self.vector {
            None => Err(Error::new(Kind::NoVector, "pgvector is not available on this server").hint(hint)),
            Some(has) if numbers(has) < numbers(least) => Err(Error::new(
                Kind::NoVector,
                format!("pgvector is {has}, {least} is the oldest that works"),
            )
            .hint(hint)),
            Some(_) => Ok(()),
        }
    }
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version_num: u32, vector: Option<&str>) -> Server {
        let strata_available = Some("0.1.0".to_owned());
        Server { version_num, vector: vector.map(Into::into), strata_installed: None, strata_available }
    }

    #[test]
    fn tells_every_answer() {
        let checks = server(170_011, Some("0.7.4")).checks(&Requires::default());
        let told: Vec<(&str, &str, bool)> =
            checks.iter().map(|c| (c.name.as_str(), c.actual.as_str(), c.ok)).collect();
        assert_eq!(told, [("PostgreSQL", "17.11", true), ("pgvector", "0.7.4", false)]);
    }

    #[test]
    fn refuses_an_old_postgres_by_name() {
        let err = server(140_011, Some("0.8.0")).check(&Requires::default()).expect_err("too old");
        assert_eq!(err.kind(), Kind::PostgresTooOld);
        assert_eq!(err.to_string(), "the server is PostgreSQL 14.11, 15 is the oldest that works");
        let pack = Requires { postgres: Some(17), vector: None };
        assert!(server(160_002, Some("0.8.0")).check(&pack).is_err());
        assert!(server(170_000, Some("0.8.0")).check(&pack).is_ok());
    }

    #[test]
    fn refuses_a_missing_or_old_pgvector() {
        let missing = server(170_000, None).check(&Requires::default()).expect_err("missing");
        let old = server(170_000, Some("0.7.4")).check(&Requires::default()).expect_err("old");
        assert_eq!((missing.kind(), old.kind()), (Kind::NoVector, Kind::NoVector));
        assert!(old.to_string().contains("0.7.4"));
        assert!(server(170_000, Some("0.10.1")).check(&Requires::default()).is_ok());
    }

    #[test]
    fn refuses_a_server_without_the_extension() {
        let bare = Server { strata_available: None, ..server(170_000, Some("0.8.0")) };
        assert_eq!(bare.check(&Requires::default()).expect_err("absent").kind(), Kind::NotInstalled);
    }
}
