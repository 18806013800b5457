//! `search`: `rag_search` for sources whose keys or tenants are no uuids. Rows, tenants and organisations are named by text.

use crate::arguments::Arguments;
use crate::jsonb::Jsonb;
use crate::vector::Vector;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;

/// The rows of one tenant nearest to an embedding, and to a text where one is given, over all sources, best first;
/// keys and tenants of any type, by what is written there.
#[pg_extern(stable, parallel_safe)]
#[allow(
    clippy::type_complexity,
    clippy::too_many_arguments,
    reason = "pgrx reads the arguments and the columns of the result from the types as they are written here"
)]
fn search(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<String>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
    entity_types: default!(Option<Vec<Option<String>>>, "NULL"),
    minimum_similarity: default!(Option<f64>, "NULL"),
    metadata_filter: default!(Option<Jsonb>, "NULL"),
    source_weights: default!(Option<Jsonb>, "NULL"),
    diversity: default!(Option<f64>, "NULL"),
    query_text: default!(Option<&str>, "NULL"),
    text_weight: default!(Option<f64>, 0.5),
    embedding_model: default!(Option<&str>, "NULL"),
    organisation_filter: default!(Option<&str>, "NULL"),
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
        text_weight,
        model: embedding_model,
        organisation: organisation_filter,
    };
    arguments.hits().map(TableIterator::new)
}
