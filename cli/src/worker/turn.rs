//! Turning one run that was found, or having it turned.

use super::found::Found;
use crate::args::Args;
use crate::drive::{OnStop, Sessions, drive};
use crate::ground;
use crate::output::Output;
use crate::session::Session;
use std::time::Duration;
use strata_core::order::Order;
use strata_core::pack::Pack;
use strata_core::run::{Report, Run};
use strata_core::statement::{Statement, Value};
use strata_core::{Error, Kind, upload};

/// Turns it over a session of its own: what its files leave behind there ends with it. `claimed` becomes true when the run
/// is this worker's.
pub async fn run(args: &Args, output: &Output, found: &Found, claimed: &mut bool) -> Result<Report, Error> {
    let order = Order::read(&found.request)?;
    let session = Session::open_on_path(args, &order.search_path).await?;
    // Its files are not known yet.
    session.leave_names();
    let second = ground::check(&session, args).await?;
    let mut pack = stored(&session, &found.pack).await?;
    pack.given = order.variables.clone();
    let mut request = order.request(&found.run);
    // Who holds the pack turns it: there is nothing to wait for.
    request.lock_patience = Duration::ZERO;
    request.seed = uuid::Uuid::new_v4().as_u64_pair().0;
    output.log(&format!("run {} of pack {}: taken", found.run, found.pack));
    let mut tell = |event: strata_core::run::Event| output.log(&format!("  {}", event.text()));
    let sessions = Sessions { work: &session, second, args };
    let mut run = Run::new(pack, request);
    let outcome = drive(sessions, &mut run, OnStop::HandBack, &mut tell).await;
    *claimed = run.is_claimed();
    outcome
}

/// The files that were pushed.
async fn stored(session: &Session, name: &str) -> Result<Pack, Error> {
    let asked = Statement::ours(include_str!("../../../sql/query/pack_files.sql"), vec![name.into()]);
    let rows = session.ask("reading the files of the pack", &asked).await?;
    let file = |row: Vec<Option<String>>| {
        let mut columns = row.into_iter().flatten();
        Some((columns.next()?, columns.next()?))
    };
    upload::restore(name, rows.into_iter().filter_map(file).collect())
}

/// Says how a run ended that could not be claimed, as there was nothing to do or it was refused, or that could not say so.
pub async fn close(
    session: &Session,
    found: &Found,
    why: Option<&Error>,
    claimed: bool,
) -> Result<(), Error> {
    let state = if why.is_some() { "failed" } else { "succeeded" };
    let parameters = vec![
        found.run.as_str().into(),
        state.into(),
        why.map(Error::sqlstate).into(),
        why.map(Error::message).into(),
        Value::Bool(claimed),
    ];
    let statement = Statement::ours(include_str!("../../../sql/query/run_closed.sql"), parameters);
    session.ask("writing the state", &statement).await.map(drop)
}

/// Whether the run is left for somebody to go on with: this worker was told to stop, and not the run.
pub async fn is_open(session: &Session, found: &Found) -> Result<bool, Error> {
    let asked =
        Statement::ours(include_str!("../../../sql/query/open_run.sql"), vec![found.pack.as_str().into()]);
    let rows = session.ask("reading the state", &asked).await?;
    Ok(rows.iter().any(|row| row.first().and_then(Option::as_deref) == Some(found.run.as_str())))
}

/// As the role that asked, which strata.resume_run starts a background worker of.
pub async fn hand_over(session: &Session, found: &Found) -> Result<(), Error> {
    let ours = |sql: &'static str, value: &str| Statement::ours(sql, vec![Value::from(value)]);
    let role = ours(include_str!("../../../sql/query/take_role.sql"), &found.requested_by);
    let resume = ours(include_str!("../../../sql/query/resume_run.sql"), &found.run);
    let steps = [Statement::verbatim("begin"), role, resume, Statement::verbatim("commit")];
    for step in &steps {
        if let Err(error) = session.ask("handing the run over", step).await {
            if error.kind() != Kind::CannotConnect {
                session.ask("handing the run over", &Statement::verbatim("rollback")).await?;
            }
            return Err(error);
        }
    }
    Ok(())
}
