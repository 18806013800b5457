//! `--via URL`: the same commands through the Edge Function, by HTTP, where the database itself cannot be reached. The packs are
//! those that were pushed; they run in the database, as the role that has delegated them to the function's.

mod embed;
mod function;
mod moves;
mod search;
mod show;
mod watch;

use crate::args::{Args, Command, Patience, Trial};
use crate::output::Output;
use function::Function;
pub use function::error;
use strata_core::{Error, Kind};

/// What it does.
const ABLE: &str = "up, down, goto, status, version, verify, checklist, sign-off, embed and search";

/// The command, through the function at `url`.
pub async fn run(args: &Args, url: &str, output: &Output) -> Result<u8, Error> {
    let function = Function::at(url)?;
    match &args.command {
        Command::Up(up) => moves::up(&function, args, up, output).await,
        Command::Down(down) => moves::down(&function, args, down, output).await,
        Command::Goto(goto) => moves::goto(&function, args, goto, output).await,
        Command::Status(status) => show::status(&function, args, status, output).await,
        Command::Version(version) => show::version(&function, args, version, output).await,
        Command::Verify => show::verify(&function, args, output).await,
        Command::Checklist => show::checklist(&function, args, output).await,
        Command::SignOff(sign) => show::sign_off(&function, args, sign, output).await,
        Command::Embed(embed) => embed::run(&function, embed, output).await,
        Command::Search(search) => search::run(&function, search, output).await,
        other => Err(unable(other)),
    }
}

/// A command that the function has no route for.
fn unable(command: &Command) -> Error {
    match command {
        Command::Create(_) => here("create"),
        Command::Completions { .. } => here("completions"),
        Command::Finalize(_) => needs_database("finalize"),
        Command::Push => needs_database("push"),
        Command::Worker(_) => needs_database("worker"),
        Command::Reindex(_) => needs_database("reindex"),
        Command::Model(_) => needs_database("model"),
        Command::Eval(_) => needs_database("eval"),
        Command::Locks(_) => needs_database("locks"),
        Command::Force(_) => needs_database("force"),
        _ => needs_database("drop"),
    }
}

/// What needs neither a database nor a function.
fn here(command: &str) -> Error {
    Error::new(Kind::BadArgument, format!("{command} asks no function")).hint("leave --via out")
}

/// What the function cannot be told.
fn needs_database(what: &str) -> Error {
    Error::new(Kind::BadArgument, format!("{what} needs a connection to the database"))
        .hint(format!("--via does {ABLE}; say --database for the others"))
}

/// Refuses what would not be passed on.
fn refuse_patience(patience: &Patience, trial: &Trial) -> Result<(), Error> {
    match (patience.is_usual(), trial.is_usual()) {
        (true, true) => Ok(()),
        (false, _) => Err(needs_database("how long a step waits for locks")),
        (_, false) => Err(needs_database("how considerate a dry run is")),
    }
}
