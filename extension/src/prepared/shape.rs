//! What a plan looks like. What the planner guesses of the average tenant must not decide how long another one waits, so a
//! plan is looked at before it is used.

use pgrx::pg_sys::{self, NodeTag};

/// Whether a planned statement is nothing but look-ups of keys, arrays that are its first so many parameters, in indexes
/// on them.
#[allow(unsafe_code)]
pub fn is_by_keys(source: &pg_sys::CachedPlanSource, arrays: i32) -> bool {
    // SAFETY: the nodes of a plan that has just been made, each cast to what its tag says.
    unsafe {
        let Some(plan) = source.gplan.as_ref() else { return false };
        let statement = members(plan.stmt_list).next();
        let statement =
            statement.and_then(|statement| node::<pg_sys::PlannedStmt>(statement, NodeTag::T_PlannedStmt));
        let Some(whole) = statement.map(|statement| statement.planTree.cast()) else { return false };
        match node::<pg_sys::Append>(whole, NodeTag::T_Append) {
            Some(append) => members(append.appendplans).all(|part| is_look_up(part, arrays)),
            None => is_look_up(whole, arrays),
        }
    }
}

/// # Safety
/// A node.
#[allow(unsafe_code)]
unsafe fn is_look_up(plan: *mut pg_sys::Node, arrays: i32) -> bool {
    // SAFETY: as above.
    unsafe {
        // A policy may be decided before the table is looked at.
        if let Some(gate) = node::<pg_sys::Result>(plan, NodeTag::T_Result) {
            return !gate.plan.lefttree.is_null() && is_look_up(gate.plan.lefttree.cast(), arrays);
        }
        if let Some(part) = node::<pg_sys::SubqueryScan>(plan, NodeTag::T_SubqueryScan) {
            return is_look_up(part.subplan.cast(), arrays);
        }
        let scan = node::<pg_sys::IndexScan>(plan, NodeTag::T_IndexScan);
        scan.is_some_and(|scan| members(scan.indexqualorig).any(|condition| is_of_keys(condition, arrays)))
    }
}

/// `column = any ($n)`
///
/// # Safety
/// A node.
#[allow(unsafe_code)]
unsafe fn is_of_keys(condition: *mut pg_sys::Node, arrays: i32) -> bool {
    // SAFETY: as above.
    unsafe {
        let Some(any) = node::<pg_sys::ScalarArrayOpExpr>(condition, NodeTag::T_ScalarArrayOpExpr) else {
            return false;
        };
        let is_keys = |argument: *mut pg_sys::Node| {
            node::<pg_sys::Param>(argument, NodeTag::T_Param).is_some_and(|parameter| {
                parameter.paramkind == pg_sys::ParamKind::PARAM_EXTERN
                    && (1..=arrays).contains(&parameter.paramid)
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
