//! `rag_search`: the SQL door to search. Reads the sources, asks core, runs the statement. Decides nothing.

use crate::jsonb::Jsonb;
use crate::prepared::select;
use crate::report::{internal, report};
use crate::vector::Vector;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::Oid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{self, Access, Hidden, Plan, Request, Source};

type Hit = (String, Uuid, Option<String>, Option<String>, f64, Option<TimestampWithTimeZone>, Jsonb);

/// The rows of one tenant nearest to an embedding, over all sources, best first.
#[pg_extern(stable, parallel_safe)]
#[allow(
    clippy::type_complexity,
    reason = "pgrx reads the result's columns from the type as it is written here"
)]
fn rag_search(
    query_embedding: Option<Vector<'_>>,
    user_id_filter: Option<Uuid>,
    match_count: default!(Option<i32>, 10),
    date_range_days: default!(Option<i32>, "NULL"),
) -> Result<
    TableIterator<
        'static,
        (
            name!(entity_type, String),
            name!(entity_id, Uuid),
            name!(title, Option<String>),
            name!(content, Option<String>),
            name!(similarity, f64),
            name!(created_at, Option<TimestampWithTimeZone>),
            name!(metadata, Jsonb),
        ),
    >,
    ErrorReport,
> {
    let request = Request {
        embedding: query_embedding.as_ref().map(Vector::as_slice),
        count: match_count,
        days: date_range_days,
    };
    let Registry { sources, vector, vector_schema } = registry().map_err(internal)?;
    let plan = search::plan(&request, &sources, &vector_schema).map_err(report)?;
    let tenant = tenant(user_id_filter, plan.row_security)?;
    let embedding = query_embedding.expect("core has refused a null").parameter(vector);
    Ok(TableIterator::new(hits(&plan, embedding, tenant).map_err(internal)?))
}

extension_sql_file!(
    "../../sql/create/grant_search.sql",
    name = "grant_search",
    requires = ["refresh_hierarchy_view", rag_search]
);
extension_sql_file!("../../sql/comment/search.sql", name = "comment_search", requires = ["grant_search"]);

/// What is registered, and the oid and the schema of pgvector's type.
struct Registry {
    sources: Vec<Source>,
    vector: Oid,
    vector_schema: String,
}

fn registry() -> spi::Result<Registry> {
    let rows = select(include_str!("../../sql/query/search_sources.sql"), &[], |row| {
        Ok((source(&row)?, required::<Oid>(&row, "vector")?, required::<String>(&row, "vector_schema")?))
    })?;
    let mut registry = Registry { sources: Vec::new(), vector: Oid::INVALID, vector_schema: String::new() };
    for (source, vector, vector_schema) in rows {
        registry.sources.push(source);
        registry.vector = vector;
        registry.vector_schema = vector_schema;
    }
    Ok(registry)
}

fn source(row: &SpiHeapTupleData<'_>) -> spi::Result<Source> {
    let text = |column| required::<String>(row, column);
    let access = access(row)?;
    let hidden: Option<String> = row["hidden_column"].value()?;
    let hidden_is_time = required::<bool>(row, "hidden_is_time")?;
    Ok(Source {
        entity_type: text("entity_type")?,
        relation: (text("relation_schema")?, text("relation_name")?),
        key: text("key_column")?,
        tenant: text("tenant_column")?,
        title: row["title_column"].value()?,
        content: required(row, "content_columns")?,
        created_at: text("created_at_column")?,
        metadata: required(row, "metadata_columns")?,
        json: required(row, "json")?,
        hidden: hidden.map(if hidden_is_time { Hidden::Since } else { Hidden::Flag }),
        vector: text("vector_column")?,
        model: text("model")?,
        dimensions: usize::try_from(required::<i32>(row, "dimensions")?).unwrap_or(0),
        access,
        row_security: required(row, "row_security")?,
    })
}

fn access(row: &SpiHeapTupleData<'_>) -> spi::Result<Access> {
    if !required::<bool>(row, "has_table")? {
        return Ok(Access::NoTable);
    }
    if let Some(column) = row["gone"].value()? {
        return Ok(Access::NoColumn(column));
    }
    if let Some(column) = row["misfit"].value()? {
        let text = |column| required::<String>(row, column);
        return Ok(Access::Misfit { column, is: text("misfit_is")?, should: text("misfit_should")? });
    }
    let readable = required::<bool>(row, "readable")?;
    Ok(if readable { Access::Readable } else { Access::Denied })
}

fn required<T: FromDatum + IntoDatum>(row: &SpiHeapTupleData<'_>, column: &str) -> spi::Result<T> {
    row[column].value()?.ok_or(spi::Error::InvalidPosition)
}

/// Whose rows: core decides, from the argument and, where row level security is at work, from who is asking.
fn tenant(filter: Option<Uuid>, row_security: bool) -> Result<Uuid, ErrorReport> {
    let caller = if row_security { caller().map_err(internal)? } else { None };
    let bytes = |id: Uuid| *id.as_bytes();
    search::tenant(filter.map(bytes), row_security, caller.map(bytes)).map(Uuid::from_bytes).map_err(report)
}

/// Supabase's `auth.uid()` where it is, else the subject of the request's claims.
fn caller() -> spi::Result<Option<Uuid>> {
    let has = select(include_str!("../../sql/query/has_auth_uid.sql"), &[], |row| row[1].value::<bool>())?;
    let sql = match has.as_slice() {
        [Some(true)] => "select auth.uid()",
        _ => include_str!("../../sql/query/caller.sql"),
    };
    Ok(select(sql, &[], |row| row[1].value::<Uuid>())?.into_iter().flatten().next())
}

fn hits(plan: &Plan, embedding: DatumWithOid<'_>, tenant: Uuid) -> spi::Result<Vec<Hit>> {
    let mut parameters = vec![embedding, tenant.into(), plan.count.into()];
    parameters.extend(plan.days.map(DatumWithOid::from));
    select(&plan.sql, &parameters, |row| {
        let cell = |n: usize| &row[n];
        Ok((
            cell(1).value()?.unwrap_or_default(),
            cell(2).value()?.expect("the key of a source is unique and joined on, so it is not null"),
            cell(3).value()?,
            cell(4).value()?,
            cell(5).value()?.unwrap_or(f64::NAN),
            cell(6).value()?,
            cell(7).value()?.expect("jsonb_build_object never answers null"),
        ))
    })
}
