//! The Aurum application and its pack.

use crate::environment::migrations;
use crate::{Database, Strata, template, vectors};
use std::path::PathBuf;

/// Versions of the pack that nobody has to sign for.
pub const VERSIONS: i64 = 11;

/// The version that contracts, behind a sign-off.
pub const CONTRACT: i64 = 12;

/// What takes the pack as far as it goes without a signature.
pub const UP: [&str; 3] = ["up", "--to-phase", "8"];

/// The first version behind the gate that needs embeddings.
pub const GATED: i64 = 7;

/// The people of `data.sql`.
pub const MAYA: &str = "10000000-0000-4000-8000-000000000001";
/// A cabinetmaker with debts.
pub const DANIEL: &str = "10000000-0000-4000-8000-000000000002";
/// A widow who moves house.
pub const RUTH: &str = "10000000-0000-4000-8000-000000000003";
/// A student with few rows.
pub const TOMASZ: &str = "10000000-0000-4000-8000-000000000004";

/// Which vectors the pack is told to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vectors {
    /// Of the local model: 384 dimensions.
    Local,
    /// As the document has it, which is the default: 1536 dimensions, by a provider that the tests do not ask.
    Documented,
}

impl Vectors {
    /// Dimensions.
    pub fn dimensions(self) -> i32 {
        match self {
            Vectors::Local => 384,
            Vectors::Documented => 1536,
        }
    }
}

/// The folder of the pack.
pub fn folder() -> PathBuf {
    migrations().join("aurum")
}

/// The application before any migration, without its data.
pub fn empty_application() -> Database {
    Database::copy_of(&template::shared("empty_application", |database| {
        load(database, &["supabase", "baseline"])
    }))
}

/// The application before any migration.
pub fn application() -> Database {
    Database::copy_of(&template::shared("application", |database| {
        load(database, &["supabase", "baseline", "data"])
    }))
}

/// The application with every version applied and every row embedded by the local model.
pub fn embedded() -> Database {
    Database::copy_of(&template::shared("embedded", |database| {
        load(database, &["supabase", "baseline", "data"]);
        let strata = strata(database, Vectors::Local);
        strata.run(&["up", "--quiet"]).exits(9);
        strata.run(&["embed", "--quiet"]).ok();
        strata.run(&UP).ok();
        strata.run(&["embed", "--quiet"]).ok();
    }))
}

/// The application with every version applied and every row with some vector: quicker than the model.
pub fn migrated() -> Database {
    Database::copy_of(&template::shared("migrated", |database| {
        load(database, &["supabase", "baseline", "data"]);
        migrate(database, Vectors::Local);
    }))
}

/// Signs whatever the contract needs.
pub fn sign_contract(strata: &Strata) {
    for item in ["9.signed", "9.backup_restored", "9.old_application_gone"] {
        let reason = ["--reason", "a test", "--evidence", r#"{"dump": "of the test"}"#];
        strata.run(&[&["sign-off", item][..], &reason].concat()).ok();
    }
}

/// Applies every version but the contract, with synthetic vectors at the gate and behind it.
pub fn migrate(database: &Database, vectors: Vectors) {
    let strata = strata(database, vectors);
    strata.run(&["up", "--to-phase", "3", "--quiet"]).ok();
    vectors::complete_all(database, vectors.dimensions());
    strata.run(&UP).ok();
    vectors::complete_all(database, vectors.dimensions());
}

/// Runs files of the application.
pub fn load(database: &Database, names: &[&str]) {
    for name in names {
        let path = folder().join("app").join(format!("{name}.sql"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        database.run(&text);
    }
}

/// The command line on the pack.
pub fn strata(database: &Database, vectors: Vectors) -> Strata {
    let strata = Strata::on(database).path(&folder());
    match vectors {
        Vectors::Documented => strata,
        Vectors::Local => strata
            .set("embedding_model", "all-MiniLM-L6-v2")
            .set("embedding_provider", "local")
            .set("embedding_dimensions", "384"),
    }
}
