//! `strata.ef_search`: how wide the index of a large tenant is searched.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
use strata_core::search::{EF_SEARCH, MOST_EF_SEARCH};

static SETTING: GucSetting<i32> = GucSetting::<i32>::new(EF_SEARCH as i32);

/// Makes it known.
pub fn define() {
    GucRegistry::define_int_guc(
        c"strata.ef_search",
        c"How many vectors a search looks at in a tenant's own index; 0 compares every vector.",
        c"Of tenants that have such an index. hnsw.ef_search while it is used.",
        &SETTING,
        0,
        MOST_EF_SEARCH as i32,
        GucContext::Userset,
        GucFlags::default(),
    );
}

/// As this session has it.
pub fn of_session() -> i64 {
    SETTING.get().into()
}
