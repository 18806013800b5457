//! `caller`: who is asking, for the policies of stores. While a search runs it has been found out already.

use crate::remembered;
use crate::report::internal;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use std::cell::Cell;

thread_local! {
    static CALLER: Cell<Option<Uuid>> = const { Cell::new(None) };
}

/// The caller as `auth.uid()` names them, else the claims of the request; null where nobody does.
#[pg_extern(stable, parallel_restricted)]
fn caller() -> Result<Option<Uuid>, ErrorReport> {
    match CALLER.get() {
        Some(known) => Ok(Some(known)),
        None => remembered::registry().map_err(internal)?.caller().map_err(internal),
    }
}

/// Does some work while it is known who is asking. An error, too, ends it.
pub fn known_as<R>(caller: Option<Uuid>, work: impl FnOnce() -> R) -> R {
    struct Until(Option<Uuid>);
    impl Drop for Until {
        fn drop(&mut self) {
            CALLER.set(self.0);
        }
    }
    let _until = Until(CALLER.replace(caller));
    work()
}
