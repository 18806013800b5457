//! `--via URL`: the same commands through the Edge Function, by HTTP, where the database itself cannot be reached. The packs are
//! those that were pushed; they run in the database, as the role that has delegated them to the function's.

mod embed;
mod function;
mod moves;
mod show;
mod watch;

use crate::args::{Args, Command, Patience};
use crate::output::Output;
use function::Function;
use strata_core::{Error, Kind};

/// What it does.
const ABLE: &str = "up, down, goto, status, version, verify, checklist, sign-off and embed";

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
        Command::SignOff(sign) if !sign.withdraw => show::sign_off(&function, args, sign, output).await,
        Command::Embed(embed) => embed::run(&function, embed, output).await,
        _ => Err(needs_database("this command")),
    }
}

/// What the function cannot be told.
fn needs_database(what: &str) -> Error {
    Error::new(Kind::BadArgument, format!("{what} needs a connection to the database"))
        .hint(format!("--via does {ABLE}; say --database for the others"))
}

/// Refuses what would not be passed on.
fn refuse_patience(patience: &Patience) -> Result<(), Error> {
    match patience.is_usual() {
        true => Ok(()),
        false => Err(needs_database("how long a step waits for locks")),
    }
}
