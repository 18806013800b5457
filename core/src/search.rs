//! Search: who may ask for whose rows, and the one statement that answers over all sources.
//!
//! Exact by construction. The distance is ordered by as part of an expression, which no vector index can serve, so that
//! no selectivity guess can leave rows out; each source ranks the tenant's rows by themselves, and title, content and
//! metadata are fetched for the winners only.

use crate::error::{Error, Kind};
use crate::ident::{Ident, literal};

mod request;
pub use request::{Id, Request, tenant};

/// A registered source, as the caller sees it. Names are bare, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What its rows are called in the answer.
    pub entity_type: String,
    /// Schema and name of the table.
    pub relation: (String, String),
    /// The column that names a row, a uuid.
    pub key: String,
    /// The column that says whose row it is, a uuid.
    pub tenant: String,
    /// The column that becomes `title`.
    pub title: Option<String>,
    /// The columns that become `content`, a line each.
    pub content: Vec<String>,
    /// The column that becomes `created_at`.
    pub created_at: String,
    /// The columns that become keys of `metadata`.
    pub metadata: Vec<String>,
    /// The column of the embedding.
    pub vector: String,
    /// The model of its embeddings.
    pub model: String,
    /// What the model answers with.
    pub dimensions: usize,
    /// Whether the caller can read it.
    pub access: Access,
    /// Whether row level security decides what the caller finds there.
    pub row_security: bool,
}

/// Whether a source can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// The caller may select every column that search needs.
    Readable,
    /// The caller lacks a privilege: the source is left out.
    Denied,
    /// The table is gone.
    NoTable,
    /// This column is gone.
    NoColumn(String),
}

/// A search that is right to run. Parameters of `sql`: $1 vector, $2 uuid tenant, $3 int8 rows, and $4 int4 days where
/// there is a limit on days. Columns: entity_type, entity_id, title, content, similarity, created_at, metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The statement, the same text for the same sources.
    pub sql: String,
    /// Rows wanted, 1 to 1000.
    pub count: i64,
    /// How old a row may be, in days.
    pub days: Option<i32>,
    /// Whether the tenant must be the caller.
    pub row_security: bool,
}

/// Checks a request against the sources and plans it. `vector_schema` is the schema pgvector lives in.
/// Fails with 22004, 22023, 22000, 42501, 42703, 42P01, 55000.
pub fn plan(request: &Request<'_>, sources: &[Source], vector_schema: &str) -> Result<Plan, Error> {
    let (count, days) = request.limits()?;
    let readable = readable(sources)?;
    one_model(&readable)?;
    for source in &readable {
        request.fits(source)?;
    }
    Ok(Plan {
        sql: statement(&readable, vector_schema, days.is_some())?,
        count,
        days,
        row_security: readable.iter().any(|s| s.row_security),
    })
}

/// The sources that take part; an error where one of them is broken or none is left.
fn readable(sources: &[Source]) -> Result<Vec<&Source>, Error> {
    if sources.is_empty() {
        return Err(Error::new(Kind::NotFound, "no source is registered for search")
            .with_sqlstate("55000")
            .hint("register a table with strata.add_source"));
    }
    if let Some(broken) = sources.iter().find_map(broken) {
        return Err(broken);
    }
    let readable: Vec<&Source> = sources.iter().filter(|s| s.access == Access::Readable).collect();
    if readable.is_empty() {
        let names: Vec<&str> = sources.iter().map(|s| s.entity_type.as_str()).collect();
        return Err(Error::new(Kind::Forbidden, "permission denied for every source")
            .detail(format!("sources: {}", names.join(", ")))
            .hint("grant select on the tables behind them"));
    }
    Ok(readable)
}

fn broken(source: &Source) -> Option<Error> {
    let (schema, name) = &source.relation;
    let (what, sqlstate) = match &source.access {
        Access::NoTable => (format!("table {schema}.{name}"), "42P01"),
        Access::NoColumn(column) => (format!("column \"{column}\" of {schema}.{name}"), "42703"),
        Access::Readable | Access::Denied => return None,
    };
    let of = &source.entity_type;
    Some(
        Error::new(Kind::NotFound, format!("source \"{of}\": {what} does not exist"))
            .with_sqlstate(sqlstate)
            .hint("call strata.drop_source, then strata.add_source as the table is now"),
    )
}

/// Similarities under two models cannot be compared.
fn one_model(sources: &[&Source]) -> Result<(), Error> {
    let Some(other) = sources.iter().find(|s| s.model != sources[0].model) else { return Ok(()) };
    let first = sources[0];
    let message = format!("sources use two models, \"{}\" and \"{}\"", first.model, other.model);
    Err(Error::new(Kind::BadData, message)
        .with_sqlstate("55000")
        .detail(format!("source \"{}\" and source \"{}\"", first.entity_type, other.entity_type))
        .hint("register the sources with one model"))
}

