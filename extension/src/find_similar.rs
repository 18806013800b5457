//! `find_similar`: `find_similar_content` for sources whose keys or tenants are no uuids. Rows are named by text.

use crate::jsonb::Jsonb;
use crate::similar::similar;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// The rows that are most like one row, itself left out, over all sources of its model, best first; keys of any type, by
/// what is written there.
#[pg_extern(stable, parallel_safe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the columns of the result from the type as it is written here"
)]
fn find_similar(
    input_entity_type: Option<String>,
    input_entity_id: Option<String>,
    similarity_threshold: default!(Option<f64>, 0.7),
    max_results: default!(Option<i32>, 10),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(entity_id, String),
            name!(title, Option<String>),
            name!(content, Option<String>),
            name!(similarity, Option<f64>),
            name!(created_at, Option<TimestampWithTimeZone>),
            name!(metadata, Jsonb),
        ),
    >,
    ErrorReport,
> {
    similar(input_entity_type, input_entity_id, similarity_threshold, max_results).map(TableIterator::new)
}
