//! `explain`: `search_explain` for sources whose keys or tenants are no uuids: which way `search` goes. Tenants are named by text.

use crate::arguments::Arguments;
use crate::jsonb::Jsonb;
use crate::vector::Vector;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// Each source with the way it is searched, why, the tenant's rows that are compared, those that are found, and the time;
/// keys and tenants of any type.
#[pg_extern(volatile, parallel_unsafe)]
#[allow(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "pgrx reads the arguments and the columns of the result from the types as they are written here"
)]
fn explain(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<String>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
    entity_types: default!(Option<Vec<Option<String>>>, "NULL"),
    query_text: default!(Option<&str>, "NULL"),
    minimum_similarity: default!(Option<f64>, "NULL"),
    metadata_filter: default!(Option<Jsonb>, "NULL"),
    source_weights: default!(Option<Jsonb>, "NULL"),
    diversity: default!(Option<f64>, "NULL"),
    organisation_filter: default!(Option<&str>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(way, String),
            name!(reason, String),
            name!(rows_scanned, Option<i64>),
            name!(rows_found, Option<i64>),
            name!(milliseconds, Option<f64>),
        ),
    >,
    ErrorReport,
> {
    let arguments = Arguments {
        embedding: query_embedding,
        tenant: user_id_filter,
        count: match_count,
        days: date_range_days,
        entity_types,
        minimum: minimum_similarity,
        metadata: metadata_filter,
        weights: source_weights,
        diversity,
        text: query_text,
        text_weight: None,
        model: None,
        organisation: organisation_filter,
    };
    arguments.told().map(TableIterator::new)
}
