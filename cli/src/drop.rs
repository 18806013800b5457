//! `drop`: every table of the schema goes, as with golang-migrate, and the pack stands at no version.

use crate::args::{Args, Drop};
use crate::confirm;
use crate::folder;
use crate::output::Output;
use crate::session::Session;
use serde_json::json;
use strata_core::statement::Statement;
use strata_core::{Error, Kind};

/// Asks, looks for what speaks against it, and drops in one transaction.
pub async fn run(args: &Args, drop: &Drop, output: &Output) -> Result<u8, Error> {
    let name = folder::name(args)?;
    if !drop.force {
        confirm::ask(&confirm::DROP, output)?;
    }
    let session = Session::open(args).await?;
    let installed = session.server().await?.strata_installed.is_some();
    let said = |cause| Error::failed("drop", cause);
    session.run(&Statement::verbatim("begin")).await.map_err(said)?;
    let done = within(&session, &name, installed).await;
    let end = if done.is_ok() { "commit" } else { "rollback" };
    session.run(&Statement::verbatim(end)).await.map_err(said)?;
    done?;
    output.result(json!({"pack": name, "dropped": true}), "every table of the schema is dropped");
    Ok(0)
}

async fn within(session: &Session, pack: &str, installed: bool) -> Result<(), Error> {
    if installed {
        let obstacles =
            Statement::ours(include_str!("../../sql/query/drop_obstacles.sql"), vec![pack.into()]);
        let rows = session.ask("looking at what would go", &obstacles).await?;
        if let Some(first) = rows.into_iter().flatten().flatten().next() {
            let (what, next) = first.split_once(": ").unwrap_or((first.as_str(), ""));
            return Err(Error::new(Kind::Failed, what)
                .with_sqlstate("2BP01")
                .hint(format!("run \"{next}\" first")));
        }
    }
    let tables = Statement::verbatim(include_str!("../../sql/query/drop_tables.sql"));
    session.run(&tables).await.map_err(|cause| Error::failed("drop", cause))?;
    if installed {
        let params = vec![pack.into(), "strata drop".into()];
        let state = Statement::ours(include_str!("../../sql/query/drop_state.sql"), params);
        session.ask("forgetting the versions", &state).await?;
    }
    Ok(())
}
