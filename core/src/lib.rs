//! The rules of Strata: what a pack is, what runs next, what a search asks. No I/O, no clock, no async, no environment.
//!
//! A door (SQL, HTTP, command line) asks this crate what to do, runs the statement it is given against Postgres and
//! hands the answer back. Nothing here knows which door is asking.

pub mod adopt;
pub mod embed;
pub mod error;
pub mod eval;
pub mod ident;
pub mod order;
pub mod pack;
pub mod plan;
pub mod preflight;
pub mod run;
pub mod script;
pub mod search;
pub mod statement;
pub mod upload;
pub mod variables;
pub mod verify;

pub use error::{Error, Kind};
