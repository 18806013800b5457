//! Search: who may ask for whose rows, and the one statement that answers over all sources.
//!
//! Exact by construction. The distance is ordered by as part of an expression, which no vector index can serve, so that
//! no selectivity guess can leave rows out; each source ranks the tenant's rows by themselves, and title, content and
//! metadata are fetched for the winners only.

use crate::error::{Error, Kind};

mod request;
mod statement;
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
    /// Columns whose values are json, or made of others: not all of those fit into a jsonb.
    pub json: Vec<String>,
    /// What keeps a row out of every answer.
    pub hidden: Option<Hidden>,
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

/// The column that tells a row that nobody is to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// A boolean: hidden where it is true.
    Flag(String),
    /// A date or a time: hidden where it is set.
    Since(String),
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
    /// A column has another type by now.
    Misfit {
        /// The column.
        column: String,
        /// Its type.
        is: String,
        /// The type that its role asks for.
        should: String,
    },
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
        sql: statement::search(&readable, vector_schema, days.is_some())?,
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
    let (fault, sqlstate) = match &source.access {
        Access::NoTable => (format!("table {schema}.{name} does not exist"), "42P01"),
        Access::NoColumn(column) => {
            (format!("column \"{column}\" of {schema}.{name} does not exist"), "42703")
        }
        Access::Misfit { column, is, should } => {
            (format!("column \"{column}\" of {schema}.{name} is of type {is}, not {should}"), "42804")
        }
        Access::Readable | Access::Denied => return None,
    };
    Some(
        Error::new(Kind::NotFound, format!("source \"{}\": {fault}", source.entity_type))
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

#[cfg(test)]
mod tests;
