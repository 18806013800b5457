//! `version`: the newest applied version, on stdout.

use crate::args::{Args, Version};
use crate::output::Output;
use crate::session::Session;
use crate::{connect, folder, foreign};
use serde_json::json;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// Prints `7`, `7 (dirty)` or `none`. Before the first run: what another tool says, if it is certain.
pub async fn run(args: &Args, asked: &Version, output: &Output) -> Result<u8, Error> {
    let pack = folder::name(args)?;
    let session = Session::open(args).await?;
    let installed = session.server().await?.strata_installed.is_some();
    let (version, dirty) = match installed {
        true => newest(&session, &pack).await?,
        false => (None, false),
    };
    let (version, dirty) = match (version, folder::read(args)) {
        (None, Ok(folder)) => {
            let wish = args.wish(connect::migrations_table(args.database.as_deref())?).of(&folder);
            foreign::version(&session, &folder, &wish, installed).await?
        }
        _ => (version, dirty),
    };
    print(output, &pack, (version, dirty), asked)
}

/// An error where there is none and that was asked for.
pub fn print(
    output: &Output,
    pack: &str,
    (version, dirty): (Option<i64>, bool),
    asked: &Version,
) -> Result<u8, Error> {
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
