//! `push_pack`: the files of a pack, kept in the database. Core reads and refuses; this stores.

use crate::jsonb::Jsonb;
use crate::report::report;
use crate::store::{self, here};
use pgrx::check_for_interrupts;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::time::Duration;
use strata_core::adopt::{self, Adoption, Wish};
use strata_core::pack::Pack;
use strata_core::statement::{Statement, Value};
use strata_core::upload::Upload;
use strata_core::{Error, Kind, plan, variables};

/// Tries at the lock of a pack, and what lies between two. An executor whose end has just been seen has not yet given it
/// back; one that works does not within half a second.
const TRIES: u32 = 10;
const POLL: Duration = Duration::from_millis(50);

/// Keeps a pack as `strata push` sends it, and returns its name.
#[pg_extern(volatile, strict, parallel_unsafe)]
fn push_pack(pack: Jsonb) -> Result<String, ErrorReport> {
    pack.read("pack").and_then(|pack| push(&pack)).map_err(report)
}

fn push(json: &serde_json::Value) -> Result<String, Error> {
    let upload = Upload::read(json)?;
    let pack = upload.pack()?;
    let name = pack.manifest.name.clone();
    lock(&name)?;
    let (known, stored) = store::state(&here, &name)?;
    let values = variables::resolve(&pack.manifest.variables, &pack.given, &stored)?;
    plan::check(&pack, &values, &known)?;
    let statement =
        Statement::ours(include_str!("../../sql/query/push_pack.sql"), parameters(&pack, &upload));
    here(&statement).map_err(|cause| Error::failed(&format!("pack {name}: keeping its files"), cause))?;
    adopt(&pack, &known)?;
    Ok(name)
}

/// What another migration tool has applied counts as applied from the first contact on, so that a plan is true.
fn adopt(pack: &Pack, known: &[plan::Known]) -> Result<(), Error> {
    let doing = |cause| Error::failed(&format!("pack {}: other migration tools", pack.manifest.name), cause);
    let wish = Wish::Find.of(pack);
    let ledgers = adopt::read(&here(&adopt::question(pack, &wish)).map_err(doing)?);
    let statement = match adopt::decide(pack, known, &ledgers, &wish)? {
        // The run that moves it makes the table.
        Adoption::Nothing | Adoption::Begin(_) => return Ok(()),
        Adoption::Never => adopt::never(pack),
        Adoption::Adopt(ledger, versions) => {
            notice!("adopted {} versions of {}", versions.len(), ledger.name());
            ledger.adopt(pack, &versions)
        }
    };
    here(&statement).map(drop).map_err(doing)
}

/// The lock of a pack to the end of this transaction: nobody moves a pack whose files change.
pub fn lock(pack: &str) -> Result<(), Error> {
    let asked = |sql| {
        here(&Statement::ours(sql, vec![pack.into()])).map_err(|cause| Error::failed("the lock", cause))
    };
    let first = |rows: &[Vec<Option<String>>], column: usize| {
        rows.first().and_then(|row| row.get(column).cloned().flatten())
    };
    for _ in 0..TRIES {
        if first(&asked(include_str!("../../sql/query/lock_for_now.sql"))?, 0).as_deref() == Some("true") {
            return Ok(());
        }
        std::thread::sleep(POLL);
        check_for_interrupts!();
    }
    let holder = asked(include_str!("../../sql/query/lock_holder.sql"))?;
    let holder = match (first(&holder, 0), first(&holder, 1)) {
        (Some(pid), who) => format!("pid {pid}, {}", who.unwrap_or_default()),
        (None, _) => "an executor that has just ended".to_owned(),
    };
    Err(Error::new(Kind::Locked, format!("pack {pack} is being moved by {holder}"))
        .hint("wait for it to end; strata.run_progress tells where it is, strata.cancel_run stops it"))
}

fn parameters(pack: &Pack, upload: &Upload) -> Vec<Value> {
    let json =
        |value: serde_json::Result<serde_json::Value>| Value::Json(value.expect("plain data serializes"));
    vec![
        pack.manifest.name.as_str().into(),
        pack.manifest.title.as_str().into(),
        json(serde_json::to_value(&pack.manifest)),
        Value::Json(pack.versions()),
        json(serde_json::to_value(upload.stored())),
    ]
}
