//! `strata`: the command line. Reads arguments, opens a session, lets core decide, prints the result on stdout and
//! everything else on stderr.

mod args;
mod checklist;
mod confirm;
mod connect;
mod create;
mod dashes;
mod drain;
mod drive;
mod drop;
mod dry_run;
mod embed;
mod eval;
mod finalize;
mod folder;
mod force;
mod foreign;
mod go_time;
mod ground;
mod help;
mod install;
mod locks;
mod lookout;
mod migrate;
mod model;
mod open_run;
mod output;
mod provider;
mod push;
mod rest;
mod search;
mod secret_key;
mod session;
mod sign_off;
mod sources;
mod status;
mod teller;
mod together;
mod verify;
mod version;
mod via;
mod worker;

use args::{Args, Command};
use clap::FromArgMatches;
use output::Output;
use std::process::ExitCode;
use strata_core::Error;

fn main() -> ExitCode {
    // SAFETY: the first statement of the program; no thread was started.
    #[expect(unsafe_code, reason = "see calm_tensors")]
    unsafe {
        provider::calm_tensors();
    }
    start()
}

#[tokio::main(flavor = "current_thread")]
async fn start() -> ExitCode {
    let words = dashes::doubled(std::env::args_os());
    let read = help::command().try_get_matches_from(&words).and_then(|found| Args::from_arg_matches(&found));
    let args = read.unwrap_or_else(|cause| {
        output::usage(&words, &cause);
        cause.exit()
    });
    let output = Output::new(&args);
    match run(&args, &output).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.kind().exit_code())
        }
    }
}

/// Exit code of a command that did what it was asked.
async fn run(args: &Args, output: &Output) -> Result<u8, Error> {
    if args.command.rest().is_some() {
        rest::alone(args)?;
    }
    if let Some(url) = &args.via {
        return via::run(args, url, output).await;
    }
    match &args.command {
        Command::Up(up) => migrate::up(args, up, output).await,
        Command::Down(down) => migrate::down(args, down, output).await,
        Command::Goto(goto) => migrate::goto(args, goto, output).await,
        Command::Drop(drop) => drop::run(args, drop, output).await,
        Command::Force(force) => force::run(args, force, output).await,
        Command::Version(version) => version::run(args, version, output).await,
        Command::Create(create) => create::run(args, create, output),
        Command::Completions { shell } => {
            clap_complete::generate(*shell, &mut help::command(), "strata", &mut std::io::stdout());
            Ok(0)
        }
        Command::Status(status) => status::run(args, status, output).await,
        Command::Verify => verify::run(args, output).await,
        Command::Checklist => checklist::run(args, output).await,
        Command::SignOff(sign_off) => sign_off::run(args, sign_off, output).await,
        Command::Finalize(finalize) => finalize::run(args, finalize, output).await,
        Command::Push => push::run(args, output).await,
        Command::Worker(worker) => worker::run(args, worker, output).await,
        Command::Embed(embed) => embed::run(args, embed, output).await,
        Command::Reindex(reindex) => embed::again(args, reindex, output).await,
        Command::Eval(eval) => eval::run(args, eval, output).await,
        Command::Model(model) => model::run(args, model, output).await,
        Command::Search(search) => search::run(args, search, output).await,
        Command::Locks(locks) => locks::run(args, locks, output).await,
    }
}
