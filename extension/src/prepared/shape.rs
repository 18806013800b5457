//! What a plan looks like. What the planner guesses of the average tenant must not decide how long another one waits, so a
//! plan is looked at before it is used.

use pgrx::pg_sys::{self, NodeTag};

/// Whether a planned statement is nothing but a look-up of the keys that are its first parameter, in an index on them.
#[allow(unsafe_code)]
pub fn is_by_keys(source: &pg_sys::CachedPlanSource) -> bool {
    // SAFETY: the nodes of a plan that has just been made, each cast to what its tag says.
    unsafe {
        let Some(plan) = source.gplan.as_ref() else { return false };
        let statement = members(plan.stmt_list).next();
        let statement =
            statement.and_then(|statement| node::<pg_sys::PlannedStmt>(statement, NodeTag::T_PlannedStmt));
        let scan = statement
            .and_then(|statement| node::<pg_sys::IndexScan>(statement.planTree.cast(), NodeTag::T_IndexScan));
        scan.is_some_and(|scan| members(scan.indexqualorig).any(|condition| is_of_keys(condition)))
    }
}

/// `column = any ($1)`
///
/// # Safety
/// A node.
#[allow(unsafe_code)]
unsafe fn is_of_keys(condition: *mut pg_sys::Node) -> bool {
    // SAFETY: as above.
    unsafe {
        let Some(any) = node::<pg_sys::ScalarArrayOpExpr>(condition, NodeTag::T_ScalarArrayOpExpr) else {
            return false;
        };
        let is_keys = |argument: *mut pg_sys::Node| {
            node::<pg_sys::Param>(argument, NodeTag::T_Param).is_some_and(|parameter| {
                parameter.paramkind == pg_sys::ParamKind::PARAM_EXTERN && parameter.paramid == 1
            })
        };
        any.useOr && members(any.args).nth(1).is_some_and(is_keys)
    }
}

/// # Safety
/// A node or null; `T` is the type of the tag.
#[allow(unsafe_code)]
pub unsafe fn node<'a, T>(node: *mut pg_sys::Node, tag: NodeTag) -> Option<&'a T> {
    // SAFETY: every node begins with its tag.
    unsafe { node.as_ref().filter(|node| node.type_ == tag).map(|node| &*std::ptr::from_ref(node).cast()) }
}

/// # Safety
/// A list of nodes or null, which outlives the iterator.
#[allow(unsafe_code)]
pub unsafe fn members(list: *mut pg_sys::List) -> impl Iterator<Item = *mut pg_sys::Node> {
    // SAFETY: a list has as many elements as it says.
    let cells = unsafe {
        list.as_ref().map_or(&[][..], |list| {
            std::slice::from_raw_parts(list.elements, usize::try_from(list.length).unwrap_or(0))
        })
    };
    // SAFETY: each is a pointer to a node.
    cells.iter().map(|cell| unsafe { cell.ptr_value.cast() })
}
