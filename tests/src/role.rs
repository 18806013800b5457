//! A role that is no superuser, for a test of its own.

use crate::database::unique;
use crate::{Database, Strata};

/// A role that may log in; gone with [`Role::leave`], and what it owns in the database of the test with it.
pub struct Role {
    name: String,
    keeper: Database,
}

impl Default for Role {
    fn default() -> Self {
        Self::new()
    }
}

impl Role {
    /// One that may do what everybody may.
    pub fn new() -> Role {
        let (name, keeper) = (unique("plain"), Database::empty());
        keeper.run(&format!("create role {name} login password 'plain-secret'"));
        Role { name, keeper }
    }

    /// Its name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it finds a database, password and all.
    pub fn url(&self, database: &Database) -> String {
        let url = database.url();
        let (_, place) = url.split_once('@').expect("a URL with a user");
        format!("postgres://{}:plain-secret@{place}", self.name)
    }

    /// The command line as this role.
    pub fn strata(&self, database: &Database) -> Strata {
        Strata::at(&self.url(database))
    }

    /// A session as this role.
    pub fn connect(&self, database: &Database) -> postgres::Client {
        postgres::Client::connect(&self.url(database), postgres::NoTls).unwrap()
    }

    /// The database becomes its own.
    pub fn owns(&self, database: &Database) {
        database.run(&format!("alter database {} owner to {}", database.name(), self.name));
    }

    /// What it owns goes before it does.
    pub fn leave(self, database: Database) {
        database.run(&format!(
            "alter database {} owner to current_user; drop owned by {} cascade",
            database.name(),
            self.name
        ));
        drop(database);
        self.keeper.run(&format!("drop role {}", self.name));
    }
}
