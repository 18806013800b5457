//! The beginning of every background worker of ours: it hears signals as a backend does, and has a session of a role.

use pgrx::pg_sys;
use std::ffi::c_int;

#[allow(unsafe_code)]
unsafe extern "C-unwind" {
    fn die(signal: c_int);
    fn SignalHandlerForConfigReload(signal: c_int);
}

/// Signals and a session, as a backend has them.
#[allow(unsafe_code)]
pub fn open(database: pg_sys::Oid, role: pg_sys::Oid) {
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    let flags = pg_sys::BGWORKER_BYPASS_ROLELOGINCHECK;
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    let flags = 0;
    // SAFETY: a new worker. SIGINT stays what the postmaster made it, the cancel of a statement: pg_cancel_backend and
    // every timeout need it. SIGTERM must be an interrupt, as in a backend, and not an exit inside the handler.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        let set = |signal: u32, handler: unsafe extern "C-unwind" fn(c_int)| {
            pg_sys::pqsignal(signal as c_int, Some(handler));
        };
        #[cfg(feature = "pg18")]
        let set = |signal: u32, handler: unsafe extern "C-unwind" fn(c_int)| {
            pg_sys::pqsignal_be(signal as c_int, Some(handler));
        };
        set(pg_sys::SIGTERM, die);
        set(pg_sys::SIGHUP, SignalHandlerForConfigReload);
        pg_sys::BackgroundWorkerUnblockSignals();
        pg_sys::BackgroundWorkerInitializeConnectionByOid(database, role, flags);
    }
}
