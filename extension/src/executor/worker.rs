//! The worker: registered by the caller's transaction, it waits for the end of that, opens a session of the calling role
//! and turns the run.

use super::drive::drive;
use super::dry_run;
use super::notices;
use super::open::open;
use super::session::Session;
use crate::store;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::{check_for_interrupts, pg_sys};
use std::ffi::CString;
use std::time::Duration;
use strata_core::order::Order;
use strata_core::pack::Pack;
use strata_core::run::{DryRun, Request, Run};
use strata_core::statement::{GROUND, Reply, Statement, Value};
use strata_core::{Error, Kind};

/// Between two looks at the caller's transaction. Short beside a person's patience, long beside a look.
const LOOK: Duration = Duration::from_millis(20);

/// Registers a worker for a queued run. It starts at once and does nothing before this transaction has committed, and
/// nothing at all if it does not. Its session is one of `role`, else of the caller. Raises 53000.
#[allow(unsafe_code)]
pub fn launch(run: &str, role: Option<pg_sys::Oid>) -> Result<(), ErrorReport> {
    // SAFETY: reading what this session is.
    let (database, caller, transaction) =
        unsafe { (pg_sys::MyDatabaseId, pg_sys::GetUserId(), pg_sys::GetTopTransactionIdIfAny()) };
    let role = role.unwrap_or(caller);
    let extra = format!("{} {} {} {run}", database.to_u32(), role.to_u32(), transaction.into_inner());
    let registered = BackgroundWorkerBuilder::new("strata run")
        .set_type("strata run")
        .set_library("strata")
        .set_function("strata_run_worker")
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(None)
        .enable_spi_access()
        .set_extra(&extra)
        .load_dynamic();
    registered.map(drop).map_err(|_| {
        let code = PgSqlErrorCode::ERRCODE_INSUFFICIENT_RESOURCES;
        ErrorReport::new(code, "no background worker is free for the run", "strata").set_hint(
            "raise max_worker_processes and restart the server, wait for another worker to end, or run \"strata up\"",
        )
    })
}

/// What the caller wrote into the worker's entry.
struct Extra {
    database: pg_sys::Oid,
    role: pg_sys::Oid,
    transaction: pg_sys::TransactionId,
    run: String,
}

impl Extra {
    fn read(text: &str) -> Option<Extra> {
        let mut words = text.split(' ');
        let mut number = || words.next()?.parse::<u32>().ok();
        let (database, role, transaction) = (number()?, number()?, number()?);
        Some(Extra {
            database: database.into(),
            role: role.into(),
            transaction: transaction.into(),
            run: words.next()?.to_owned(),
        })
    }
}

/// The worker's beginning and end.
#[allow(unsafe_code)]
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn strata_run_worker(_argument: pg_sys::Datum) {
    let extra = Extra::read(BackgroundWorker::get_extra()).expect("launch wrote it");
    open(extra.database, extra.role);
    let mut session = Session::new();
    notices::listen();
    wait_for_caller(&session, extra.transaction);
    let Some((pack, order)) = arrive(&session, &extra.run) else { return };
    if order.dry_run {
        return try_out(&mut session, &extra.run, &pack, &order);
    }
    turn(&mut session, &extra.run, &pack, &order);
}

#[allow(unsafe_code)]
fn wait_for_caller(session: &Session, transaction: pg_sys::TransactionId) {
    // SAFETY: asks the shared list of transactions; needs none of its own.
    while transaction != pg_sys::InvalidTransactionId
        && unsafe { pg_sys::TransactionIdIsInProgress(transaction) }
    {
        session.nap(LOOK);
        check_for_interrupts!();
    }
}

/// The request, if it is still there: the caller may have rolled back, somebody else may have taken it.
fn arrive(session: &Session, run: &str) -> Option<(String, Order)> {
    let queries = [
        include_str!("../../../sql/query/run_arrived.sql"),
        include_str!("../../../sql/query/dry_run_arrived.sql"),
    ];
    let ask = |query| session.run(&Statement::ours(query, vec![run.into()])).unwrap_or_default();
    let mut row = queries.into_iter().flat_map(ask).next()?.into_iter().flatten();
    let (pack, request) = (row.next()?, row.next()?);
    let order = Order::read(&request).ok()?;
    Some((pack, order))
}

fn turn(session: &mut Session, id: &str, pack: &str, order: &Order) {
    match prepare(session, pack, order) {
        Ok((stored, mut request)) => {
            request.run = Some(id.to_owned());
            request.seed = seed(id);
            let mut run = Run::new(stored, request);
            let outcome = drive(session, id, &mut run).map(drop);
            close(session, id, outcome, run.is_claimed());
        }
        Err(error) => close(session, id, Err(error), false),
    }
}

fn try_out(session: &mut Session, run: &str, pack: &str, order: &Order) {
    match prepare(session, pack, order) {
        Ok((stored, request)) => {
            dry_run::turn(session, run, &mut DryRun::new(stored, request, dry_run::limits(), false));
        }
        Err(error) => {
            dry_run::close(session, run, ("failed", Some(&error)), serde_json::Value::Null);
        }
    }
}

/// The session as the caller's was, the pack, and what is asked of it.
fn prepare(session: &Session, pack: &str, order: &Order) -> Result<(Pack, Request), Error> {
    let failed = |cause| Error::failed("opening the session", cause);
    session.set(c"application_name", &format!("strata run of {pack}")).map_err(failed)?;
    session.set(c"search_path", &order.search_path).map_err(failed)?;
    for (name, value) in GROUND {
        session.set(&CString::new(name).unwrap_or_default(), value).map_err(failed)?;
    }
    let ask = |statement: &Statement| -> Reply { session.run(statement) };
    let mut stored = store::pack(&ask, pack)?;
    stored.given = order.variables.clone();
    // A run that is only tried has no state of its own.
    Ok((stored, Request { run: None, ..order.request("") }))
}

/// The random digits of the run's id.
fn seed(run: &str) -> u64 {
    let digits: String = run.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    u64::from_str_radix(&digits, 16).unwrap_or(0)
}

/// A request that was never claimed must not look as if it waited: there was nothing to do, or it was refused. One that was
/// has said itself how it ended, and may have been asked for again since.
fn close(session: &mut Session, run: &str, outcome: Result<(), Error>, claimed: bool) {
    let (state, code, message) = match &outcome {
        Ok(()) if claimed => return,
        Ok(()) => ("succeeded", None, None),
        Err(error) if error.kind() == Kind::Interrupted => ("cancelled", None, None),
        Err(error) => ("failed", Some(error.sqlstate()), Some(error.message())),
    };
    session.hold_cancel = true;
    let parameters = vec![run.into(), state.into(), code.into(), message.into(), Value::Bool(claimed)];
    let _ = session.run(&Statement::ours(include_str!("../../../sql/query/run_closed.sql"), parameters));
    if let Err(error) = outcome {
        log!("strata: run {run}: {error} (SQLSTATE {})", error.sqlstate());
    }
}
