//! `session_search_path`: under which path the application's triggers run when we write to its tables: under ours they would
//! not find their own tables. Asked of the server directly: the view pg_settings puts all settings together first.

#![allow(unsafe_code)]

use pgrx::prelude::*;
use std::ffi::CStr;

/// The search_path that a session of this role in this database starts with.
#[pg_extern(stable, parallel_safe)]
fn session_search_path() -> Option<String> {
    // SAFETY: the answer is null, or a string that lives until the setting's default changes.
    unsafe {
        let path = pg_sys::GetConfigOptionResetString(c"search_path".as_ptr());
        (!path.is_null()).then(|| CStr::from_ptr(path).to_string_lossy().into_owned())
    }
}
