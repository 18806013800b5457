//! `verify_migration_integrity`: the verification of every applied version, as the caller, and what catalog and state say
//! of each other.

use crate::report::report;
use crate::store::here;
use crate::verify;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use strata_core::statement::{Row, Statement};
use strata_core::verify::{Check, checks as read};
use strata_core::{Error, Kind};

/// Each check with what it expects and what it finds; of every pack where none is named.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the result's columns from the type as it is written here"
)]
fn verify_migration_integrity(
    pack: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (name!(check_name, String), name!(expected, String), name!(actual, String), name!(ok, bool)),
    >,
    ErrorReport,
> {
    let checks = checks(pack)?;
    Ok(TableIterator::new(checks.into_iter().map(|c| (c.name, c.expected, c.actual, c.ok))))
}

/// The checks of one pack, or of all. Raises 42704.
pub fn checks(pack: Option<&str>) -> Result<Vec<Check>, ErrorReport> {
    let mut all = Vec::new();
    for row in packs(pack).map_err(report)? {
        let (name, pushed) = (cell(&row, 0), cell(&row, 1));
        if pushed == "true" {
            let named =
                |(version, c): (i64, Check)| Check { name: format!("{name} {version}: {}", c.name), ..c };
            all.extend(verify::checks(&name)?.into_iter().map(named));
        } else {
            all.push(not_pushed(&name));
        }
    }
    let rows = asked(include_str!("../../sql/query/integrity.sql"), pack).map_err(report)?;
    all.extend(read("integrity", &rows).map_err(report)?);
    Ok(all)
}

fn packs(pack: Option<&str>) -> Result<Vec<Row>, Error> {
    let rows = asked(include_str!("../../sql/query/packs.sql"), pack)?;
    match pack {
        Some(name) if rows.is_empty() => {
            Err(Error::new(Kind::UnknownPack, format!("pack \"{name}\" is not known here"))
                .hint(format!("run \"strata push --pack {name}\", or look into strata.pack")))
        }
        _ => Ok(rows),
    }
}

/// Without its files nothing of a pack can be verified, and that is no success.
fn not_pushed(pack: &str) -> Check {
    let name = format!("files of pack {pack}");
    let actual = "not in this database: its verifications cannot be run; \"strata push\" brings them";
    Check { name, expected: "in this database".into(), actual: actual.into(), ok: false }
}

fn asked(sql: &'static str, pack: Option<&str>) -> Result<Vec<Row>, Error> {
    here(&Statement::ours(sql, vec![pack.into()])).map_err(|cause| Error::failed("integrity", cause))
}

fn cell(row: &Row, column: usize) -> String {
    row.get(column).cloned().flatten().unwrap_or_default()
}
