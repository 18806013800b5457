//! `push`: the files of a pack, into the database, for runs that need no files at hand.

use crate::args::Args;
use crate::folder;
use crate::install;
use crate::output::Output;
use crate::session::Session;
use serde_json::json;
use strata_core::plan::{Direction, Target};
use strata_core::statement::{Statement, Value};
use strata_core::upload::Upload;
use strata_core::{Error, Kind};

/// Sends the pack that the arguments name, and prints its name and how many files it has there.
pub async fn run(args: &Args, output: &Output) -> Result<u8, Error> {
    if args.adopt.is_some() || args.no_adopt {
        let message = "push takes neither --adopt nor --no-adopt";
        return Err(Error::new(Kind::BadArgument, message)
            .hint("put ledger = \"schema.table\" or ledger = \"none\" into pack.toml"));
    }
    let upload = folder::upload(args)?;
    let pack = upload.pack()?;
    let session = Session::open(args).await?;
    refuse_other_letters(&session, &upload).await?;
    install::ensure(&session, &pack, (Direction::Up, Target::All), output).await?;
    let name = send(&session, &upload).await?;
    let files = upload.stored().len();
    let text = format!("pack {name}: {files} files are in {}", session.address());
    output.result(json!({"pack": name, "files": files}), &text);
    Ok(0)
}

/// What runs in the database reads UTF-8.
async fn refuse_other_letters(session: &Session, upload: &Upload) -> Result<(), Error> {
    let plain =
        upload.stored().iter().all(|file| serde_json::to_string(file).is_ok_and(|text| text.is_ascii()));
    let rows = session.ask("asking for the encoding", &Statement::check("show server_encoding")).await?;
    let encoding = rows.into_iter().flatten().flatten().next().unwrap_or_default();
    if plain || encoding == "UTF8" {
        return Ok(());
    }
    let message = format!(
        "a database with the encoding {encoding} cannot run files with letters beyond ASCII by itself"
    );
    Err(Error::new(Kind::BadArgument, message)
        .hint("run \"strata up\" with the files, or use a database with UTF8"))
}

/// Keeps the files of a pack in the database; answers its name.
pub async fn send(session: &Session, upload: &Upload) -> Result<String, Error> {
    let body = Value::Json(serde_json::to_value(upload).expect("plain data serializes"));
    let statement = Statement::ours(include_str!("../../sql/query/push.sql"), vec![body]);
    let rows = session.ask("pushing the pack", &statement).await?;
    Ok(rows.into_iter().flatten().flatten().next().unwrap_or_default())
}
