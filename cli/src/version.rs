//! `version`: the newest applied version, on stdout.

use crate::args::{Args, Version};
use crate::output::Output;
use crate::session::Session;
use crate::{folder, install};
use serde_json::json;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// Prints `7`, `7 (dirty)` or `none`.
pub async fn run(args: &Args, asked: &Version, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let session = Session::open(args).await?;
    let (version, dirty) = match install::server(&session).await?.strata_installed {
        Some(_) => newest(&session, &pack).await?,
        None => (None, false),
    };
    let text =
        version.map_or_else(|| "none".to_owned(), |v| v.to_string()) + if dirty { " (dirty)" } else { "" };
    if version.is_none() && asked.strict {
        return Err(Error::new(Kind::Failed, "no migration"));
    }
    output.result(json!({"pack": pack, "version": version, "dirty": dirty}), &text);
    Ok(0)
}

async fn newest(session: &Session, pack: &str) -> Result<(Option<i64>, bool), Error> {
    let statement = Statement::ours(include_str!("../../sql/query/version.sql"), vec![pack.into()]);
    let rows = session.ask("reading the version", &statement).await?;
    let text = |index: usize| rows.first().and_then(|row| row.get(index)?.as_deref());
    Ok((text(0).and_then(|v| v.parse().ok()), text(1) == Some("true")))
}
