//! The session of a worker: runs the statements that core answers with, and lets time pass.

use super::failure::capture;
use super::notices::heard;
use super::owner::{as_owner, ask};
use super::toplevel::{self, Wanted};
use pgrx::{check_for_interrupts, pg_sys};
use std::ffi::{CStr, CString, c_long};
use std::time::{Duration, Instant};
use strata_core::error::DbError;
use strata_core::statement::{AND, Nature, Reply, Statement};

/// A worker's session.
pub struct Session {
    memory: pg_sys::MemoryContext,
    /// True: our own bookkeeping is not to be cancelled any more; a cancel waits for the next statement of the pack.
    pub hold_cancel: bool,
}

impl Session {
    /// Of this process, which is connected.
    #[allow(unsafe_code)]
    pub fn new() -> Session {
        // SAFETY: a child of TopMemoryContext lives as long as the process.
        let memory = unsafe {
            pg_sys::AllocSetContextCreateInternal(
                pg_sys::TopMemoryContext,
                c"strata statement".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            )
        };
        Session { memory, hold_cancel: false }
    }

    /// Runs one statement.
    pub fn run(&self, statement: &Statement) -> Reply {
        reload();
        match statement.nature {
            Nature::File => heard(|| toplevel::run(self.memory, &statement.sql, Wanted::Nothing)),
            Nature::Check => heard(|| toplevel::run(self.memory, &statement.sql, Wanted::Rows)),
            Nature::Single => heard(|| toplevel::run(self.memory, &statement.sql, Wanted::Count)),
            Nature::Reset => {
                statement
                    .sql
                    .split(AND)
                    .try_for_each(|one| toplevel::run(self.memory, one, Wanted::Nothing).map(drop))?;
                Ok(Vec::new())
            }
            Nature::State => self.bookkeeping(|| as_owner(|| ask(statement))),
            Nature::Session => self.bookkeeping(|| ask(statement)),
        }
    }

    /// In the transaction that is open, else in one of its own.
    #[allow(unsafe_code)]
    fn bookkeeping<R>(&self, work: impl FnOnce() -> pgrx::spi::Result<R>) -> Result<R, DbError> {
        let hold = u32::from(self.hold_cancel);
        // SAFETY: a worker at top level; an ERROR inside is followed by an abort, and has reset the hold-off itself.
        let outcome = capture(|| unsafe {
            pg_sys::SetCurrentStatementStartTimestamp();
            pg_sys::StartTransactionCommand();
            pg_sys::QueryCancelHoldoffCount += hold;
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let done = work();
            pg_sys::PopActiveSnapshot();
            pg_sys::QueryCancelHoldoffCount -= hold;
            pg_sys::CommitTransactionCommand();
            done
        });
        // SAFETY: as above.
        unsafe { toplevel::settle(outcome.is_err()) };
        outcome?.map_err(|cause| DbError {
            sqlstate: "XX000".into(),
            message: format!("strata could not run a statement: {cause}"),
            ..Default::default()
        })
    }

    /// Lets time pass, holding no snapshot. A cancel ends it: the next statement meets it.
    #[allow(unsafe_code)]
    pub fn nap(&self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
            // SAFETY: the latch of this process.
            let cancelled = unsafe {
                pg_sys::WaitLatch(
                    pg_sys::MyLatch,
                    events as i32,
                    left.as_millis() as c_long + 1,
                    pg_sys::PG_WAIT_EXTENSION,
                );
                pg_sys::ResetLatch(pg_sys::MyLatch);
                pg_sys::QueryCancelPending != 0
            };
            if cancelled {
                return;
            }
            check_for_interrupts!();
            reload();
        }
    }

    /// Sets a parameter as a client would when it connects, so that `reset all` comes back to it.
    #[allow(unsafe_code)]
    pub fn set(&self, name: &CStr, value: &str) -> Result<(), DbError> {
        let value = CString::new(value).unwrap_or_default();
        let outcome = capture(|| unsafe {
            // SAFETY: a worker at top level; search_path may look into the catalog, so inside a transaction.
            pg_sys::StartTransactionCommand();
            pg_sys::SetConfigOption(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_USERSET,
                pg_sys::GucSource::PGC_S_CLIENT,
            );
            pg_sys::CommitTransactionCommand();
        });
        // SAFETY: as above.
        unsafe { toplevel::settle(outcome.is_err()) };
        outcome
    }
}

/// After `pg_reload_conf()`.
#[allow(unsafe_code)]
fn reload() {
    // SAFETY: between statements, as a backend does it.
    unsafe {
        if pg_sys::ConfigReloadPending != 0 {
            pg_sys::ConfigReloadPending = 0;
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
        }
    }
}
