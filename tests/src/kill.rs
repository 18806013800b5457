//! Killing a run at a point, letting it be taken up again, and what must be true then: the same schema and data as if
//! nothing had happened, and a state that tells what did. The matrix and the soak are made of this.

pub mod cells;
pub mod inside;
pub mod outside;
pub mod pack;
pub mod soak;
pub mod truth;
pub mod world;

pub use cells::Cell;
pub use world::World;

use std::fmt;

/// How a run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SIGKILL of the process that turns the run.
    Runner,
    /// `pg_terminate_backend` of its session.
    Terminate,
    /// SIGKILL of its backend: the server crashes and recovers.
    Backend,
    /// Immediate stop of the server, and a start.
    Stop,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Runner, Kind::Terminate, Kind::Backend, Kind::Stop];
}

/// Where the pack goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From nothing to everything.
    Up,
    /// And back.
    Down,
}

impl Way {
    /// As the command line is told.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Way::Up => &["up"],
            Way::Down => &["down", "--all", "--yes"],
        }
    }

    /// As the state has it.
    pub fn name(self) -> &'static str {
        match self {
            Way::Up => "up",
            Way::Down => "down",
        }
    }
}

/// Who turns the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Executor {
    /// The command line, over a connection.
    Outside,
    /// The background worker.
    Inside,
}

impl fmt::Display for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Executor::Outside { "strata" } else { "worker" })
    }
}
