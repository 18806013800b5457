//! A statement that is one expression, computed without the executor, which takes longer to begin and to end than most
//! expressions take to be computed. As PL/pgSQL computes its own.

use super::shape::{members, node};
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::pg_sys::{self, NodeTag};
use pgrx::prelude::*;

/// The expression, where a plan is nothing else.
///
/// # Safety
/// A plan that has been made for a statement.
#[allow(unsafe_code)]
pub unsafe fn of(plan: &pg_sys::CachedPlan) -> Option<*mut pg_sys::Expr> {
    // SAFETY: the nodes of the plan, each cast to what its tag says.
    unsafe {
        let statement = members(plan.stmt_list).next()?;
        let statement = node::<pg_sys::PlannedStmt>(statement, NodeTag::T_PlannedStmt)?;
        let result = node::<pg_sys::Result>(statement.planTree.cast(), NodeTag::T_Result)?;
        let is_plain = statement.subplans.is_null()
            && result.plan.lefttree.is_null()
            && result.plan.initPlan.is_null()
            && result.resconstantqual.is_null();
        let mut columns = members(result.plan.targetlist);
        let (column, further) = (columns.next()?, columns.next());
        let column = node::<pg_sys::TargetEntry>(column, NodeTag::T_TargetEntry)?;
        (is_plain && further.is_none()).then_some(column.expr)
    }
}

/// Its value; none for null.
///
/// # Safety
/// An expression without parameters, of the SQL type of `T`, under a snapshot.
#[allow(unsafe_code)]
pub unsafe fn value<T: FromDatum>(expression: *mut pg_sys::Expr) -> Option<T> {
    // SAFETY: what is allocated for it lies in the context that is freed, in which it is also computed; an error frees it
    // with the transaction.
    unsafe {
        let context = pg_sys::CreateStandaloneExprContext();
        let before = pg_sys::MemoryContextSwitchTo((*context).ecxt_per_tuple_memory);
        let state = pg_sys::ExecInitExpr(expression, std::ptr::null_mut());
        let mut is_null = false;
        let compute = (*state).evalfunc?;
        let datum = pg_guard_ffi_boundary(|| compute(state, context, &raw mut is_null));
        pg_sys::MemoryContextSwitchTo(before);
        let value = T::from_datum(datum, is_null);
        pg_sys::FreeExprContext(context, true);
        value
    }
}
