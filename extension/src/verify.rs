//! `verify`: the verification of every applied version of a pushed pack, again, as the caller or whoever has delegated the pack
//! to them, who may only read.

use crate::delegation::{self, Delegate};
use crate::executor::{as_role, read_only};
use crate::report::{internal, report};
use crate::settings::as_written;
use crate::start_run::role;
use crate::store::{self, here};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::ffi::CString;
use strata_core::pack::Pack;
use strata_core::statement::Row;
use strata_core::variables::{self, Values};
use strata_core::verify::{self, Check};
use strata_core::{Error, plan};

/// Every check, also the good ones.
#[pg_extern(volatile, strict, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the result's columns from the type as it is written here"
)]
fn verify(
    pack: &str,
) -> Result<
    TableIterator<
        'static,
        (
            name!(version, i64),
            name!(check_name, String),
            name!(expected, String),
            name!(actual, String),
            name!(ok, bool),
        ),
    >,
    ErrorReport,
> {
    let line = |(version, c): (i64, Check)| (version, c.name, c.expected, c.actual, c.ok);
    Ok(TableIterator::new(checks(pack)?.into_iter().map(line)))
}

/// Every check of every applied version of a pushed pack, as the caller.
pub fn checks(pack: &str) -> Result<Vec<(i64, Check)>, ErrorReport> {
    let mut all = Vec::new();
    let delegate = delegation::of(pack, &role()).map_err(report)?;
    for (version, file, query) in queries(pack).map_err(report)? {
        let rows = as_written(|| read_only(|| rows_for(delegate.as_ref(), &query))).map_err(internal)?;
        let checks = verify::checks(&file, &rows).map_err(report)?;
        all.extend(checks.into_iter().map(|check| (version, check)));
    }
    Ok(all)
}

/// Version, file and query of each applied version that has a verification.
fn queries(name: &str) -> Result<Vec<(i64, String, String)>, Error> {
    let pack = store::pack(&here, name)?;
    let (known, stored) = store::state(&here, name)?;
    let values = variables::resolve(&pack.manifest.variables, &Values::new(), &stored)?;
    let applied = known.iter().filter(|k| k.state == "applied");
    applied.filter_map(|k| query(&pack, &values, k.version).transpose()).collect()
}

fn query(pack: &Pack, values: &Values, version: i64) -> Result<Option<(i64, String, String)>, Error> {
    let query = plan::verification(pack, values, version)?;
    Ok(query.map(|(file, query)| (version, file, query)))
}

/// As whom runs of the pack are executed for the caller.
fn rows_for(delegate: Option<&Delegate>, query: &str) -> spi::Result<Vec<Row>> {
    let Some(delegate) = delegate else { return rows(query) };
    let search_path = CString::new(delegate.search_path.as_str()).unwrap_or_default();
    as_role(delegate.oid, &search_path, || rows(query))
}

fn rows(query: &str) -> spi::Result<Vec<Row>> {
    // The columns may have any type that has text.
    let as_text =
        format!("select v.a::text, v.b::text, v.c::text, v.d::text from (\n{query}\n) v (a, b, c, d)");
    Spi::connect(|client| {
        let table = client.select(as_text.as_str(), None, &[])?;
        table.map(|row| (1..=4).map(|column| row.get::<String>(column)).collect()).collect()
    })
}
