//! The executor in the database: a background worker with a session of the calling role, that turns a run of core.

mod drive;
mod dry_run;
mod failure;
mod lookout;
mod notices;
mod open;
mod owner;
mod rows;
mod session;
mod tell;
mod toplevel;
mod worker;

pub use owner::{as_owner, as_role, ask, read_only};
pub use worker::launch;
