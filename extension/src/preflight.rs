//! `preflight`: everything that a run of a pushed pack would be refused for, question by question.

use crate::report::report;
use crate::store::{self, here};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::order::Order;
use strata_core::pack::Pack;
use strata_core::preflight::{Server, question};
use strata_core::statement::Statement;
use strata_core::verify::{self, Check};
use strata_core::{Error, Kind};

/// Each check with what it expects and what it finds.
#[pg_extern(volatile, strict, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the result's columns from the type as it is written here"
)]
fn preflight(
    pack: &str,
) -> Result<
    TableIterator<
        'static,
        (name!(check_name, String), name!(expected, String), name!(actual, String), name!(ok, bool)),
    >,
    ErrorReport,
> {
    let checks = checks(pack).map_err(report)?;
    Ok(TableIterator::new(checks.into_iter().map(|c| (c.name, c.expected, c.actual, c.ok))))
}

fn checks(name: &str) -> Result<Vec<Check>, Error> {
    let pack = store::pack(&here, name)?;
    let asking = |cause| Error::failed("preflight", cause);
    let server = here(&question()).map_err(asking)?;
    let server = server.first().map(Server::read).unwrap_or_default();
    let ours = Statement::ours(include_str!("../../sql/query/preflight.sql"), vec![name.into()]);
    let ours = here(&ours).map_err(asking)?;
    let mut checks = server.checks(&pack.manifest.requires);
    checks.extend(verify::checks("preflight", &ours)?);
    checks.push(plan(&pack)?);
    Ok(checks)
}

/// Whether everything pending can be planned; where it cannot, why.
fn plan(pack: &Pack) -> Result<Check, Error> {
    let state = store::state(&here, &pack.manifest.name)?;
    let order = Order::new(pack, &state.0, None, None)?;
    let (actual, ok) = match store::moves(pack, &state, order.way()) {
        Ok(moves) => (format!("{} versions pending", moves.len()), true),
        Err(error) if error.kind() == Kind::Failed => return Err(error),
        Err(error) => (error.message().to_owned(), false),
    };
    Ok(Check { name: "plan".into(), expected: "can be run".into(), actual, ok })
}
