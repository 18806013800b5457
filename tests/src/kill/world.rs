//! A server to kill with what is copied for each kill: the application as it was, and migrated.

use super::truth::Truth;
use super::{Way, inside, pack};
use crate::victim::Victim;
use crate::{Database, Folder, Strata};

/// One server and its templates.
pub struct World {
    /// The server.
    pub victim: Victim,
    /// The pack.
    pub pack: Folder,
    application: String,
    migrated: String,
    before: Truth,
    after: Truth,
}

impl World {
    /// Makes the templates, and looks at what an undisturbed run leaves.
    pub fn new(victim: Victim) -> World {
        let pack = pack::folder();
        let cluster = victim.cluster();
        let database = Database::empty_in(cluster);
        database.run("create extension strata cascade");
        database.run(pack::APPLICATION);
        database.run(inside::BARRIERS);
        let strata = Strata::on(&database).path(pack.path());
        strata.run(&["push"]).ok();
        let before = Truth::of(&database);
        let application = database.release();
        let database = Database::copy_in(cluster, &application);
        Strata::on(&database).path(pack.path()).run(Way::Up.words()).ok();
        let after = Truth::of(&database);
        let migrated = database.release();
        World { victim, pack, application, migrated, before, after }
    }

    /// A database that is about to go this way.
    pub fn database(&self, way: Way) -> Database {
        let template = if way == Way::Up { &self.application } else { &self.migrated };
        Database::copy_in(self.victim.cluster(), template)
    }

    /// What must be true when it has gone.
    pub fn assert_holds(&self, database: &Database, way: Way) {
        let truth = if way == Way::Up { &self.after } else { &self.before };
        truth.assert_holds(database, way);
    }

    /// The command line on a database, through a port.
    pub fn strata(&self, database: &Database, port: u16) -> Strata {
        let through = database.url().replace(&format!(":{}/", self.victim.port()), &format!(":{port}/"));
        Strata::at(&through).path(self.pack.path())
    }
}
