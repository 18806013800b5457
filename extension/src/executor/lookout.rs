//! The lookout: a second background worker, from the first statement of a run that may wait long. It sees who is in the way of
//! the first, whose session hears nothing while it waits, and writes it down as the run's events. Where the server has no room
//! for it nothing is seen, and the run goes on; `strata.run_progress` looks by itself.

use super::open::open;
use super::session::Session;
use super::tell::tell;
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime};
use pgrx::prelude::*;
use pgrx::{check_for_interrupts, pg_sys};
use std::time::Duration;
use strata_core::run::Event;
use strata_core::statement::{Row, Statement, column};

/// Between two looks. Chosen: what lasts shorter than a second is in nobody's way.
const LOOK: Duration = Duration::from_secs(1);

/// Starts one for a run that this process executes.
#[allow(unsafe_code)]
pub fn launch(run: &str) {
    // SAFETY: reading what this session is. A file may have taken another role: the one that was let in counts.
    let (database, role, executor) =
        unsafe { (pg_sys::MyDatabaseId, pg_sys::GetAuthenticatedUserId(), pg_sys::MyProcPid) };
    let extra = format!("{} {} {executor} {run}", database.to_u32(), role.to_u32());
    let _ = BackgroundWorkerBuilder::new("strata lookout")
        .set_type("strata lookout")
        .set_library("strata")
        .set_function("strata_lookout_worker")
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(None)
        .enable_spi_access()
        .set_extra(&extra)
        .load_dynamic();
}

/// The lookout's beginning and end: that of the executor.
#[allow(unsafe_code)]
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn strata_lookout_worker(_argument: pg_sys::Datum) {
    let mut words = BackgroundWorker::get_extra().split(' ');
    let mut number = || words.next().and_then(|word| word.parse::<u32>().ok()).unwrap_or_default();
    let (database, role, executor) = (number(), number(), number());
    let run = words.next().unwrap_or_default().to_owned();
    open(database.into(), role.into());
    let session = Session::new();
    let mut seen = String::new();
    loop {
        session.nap(LOOK);
        check_for_interrupts!();
        let rows = look(&session, &run, executor);
        let Some(attempt) = rows.first().and_then(|row| column(row, 0).parse().ok()) else { return };
        let pids: Vec<&str> = rows.iter().map(|row| column(row, 1)).collect();
        let pids = pids.join(" ");
        if !pids.is_empty() && pids != seen {
            let holders = rows.iter().map(|row| column(row, 2).to_owned()).collect();
            tell(&session, &run, attempt, &Event::Blocked { holders });
        }
        seen = pids;
    }
}

/// Nothing when the executor is gone.
fn look(session: &Session, run: &str, executor: u32) -> Vec<Row> {
    let parameters = vec![run.into(), i64::from(executor).into()];
    session
        .run(&Statement::ours(include_str!("../../../sql/query/lookout.sql"), parameters))
        .unwrap_or_default()
}
