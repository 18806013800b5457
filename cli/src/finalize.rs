//! `finalize`: verifies, and throws away what the contract phase kept.

use crate::args::{Args, Finalize};
use crate::confirm;
use crate::output::Output;
use crate::session::Session;
use crate::{folder, push};
use serde_json::json;
use strata_core::Error;
use strata_core::statement::Statement;

/// Where the folder is at hand its files go into the database first: they say how the versions are verified.
pub async fn run(args: &Args, finalize: &Finalize, output: &Output) -> Result<u8, Error> {
    if !finalize.yes {
        confirm::ask(&confirm::FINALIZE, output)?;
    }
    let pack = folder::name(args)?;
    let session = Session::open_installed(args).await?;
    if let Ok(upload) = folder::upload(args) {
        push::send(&session, &upload).await?;
    }
    let statement = Statement::ours(include_str!("../../sql/query/finalize.sql"), vec![pack.as_str().into()]);
    let rows = session.ask("cleaning up", &statement).await?;
    let removed = rows.first().and_then(|row| row.first()?.as_deref()?.parse::<i64>().ok()).unwrap_or(0);
    let text = match removed {
        0 => "no copy is kept".to_owned(),
        1 => "1 copy removed".to_owned(),
        n => format!("{n} copies removed"),
    };
    output.result(json!({"pack": pack, "removed": removed}), &text);
    Ok(0)
}
