//! `strata.table_lock_timeout`, `strata.table_lock_patience` and `strata.index_wait`: how long the runs that a session starts or
//! resumes wait for others. The options of `strata up` with these names.

use pgrx::{GucContext, GucFlags, GucRegistry, GucSetting};
use strata_core::order::Patience;
use strata_core::run::{LOCK_TIMEOUT_MS, TABLE_LOCK_PATIENCE};

static TABLE_LOCK_TIMEOUT: GucSetting<i32> = GucSetting::<i32>::new(LOCK_TIMEOUT_MS as i32);
static TABLE_LOCK_PATIENCE_S: GucSetting<i32> = GucSetting::<i32>::new(TABLE_LOCK_PATIENCE.as_secs() as i32);
static INDEX_WAIT: GucSetting<i32> = GucSetting::<i32>::new(0);

/// Longest wait that `lock_timeout` can say. Unit: seconds.
const LONGEST: i32 = i32::MAX / 1000;

/// Makes them known. What the session has set before it loaded the library is taken over.
pub fn define() {
    GucRegistry::define_int_guc(
        c"strata.table_lock_timeout",
        c"Longest that a step of a run waits for a table lock before it tries again.",
        c"Of the runs that this session starts or resumes. Writers that come later wait behind it.",
        &TABLE_LOCK_TIMEOUT,
        1,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"strata.table_lock_patience",
        c"How long a step of a run tries to get its table locks before the run fails.",
        c"Of the runs that this session starts or resumes.",
        &TABLE_LOCK_PATIENCE_S,
        0,
        LONGEST,
        GucContext::Userset,
        GucFlags::UNIT_S,
    );
    GucRegistry::define_int_guc(
        c"strata.index_wait",
        c"Longest that a concurrent statement of a run waits for one other transaction; 0 has no end.",
        c"Of the runs that this session starts or resumes. Nobody waits behind it.",
        &INDEX_WAIT,
        0,
        LONGEST,
        GucContext::Userset,
        GucFlags::UNIT_S,
    );
}

/// As this session has them.
pub fn of_session() -> Patience {
    let number = |setting: &GucSetting<i32>| u32::try_from(setting.get()).ok();
    Patience {
        table_lock_timeout: number(&TABLE_LOCK_TIMEOUT),
        table_lock_patience: number(&TABLE_LOCK_PATIENCE_S),
        index_wait: number(&INDEX_WAIT),
    }
}
