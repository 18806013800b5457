//! What the tests of the installed whole share: a running cluster, fresh databases in it, the command line, packs in
//! temporary folders, and what a test compares. A failure here is a failed test, so everything panics with a reason.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

pub mod aurum;
pub mod brute_force;
pub mod change;
pub mod chaos;
pub mod data;
pub mod database;
pub mod dump;
pub mod environment;
pub mod fake_server;
pub mod folder;
pub mod kill;
pub mod notes;
pub mod own_server;
pub mod pooler;
pub mod provider_server;
pub mod proxy;
pub mod psql;
pub mod role;
pub mod stall;
pub mod strata;
pub mod template;
pub mod text;
pub mod vectors;
pub mod victim;

pub use database::Database;
pub use dump::dump;
pub use folder::Folder;
pub use provider_server::{Behaviour, ProviderServer};
pub use role::Role;
pub use strata::{Outcome, Running, Strata};
