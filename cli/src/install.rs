//! Installing the extension in a database that lacks it.

use crate::output::Output;
use crate::session::{Session, db_error};
use strata_core::Error;
use strata_core::pack::Pack;
use strata_core::plan::{self, Direction, Target};
use strata_core::variables::{self, Values};

/// The version that would be installed; none where strata is there. Refuses what [`ensure`] refuses.
pub async fn missing(
    session: &Session,
    pack: &Pack,
    way: (Direction, Target),
) -> Result<Option<String>, Error> {
    let server = session.server().await?;
    server.check(&pack.manifest.requires)?;
    if server.strata_installed.is_some() {
        return Ok(None);
    }
    let values = variables::resolve(&pack.manifest.variables, &pack.given, &Values::new())?;
    if let Target::Goto(version) = way.1 {
        plan::toward(pack, &[], version)?;
    }
    plan::plan(pack, &values, &[], way)?;
    Ok(Some(server.strata_available.unwrap_or_default()))
}

/// Refuses a server that cannot carry strata, and installs it where it is missing. A pack or a request that the run
/// would refuse is refused before that, so that nothing has changed.
pub async fn ensure(
    session: &Session,
    pack: &Pack,
    way: (Direction, Target),
    output: &Output,
) -> Result<(), Error> {
    let Some(version) = missing(session, pack, way).await? else { return Ok(()) };
    output.log(&format!("installing extension strata {version} in {}", session.address()));
    let created = session.client().batch_execute(include_str!("../../sql/query/install.sql")).await;
    match created {
        Ok(()) => Ok(()),
        // Somebody else installed it at the same moment.
        Err(_) if session.server().await?.strata_installed.is_some() => Ok(()),
        Err(cause) => Err(Error::failed("installing extension strata", db_error(cause))
            .hint("a superuser can install it: create extension strata cascade")),
    }
}
