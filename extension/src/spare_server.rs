//! `spare_server`: for the copy of the schema on which a dry run tries what commits. The copy is dropped afterwards, but roles
//! and settings are the server's. What a file says of them in so many words is not sent there; what a function says, or a block
//! that puts its words together, is known only when it is said: then it is refused.

use crate::report::report;
use pgrx::pg_sys::{self, NodeTag, ObjectType};
use pgrx::prelude::*;
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use strata_core::{Error, Kind};

thread_local! {
    static SPARED: Cell<bool> = const { Cell::new(false) };
    /// Who was asked before.
    static BEFORE: Cell<pg_sys::ProcessUtility_hook_type> = const { Cell::new(None) };
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" {
    // Not pgrx's, which guards it: what an ERROR of a file says would not come through whole.
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        read_only: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        params: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        receiver: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// From now on this session refuses (ST029) what would outlive its database. To the end of the session.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(unsafe_code)]
fn spare_server() {
    if SPARED.replace(true) {
        return;
    }
    // SAFETY: a variable of this process, which has one thread.
    unsafe {
        BEFORE.set(pg_sys::ProcessUtility_hook);
        pg_sys::ProcessUtility_hook = Some(look_first);
    }
}

/// Nothing in it may need an end of its own: an ERROR jumps over it.
#[allow(unsafe_code, clippy::too_many_arguments, reason = "Postgres' own")]
unsafe extern "C-unwind" fn look_first(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    params: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: all of it goes on as it came.
    unsafe {
        refuse((*statement).utilityStmt);
        match BEFORE.get() {
            Some(next) => {
                next(statement, text, read_only, context, params, environment, receiver, completion);
            }
            None => standard_ProcessUtility(
                statement,
                text,
                read_only,
                context,
                params,
                environment,
                receiver,
                completion,
            ),
        }
    }
}

/// Raises ST029 where a statement is about more than this database.
#[pg_guard]
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn refuse(node: *mut pg_sys::Node) {
    // SAFETY: the node of a statement.
    let (outlives, tag) =
        unsafe { (outlives(node), pg_sys::GetCommandTagName(pg_sys::CreateCommandTag(node))) };
    if outlives {
        // SAFETY: as above; the name of a tag is static.
        let (tag, name) = unsafe { (CStr::from_ptr(tag).to_string_lossy().to_lowercase(), name(node)) };
        let message = format!("{tag}{name} is about the whole server, where a dry run changes nothing");
        report(Error::new(Kind::Untried, message)).report(PgLogLevel::ERROR);
    }
}

#[allow(unsafe_code)]
unsafe fn outlives(node: *mut pg_sys::Node) -> bool {
    // SAFETY: a node is what its tag says.
    unsafe {
        match (*node).type_ {
            NodeTag::T_CreateRoleStmt
            | NodeTag::T_AlterRoleStmt
            | NodeTag::T_DropRoleStmt
            | NodeTag::T_GrantRoleStmt
            | NodeTag::T_ReassignOwnedStmt
            | NodeTag::T_DropOwnedStmt
            | NodeTag::T_CreatedbStmt
            | NodeTag::T_DropdbStmt
            | NodeTag::T_CreateTableSpaceStmt
            | NodeTag::T_AlterTableSpaceOptionsStmt
            | NodeTag::T_DropTableSpaceStmt
            | NodeTag::T_AlterSystemStmt
            // A database with one cannot be dropped.
            | NodeTag::T_CreateSubscriptionStmt => true,
            NodeTag::T_AlterRoleSetStmt => !is_here((*node.cast::<pg_sys::AlterRoleSetStmt>()).database),
            NodeTag::T_AlterDatabaseStmt => !is_here((*node.cast::<pg_sys::AlterDatabaseStmt>()).dbname),
            NodeTag::T_AlterDatabaseSetStmt => !is_here((*node.cast::<pg_sys::AlterDatabaseSetStmt>()).dbname),
            NodeTag::T_RenameStmt => is_shared((*node.cast::<pg_sys::RenameStmt>()).renameType),
            NodeTag::T_AlterOwnerStmt => is_shared((*node.cast::<pg_sys::AlterOwnerStmt>()).objectType),
            NodeTag::T_CommentStmt => is_shared((*node.cast::<pg_sys::CommentStmt>()).objtype),
            NodeTag::T_SecLabelStmt => is_shared((*node.cast::<pg_sys::SecLabelStmt>()).objtype),
            NodeTag::T_GrantStmt => is_shared((*node.cast::<pg_sys::GrantStmt>()).objtype),
            _ => false,
        }
    }
}

/// The catalog of these is the server's. What is said of the database itself goes with it.
fn is_shared(kind: ObjectType::Type) -> bool {
    [ObjectType::OBJECT_ROLE, ObjectType::OBJECT_TABLESPACE, ObjectType::OBJECT_PARAMETER_ACL].contains(&kind)
}

/// Whether a name is that of this database.
#[allow(unsafe_code)]
unsafe fn is_here(name: *const c_char) -> bool {
    // SAFETY: null, or a C string of the statement; inside a transaction.
    unsafe {
        let here = pg_sys::get_database_name(pg_sys::MyDatabaseId);
        !name.is_null() && !here.is_null() && CStr::from_ptr(name) == CStr::from_ptr(here)
    }
}

/// A blank and the name of what it is about, where the statement is about one thing.
#[allow(unsafe_code)]
unsafe fn name(node: *mut pg_sys::Node) -> String {
    // SAFETY: a node is what its tag says.
    unsafe {
        let of_role = |role: *mut pg_sys::RoleSpec| {
            if role.is_null() { std::ptr::null_mut() } else { (*role).rolename }
        };
        let name = match (*node).type_ {
            NodeTag::T_CreateRoleStmt => (*node.cast::<pg_sys::CreateRoleStmt>()).role,
            NodeTag::T_AlterRoleStmt => of_role((*node.cast::<pg_sys::AlterRoleStmt>()).role),
            NodeTag::T_AlterRoleSetStmt => of_role((*node.cast::<pg_sys::AlterRoleSetStmt>()).role),
            NodeTag::T_AlterDatabaseStmt => (*node.cast::<pg_sys::AlterDatabaseStmt>()).dbname,
            NodeTag::T_AlterDatabaseSetStmt => (*node.cast::<pg_sys::AlterDatabaseSetStmt>()).dbname,
            _ => std::ptr::null_mut(),
        };
        if name.is_null() { String::new() } else { format!(" {}", CStr::from_ptr(name).to_string_lossy()) }
    }
}
