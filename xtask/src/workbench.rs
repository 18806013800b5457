//! What the stages of the tests share.

use std::cell::OnceCell;
use std::path::PathBuf;

use crate::error::Result;
use crate::model;
use crate::place::Place;
use crate::setup::Server;

/// Crates that are compiled together in every stage: the same set gives the same features, so nothing twice.
/// This crate is not among them: alone it needs fewer features, and building it otherwise would replace us.
pub const TOGETHER: [&str; 6] = ["-p", "strata-core", "-p", "strata-cli", "-p", "strata-tests"];

/// The Edge Function by itself: its libraries do without an operating system.
pub const EDGE: [&str; 4] = ["-p", "strata-edge", "-p", "strata-bindgen"];

/// What the stages share; set up when the first of them asks.
pub struct Bench {
    /// Where things lie.
    pub place: Place,
    /// Words for the test programs: a filter, `--nocapture` ...
    pub filter: Vec<String>,
    /// The only programs of the stage `whole` that are wanted, by name; none: all of them.
    pub programs: Vec<String>,
    server: OnceCell<Server>,
}

impl Bench {
    /// Nothing is set up yet.
    pub fn new(place: Place, filter: Vec<String>, programs: Vec<String>) -> Self {
        Self { place, filter, programs, server: OnceCell::new() }
    }

    /// PostgreSQL and the tools. The extension is built by the stages that need it.
    pub fn server(&self) -> Result<&Server> {
        if let Some(server) = self.server.get() {
            return Ok(server);
        }
        let server = Server::ensure()?;
        Ok(self.server.get_or_init(|| server))
    }

    /// The folder of the embedding model.
    pub fn model(&self) -> Result<PathBuf> {
        model::ensure(&self.place)
    }
}
