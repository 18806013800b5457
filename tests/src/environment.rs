//! What `cargo xtask test` tells the tests: the clusters, the programs, the model.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// A running cluster and its superuser.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// URL without a database: `postgres://user:password@host:port`.
    base: String,
    /// Must never be seen in any output.
    pub password: String,
}

impl Cluster {
    /// URL of one of its databases.
    pub fn url(&self, database: &str) -> String {
        format!("{}/{database}", self.base)
    }

    pub(crate) fn parse(url: &str) -> Cluster {
        let config: postgres::Config =
            url.parse().unwrap_or_else(|e| panic!("a URL that cannot be read: {e}"));
        let password = config.get_password().expect("the URL of a test cluster has a password");
        let (base, _) = url.rsplit_once('/').expect("the URL of a test cluster names a database");
        Cluster { base: base.to_owned(), password: String::from_utf8(password.to_owned()).unwrap() }
    }
}

/// The cluster with pgvector and strata.
pub static FULL: LazyLock<Cluster> = LazyLock::new(|| Cluster::parse(&variable("STRATA_TEST_URL")));

/// The cluster without either.
pub static BARE: LazyLock<Cluster> = LazyLock::new(|| Cluster::parse(&variable("STRATA_TEST_BARE_URL")));

/// Folders of the clusters that a test may kill.
pub fn victims() -> Vec<PathBuf> {
    variable("STRATA_TEST_KILL").split(':').filter(|home| !home.is_empty()).map(PathBuf::from).collect()
}

/// A program of PostgreSQL's, such as pg_dump.
pub fn program(name: &str) -> PathBuf {
    Path::new(&variable("STRATA_TEST_PG")).join(name)
}

/// Where they are: for a PATH without the machine's own, which may be of another version.
pub fn programs() -> String {
    variable("STRATA_TEST_PG")
}

/// The command line.
pub fn strata() -> PathBuf {
    variable("STRATA_TEST_BIN").into()
}

/// The folder of the local model.
pub fn model() -> PathBuf {
    variable("STRATA_MODEL_DIR").into()
}

/// The folder of PostgreSQL's own regression scripts.
pub fn regression_sql() -> PathBuf {
    variable("STRATA_TEST_REGRESS").into()
}

/// The packs of the checkout.
pub fn migrations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("migrations")
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run cargo xtask test"))
}
