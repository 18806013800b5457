//! What must be true when a run has been taken up again and has ended.

use super::{Way, pack};
use crate::data::{self, Columns, Hashes};
use crate::text::assert_same;
use crate::{Database, dump};

/// The schema and the data that an undisturbed run leaves.
pub struct Truth {
    schema: String,
    columns: Columns,
    hashes: Hashes,
}

impl Truth {
    /// Of a database.
    pub fn of(database: &Database) -> Truth {
        let mut columns = data::without(&data::columns(database), pack::OF_WRITERS);
        columns.remove("public.ledger");
        Truth { schema: dump(database), hashes: data::hashes(database, &columns), columns }
    }

    /// Fails unless a database is the same, and its state tells no lie. `moved`: the way that the pack went last.
    pub fn assert_holds(&self, database: &Database, moved: Way) {
        assert_same("schema", &self.schema, &dump(database));
        assert_eq!(self.hashes, data::hashes(database, &self.columns), "the data");
        assert_state_is_true(database, moved);
    }
}

/// No run is left over, every version was finished once, and nobody tells of a failure that was none.
fn assert_state_is_true(database: &Database, moved: Way) {
    let way = moved.name();
    let wanted = if moved == Way::Up { "applied" } else { "pending" };
    let states: Vec<String> = database.column("select distinct state from strata.migration");
    assert_eq!(states, [wanted], "the versions");
    let open: Vec<String> = database.column("select state from strata.run where state <> 'succeeded'");
    assert!(open.is_empty(), "runs that did not end: {open:?}");
    let steps: Vec<String> = database.column("select state from strata.run_step where state <> 'done'");
    assert!(steps.is_empty(), "steps that did not end: {steps:?}");
    let broken: i64 = database.value("select count(*) from pg_index where not indisvalid or not indisready");
    assert_eq!(broken, 0, "invalid indexes");
    let told = database.rows(
        "select h.version, count(*) filter (where h.event = 'succeeded'), count(*) filter (where h.event = 'failed'),
                bool_or(h.event = 'started'), (array_agg(h.event order by h.id desc))[1]
         from strata.history h where h.direction = $1 group by h.version order by h.version",
        &[&way],
    );
    let told: Vec<(i64, i64, i64, bool, String)> =
        told.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4))).collect();
    let all: Vec<_> =
        (1..=pack::VERSIONS).map(|version| (version, 1, 0, true, "succeeded".to_owned())).collect();
    assert_eq!(told, all, "the history: version, succeeded, failed, started, last event");
}