/// The statement over all sources. Functions are qualified and operators meet their exact types, so that no search_path
/// can put others in their place. Similarity is ordered by as `distance - 1`: ascending, so that the distance of a
/// stored zero vector, which is no number, comes last; and ties are ties of the similarity that the caller sees.
fn statement(sources: &[&Source], vector_schema: &str, by_date: bool) -> Result<String, Error> {
    let distance = format!("operator({}.<=>)", Ident::new(vector_schema)?);
    let each = |branch: &dyn Fn(usize, &Source) -> Result<String, Error>| -> Result<String, Error> {
        let branches: Result<Vec<String>, Error> =
            sources.iter().enumerate().map(|(n, s)| branch(n, s)).collect();
        Ok(branches?.join("\n    union all\n"))
    };
    let ranked = each(&|n, source| rank(n, source, &distance, by_date))?;
    let fetched = each(&fetch)?;
    Ok(format!(
        "with best as materialized (
    select r.source, r.id, r.rank from (
{ranked}
    ) r
    order by r.rank, r.source, r.id
    limit $3
)
select h.entity_type, h.id, h.title, h.content, 0::float8 - h.rank, h.created_at, h.metadata
from (
{fetched}
) h
order by h.rank, h.source, h.id"
    ))
}

/// The tenant's best rows of one source: key and rank, nothing that is wide.
fn rank(n: usize, source: &Source, distance: &str, by_date: bool) -> Result<String, Error> {
    let [key, tenant, vector, created_at] = [
        Ident::new(&source.key)?,
        Ident::new(&source.tenant)?,
        Ident::new(&source.vector)?,
        Ident::new(&source.created_at)?,
    ];
    let date = match by_date {
        true => format!(" and t.{created_at} >= pg_catalog.now() - pg_catalog.make_interval(days => $4)"),
        false => String::new(),
    };
    let relation = relation(source)?;
    Ok(format!(
        "    (select {n} as source, t.{key} as id, (t.{vector} {distance} $1) - 1::float8 as rank
     from {relation} t
     where t.{tenant} = $2 and t.{vector} is not null{date}
     order by 3, 2
     limit $3)"
    ))
}

/// The wide columns of the winners of one source. `limit 1` keeps it a look-up by key, whatever the planner guesses.
fn fetch(n: usize, source: &Source) -> Result<String, Error> {
    let entity_type = literal(&source.entity_type);
    let (key, created_at, relation) =
        (Ident::new(&source.key)?, Ident::new(&source.created_at)?, relation(source)?);
    let title = match &source.title {
        Some(title) => format!("t.{}::text", Ident::new(title)?),
        None => "null::text".to_owned(),
    };
    let (content, metadata) = (content(&source.content)?, metadata(&source.metadata)?);
    Ok(format!(
        "    select b.source, b.rank, {entity_type}::text as entity_type, b.id, f.title, f.content, f.created_at, f.metadata
    from best b cross join lateral (
        select {title} as title, {content} as content, t.{created_at}::timestamptz as created_at, {metadata} as metadata
        from {relation} t where t.{key} = b.id limit 1
    ) f
    where b.source = {n}"
    ))
}

fn relation(source: &Source) -> Result<String, Error> {
    Ok(format!("{}.{}", Ident::new(&source.relation.0)?, Ident::new(&source.relation.1)?))
}

/// The content columns, a line each; null where none has text.
fn content(columns: &[String]) -> Result<String, Error> {
    if columns.is_empty() {
        return Ok("null::text".to_owned());
    }
    let lines: Result<Vec<String>, Error> =
        columns.iter().map(|c| Ok(format!("nullif(t.{}::text, '')", Ident::new(c)?))).collect();
    Ok(format!("nullif(pg_catalog.concat_ws(E'\\n', {}), '')", lines?.join(", ")))
}

/// An object with a key for each metadata column. A function takes 100 arguments at most: 50 keys a call.
fn metadata(columns: &[String]) -> Result<String, Error> {
    let pairs: Result<Vec<String>, Error> =
        columns.iter().map(|c| Ok(format!("{}, t.{}", literal(c), Ident::new(c)?))).collect();
    let pairs = pairs?;
    let objects: Vec<String> =
        pairs.chunks(50).map(|part| format!("pg_catalog.jsonb_build_object({})", part.join(", "))).collect();
    Ok(if objects.is_empty() { "'{}'::jsonb".to_owned() } else { objects.join(" || ") })
}

#[cfg(test)]
mod tests;
