//! Search: who may ask for whose rows, and the one statement that answers over all sources.
//!
//! Exact by construction. The distance is ordered by as part of an expression, which no vector index can serve, so that
//! no selectivity guess can leave rows out; each source ranks the tenant's rows by themselves, and title, content and
//! metadata are fetched for the winners only. The one exception is made by whoever creates an index for a large tenant alone.

use crate::error::{Error, Kind};

mod diversity;
mod hybrid;
mod nearest;
mod request;
mod rrf;
mod shape;
mod statement;
pub use diversity::{Candidate, Picker};
pub use nearest::{Nearest, Place};
pub use request::{Id, Name, Near, Options, Request, measurable, tenant};
pub use shape::Ids;
use statement::Search;
pub use statement::{ByIndex, EF_SEARCH, MOST_EF_SEARCH, by_index_reason};

/// A registered source, as the caller sees it. Names are bare, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What its rows are called in the answer.
    pub entity_type: String,
    /// Schema and name of the table.
    pub relation: (String, String),
    /// The column that names a row.
    pub key: String,
    /// Its type.
    pub key_type: KeyType,
    /// The column that says whose row it is.
    pub tenant: String,
    /// Its type.
    pub tenant_type: KeyType,
    /// The column that says in which organisation it is, and its type.
    pub organisation: Option<(String, KeyType)>,
    /// The table of its embeddings; none: they stand in the row.
    pub vectors: Option<Vectors>,
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
    /// How its words are found; none: it is searched by embedding alone.
    pub words: Option<Words>,
    /// The column of the embedding.
    pub vector: String,
    /// The table that keeps the embeddings; none: the source's own.
    pub store: Option<Store>,
    /// The model of its embeddings.
    pub model: String,
    /// What the model answers with.
    pub dimensions: usize,
    /// Whether the caller can read it.
    pub access: Access,
    /// Whether row level security decides what the caller finds there.
    pub row_security: bool,
}

/// A narrow table of the schema `strata_vectors`: tenant, entity_type, entity_id, embedding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Its name.
    pub name: String,
    /// Whether it keeps numbers of two bytes.
    pub half: bool,
    /// Whether a row of the source may have several vectors: it is as near as the nearest of them.
    pub chunked: bool,
    /// Tenants that have an index of their own: HNSW over their vectors alone.
    pub indexed: Vec<Id>,
}

/// The column that tells a row that nobody is to find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hidden {
    /// A boolean: hidden where it is true.
    Flag(String),
    /// A date or a time: hidden where it is set.
    Since(String),
}

/// The type of a column that names a row, a tenant or an organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// uuid
    Uuid,
    /// int2, int4, int8
    Number,
    /// text, varchar
    Text,
}

impl KeyType {
    /// As an error names it.
    fn shown(self) -> &'static str {
        match self {
            KeyType::Uuid => "uuid",
            KeyType::Number => "bigint",
            KeyType::Text => "text",
        }
    }

    /// Whether some value of the type can be written so.
    fn holds(self, name: &str) -> bool {
        match self {
            KeyType::Uuid => request::id(name).is_some(),
            KeyType::Number => name.trim().parse::<i64>().is_ok(),
            KeyType::Text => true,
        }
    }
}

/// A table of embeddings. Names are bare, unquoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// Schema and name.
    pub relation: (String, String),
    /// The column that names the row.
    pub key: String,
    /// The column that holds the entity type, where the table serves several.
    pub entity_type: Option<String>,
}

/// How the words of a source are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// The text search configuration, quoted and with its schema.
    pub name: String,
    /// Its number, which changes where it is dropped and created again; none: it is gone.
    pub config: Option<String>,
    /// A column that holds the words as a tsvector; none: they are made of title and content.
    pub column: Option<String>,
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
    /// The table of its embeddings is gone: one of ours.
    NoStore,
    /// The same: one of the application's.
    NoVectors,
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
    /// No unique index is on the key any more: a row would be found several times.
    ManyRows,
    /// The same of the table of its embeddings.
    ManyVectors,
}

/// A parameter of a statement, in the order of their places.
#[derive(Clone, Debug, PartialEq)]
pub enum Argument {
    /// vector: query_embedding.
    Embedding,
    /// uuid, or text where ids are texts: whose rows.
    Tenant,
    /// text: in which organisation.
    Organisation,
    /// int8: rows at most.
    Rows(i64),
    /// int8: how many of the nearest vectors of a store are looked at.
    Candidates(i64),
    /// int4: how old a row may be, in days.
    Days(i32),
    /// float8: the least similarity.
    Minimum(f64),
    /// jsonb: metadata_filter.
    Metadata,
    /// float8[]: the weight of each source.
    Weights(Vec<f64>),
    /// uuid, or text where ids are texts: the row that the search begins at.
    Row,
    /// text: query_text.
    Text,
    /// float8: text_weight.
    TextWeight(f64),
    /// uuid[], int8[] or text[]: the keys of the rows of one source that are fetched; null: none.
    Keys,
}

/// A search that is right to run.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The statement, the same text for the same sources and kinds of arguments. Columns: entity_type, entity_id, title,
    /// content, similarity, created_at, metadata; where the answer is `diverse`, those of its candidates: source int4,
    /// id uuid, rank float8, relevance float8, vector float4[].
    pub sql: String,
    /// Its parameters.
    pub arguments: Vec<Argument>,
    /// Whether the tenant must be the caller.
    pub row_security: bool,
    /// The one model of the sources that are searched.
    pub model: String,
    /// What is left to do where the answer is to be diverse.
    pub diverse: Option<Diverse>,
    /// What is left to do where the answer is short.
    pub deeper: Option<Deeper>,
    /// How the door does the same with less; none where `sql` is the way.
    pub ranked: Option<Ranked>,
    /// Why it does not.
    pub unranked: Option<String>,
}

/// The columns of a store's table. A scan that asks for all of them in their order hands its rows over where they lie in
/// their page; one that leaves a column out makes new ones, and the reader cannot ask for the next vector early.
pub const STORE_COLUMNS: [&str; 6] =
    ["tenant", "entity_type", "entity_id", "chunk", "embedding", "entity_key"];

/// A search of a store in steps: the door reads the vectors of the tenant and keeps the nearest, then fetches their rows.
/// A statement compares and sorts each vector by calls; where most of them are thrown away that is most of the time.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The vectors: $1 tenant, uuid or text. Columns: [`STORE_COLUMNS`].
    pub vectors: String,
    /// The keys of rows whose keys are no uuids: $1 uuid[], what the store calls them. Columns: that uuid, the key text. None
    /// where all keys are uuids.
    pub named: Option<String>,
    /// The sources, in the order in which equally similar rows are returned.
    pub sources: Vec<Fetch>,
    /// Fetches rows of all sources at once, in no order, to be run where it goes by indexes on their keys. Columns: the number
    /// of the source int4, what the store calls the row uuid, title, content, created_at, metadata, key text: null where that is
    /// the uuid.
    pub together: String,
    /// The parameters of it and of those of the sources: the keys of each source first.
    pub arguments: Vec<Argument>,
    /// Rows wanted.
    pub rows: usize,
    /// How many of the nearest vectors are kept.
    pub candidates: usize,
    /// The least similarity.
    pub minimum: Option<f64>,
    /// The weight of each source; none where all weigh the same.
    pub weights: Option<Vec<f64>>,
    /// Whether a row may have several vectors: it is as near as the nearest of them.
    pub chunked: bool,
    /// What is read first, where the tenant has an index of their own.
    pub by_index: Option<ByIndex>,
}

/// A source whose rows are fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetch {
    /// What its rows are called.
    pub entity_type: String,
    /// The type of its keys, and of the array of them that is bound.
    pub key_type: KeyType,
    /// Fetches rows one after the other, each by its key whatever the planner guesses. Columns as of `together`.
    pub singly: String,
}

/// Only so many of the nearest vectors of a store were looked at. Rows that may not be seen are among them: where fewer
/// rows came back than were wanted, and there are more vectors, all of them are looked at.
#[derive(Clone, Debug, PartialEq)]
pub struct Deeper {
    /// Rows wanted.
    pub rows: i64,
    /// Vectors looked at.
    pub candidates: i64,
    /// Whether the tenant has as many vectors: $1 tenant, uuid or text, $2 int8 candidates. Column: bool.
    pub more: String,
}

/// Candidates are picked from by a [`Picker`]; what it picks is fetched.
#[derive(Clone, Debug, PartialEq)]
pub struct Diverse {
    /// From above 0 to 1.
    pub diversity: f64,
    /// Rows wanted, 1 to 1000.
    pub rows: i64,
    /// Fetches what was picked: $1 int4[] sources, $2 uuid[] or text[] keys, $3 float8[] ranks. Columns as of a plain
    /// answer.
    pub fetch: String,
}

/// Rows that each way of a search by words and by embedding brings, for so many rows wanted.
pub fn leg(wanted: Option<i32>) -> i64 {
    candidates(wanted.unwrap_or(0).into())
}

/// Candidates for a diverse answer of so many rows. Four for each row give something to choose from; a thousand vectors
/// are compared in a moment, more are not.
const fn candidates(rows: i64) -> i64 {
    if rows < 25 {
        100
    } else if rows > 250 {
        1000
    } else {
        4 * rows
    }
}

/// Checks a request against the sources and plans it. `vector_schema` is the schema pgvector lives in.
/// Fails with 22004, 22023, 22000, 42501, 42703, 42704, 42804, 42P01, 55000.
pub fn plan(request: &Request<'_>, sources: &[Source], vector_schema: &str) -> Result<Plan, Error> {
    let mut plan = part(request, sources, vector_schema)?;
    if let Some(ranked) = plan.ranked.as_mut().filter(|_| statement::leaves_out(request, sources)) {
        ranked.by_index = None;
    }
    Ok(plan)
}

/// The same for some sources as a part of a search of more: the tenant's own index is used where that search uses it.
pub fn part(request: &Request<'_>, sources: &[Source], vector_schema: &str) -> Result<Plan, Error> {
    request.check()?;
    let (rows, days) = (request.rows()?, request.days()?);
    request.known(sources)?;
    let chosen = readable(request, sources)?;
    one_model(&chosen)?;
    for source in &chosen {
        request.fits(source)?;
    }
    let diversity = request.options.diversity.filter(|d| *d > 0.0);
    let search = Search {
        sources: &chosen,
        vector_schema,
        near: match request.near {
            Near::Embedding(_) => statement::Near::Embedding,
            Near::Row(entity_type) => {
                statement::Near::Row(request::known("input_entity_type", entity_type, sources)?)
            }
        },
        rows: if diversity.is_some() { candidates(rows) } else { rows },
        days,
        minimum: request.options.minimum,
        by_metadata: request.options.metadata_is_object.is_some(),
        weights: request.weights(&chosen, sources)?,
        text: request.text(&chosen)?,
        ids: request.options.ids,
        by_organisation: request.options.organisation.is_some(),
    };
    let (sql, arguments) = if diversity.is_some() { search.candidates()? } else { search.rows()? };
    let fetch = || statement::by_key(&chosen, request.options.ids);
    let diverse = diversity.map(|diversity| Ok(Diverse { diversity, rows, fetch: fetch()? }));
    Ok(Plan {
        sql,
        arguments,
        row_security: chosen.iter().any(|s| s.row_security),
        model: chosen[0].model.clone(),
        diverse: diverse.transpose()?,
        deeper: search.deeper()?,
        ranked: if diversity.is_none() { search.ranked()? } else { None },
        unranked: diversity.map(|_| "the answer is to be diverse".to_owned()).or_else(|| search.unranked()),
    })
}

/// The row that a search begins at: what to ask about it. $1 its key, uuid or text. Columns: its tenant, uuid or text, the
/// length of its embedding float8, and the embedding float4[]. Fails with 42501, 42703, 42704, 42804, 42P01, 55000; with 22P02 where no key of the
/// source is called `row`, which is given where keys are named by text.
pub fn begin<'s>(
    (entity_type, row): (&str, Option<&str>),
    sources: &'s [Source],
    vector_schema: &str,
) -> Result<(&'s Source, String), Error> {
    let source = request::known("input_entity_type", entity_type, sources)?;
    if let Some(broken) = broken(source) {
        return Err(broken);
    }
    if source.access == Access::Denied {
        return Err(denied(source));
    }
    let ids = if row.is_some() { Ids::Text } else { Ids::Uuid };
    if !ids.fit(source) {
        return Err(unfit(source).hint("strata.find_similar begins at its rows: it names them by text"));
    }
    if let Some(row) = row.filter(|row| !source.key_type.holds(row)) {
        return Err(request::misnamed("input_entity_id", row, source, source.key_type));
    }
    Ok((source, statement::begin(source, ids, vector_schema)?))
}

/// Whether a search can begin at that row: the tenant and the length of the embedding as [`begin`]'s statement answers.
/// Fails with 42704, 55000, 22000.
pub fn can_begin<N: Name>(entity_type: &str, id: &N, row: Option<(N, Option<f64>)>) -> Result<N, Error> {
    let id = id.shown();
    match row {
        None => Err(Error::new(Kind::NotFound, format!("{entity_type} {id} does not exist"))
            .hint("or the caller may not see it")),
        Some((_, None)) => Err(Error::new(Kind::NotFound, format!("{entity_type} {id} has no embedding"))
            .with_sqlstate("55000")
            .hint("run `strata embed`")),
        Some((_, Some(norm))) if !norm.is_finite() || norm == 0.0 => {
            Err(request::no_direction(&format!("the embedding of {entity_type} {id}")))
        }
        Some((tenant, Some(_))) => Ok(tenant),
    }
}

/// How many rows of a tenant have the words of a text in this source; none where it is searched by embedding alone.
/// $1 tenant, uuid or text, $2 text. Column: int8.
pub fn worded(source: &Source, ids: Ids, text: &str) -> Result<Option<String>, Error> {
    hybrid::worded(source, ids, text)
}

/// Why and how the words of a source are looked up, or are not. `index`: one on its words.
pub fn words_reason(source: &Source, index: Option<&str>) -> String {
    match (&source.words, index) {
        (None, _) => "it has no text_search_config: call strata.set_text_search".to_owned(),
        (Some(_), Some(index)) => format!("index {index} leads to the rows that have the words"),
        (Some(words), None) if source.row_security => format!(
            "row level security comes before an index on words, so those of every row of the tenant are read{}",
            match words.column {
                Some(_) => "",
                None => " and made anew: keep them in a tsvector column",
            }
        ),
        (Some(_), None) => format!(
            "no index on its words, so those of every row of the tenant are read: strata.text_index_statement('{}') \
             is the statement that creates one",
            source.entity_type
        ),
    }
}

/// How many rows an exact search of a tenant compares in this source. $1 tenant, uuid or text. Column: int8.
pub fn compared(source: &Source, ids: Ids) -> Result<String, Error> {
    statement::compared(source, ids)
}

/// Why a search leaves a source out; none: it takes part.
pub fn left_out(request: &Request<'_>, source: &Source) -> Option<String> {
    if !request.wants(source) {
        return Some("it is not in entity_types".to_owned());
    }
    if !request.options.ids.fit(source) {
        return Some("its keys or tenants are no uuids: call strata.search".to_owned());
    }
    match request.misfit(source) {
        Some((_, misfit)) => Some(misfit.message().to_owned()),
        None => (source.access != Access::Readable).then(|| "the caller may not read it".to_owned()),
    }
}

/// Which way a source is searched exactly, and why. `index`: one that leads to the tenant's rows; `unranked`: of the plan.
pub fn reason(source: &Source, index: Option<&str>, unranked: Option<&str>) -> String {
    if let Some(store) = &source.store {
        let vectors = format!("every vector of the tenant in strata_vectors.{}", store.name);
        return match unranked {
            None => format!("{vectors} is ranked as it is read"),
            Some(why) => format!("{vectors} is compared by a statement: {why}"),
        };
    }
    let (schema, name) = &source.relation;
    match index {
        Some(index) => format!("every row of the tenant is compared; index {index} leads to them"),
        None => format!(
            "every row of the tenant is compared; no index begins with {}, so all of {schema}.{name} is read: create one",
            source.tenant
        ),
    }
}

/// The sources that take part; an error where one of them is broken, one that was named may not be read, or none is left.
fn readable<'s>(request: &Request<'_>, sources: &'s [Source]) -> Result<Vec<&'s Source>, Error> {
    if sources.is_empty() {
        return Err(Error::new(Kind::NotFound, "no source is registered for search")
            .with_sqlstate("55000")
            .hint("register a table with strata.add_source"));
    }
    let wanted = fitting(request, sources)?;
    if let Some(broken) = wanted.iter().find_map(|s| broken(s)) {
        return Err(broken);
    }
    let readable: Vec<&Source> = wanted.iter().copied().filter(|s| s.access == Access::Readable).collect();
    match wanted.iter().find(|s| s.access == Access::Denied) {
        Some(source) if request.options.entity_types.is_some() => Err(denied(source)),
        _ if readable.is_empty() => {
            let names: Vec<&str> = wanted.iter().map(|s| s.entity_type.as_str()).collect();
            Err(Error::new(Kind::Forbidden, "permission denied for every source")
                .detail(format!("sources: {}", names.join(", ")))
                .hint("grant select on the tables behind them"))
        }
        _ => Ok(readable),
    }
}

/// The sources that were asked for and can be named and narrowed so; an error where one that was named cannot, or none can.
fn fitting<'s>(request: &Request<'_>, sources: &'s [Source]) -> Result<Vec<&'s Source>, Error> {
    let wanted = || sources.iter().filter(|s| request.wants(s));
    // What stands in the way of the source that comes nearest to being searched says most.
    let misfit = wanted().filter_map(|s| request.misfit(s)).rev().max_by_key(|(step, _)| *step);
    let fitting: Vec<&Source> = wanted().filter(|s| request.misfit(s).is_none()).collect();
    match misfit {
        Some((_, misfit)) if request.options.entity_types.is_some() || fitting.is_empty() => Err(misfit),
        _ => Ok(fitting),
    }
}

/// A source whose rows cannot be named as this search names them.
fn unfit(source: &Source) -> Error {
    let (key, tenant) = (source.key_type.shown(), source.tenant_type.shown());
    let what =
        format!("source \"{}\" has keys of type {key} and tenants of type {tenant}", source.entity_type);
    Error::new(Kind::NotFound, what)
        .with_sqlstate("55000")
        .hint("strata.search finds its rows: it names them by text")
}

fn denied(source: &Source) -> Error {
    let (schema, name) = &source.relation;
    Error::new(Kind::Forbidden, format!("permission denied for source \"{}\"", source.entity_type))
        .hint(format!("grant select on {schema}.{name}"))
}

fn broken(source: &Source) -> Option<Error> {
    let (schema, name) = &source.relation;
    let beside = || source.vectors.as_ref().map_or((schema, name), |v| (&v.relation.0, &v.relation.1));
    let (fault, sqlstate) = match &source.access {
        Access::NoTable => (format!("table {schema}.{name} does not exist"), "42P01"),
        Access::NoStore => ("the table of its vectors does not exist".to_owned(), "42P01"),
        Access::NoVectors => {
            let (schema, name) = beside();
            (format!("the table {schema}.{name} of its embeddings does not exist"), "42P01")
        }
        Access::NoColumn(column) => {
            (format!("column \"{column}\" of {schema}.{name} does not exist"), "42703")
        }
        Access::Misfit { column, is, should } => {
            (format!("column \"{column}\" of {schema}.{name} is of type {is}, not {should}"), "42804")
        }
        Access::ManyRows => (format!("column \"{}\" of {schema}.{name} is not unique", source.key), "42P10"),
        Access::ManyVectors => {
            let (beside_schema, beside) = beside();
            (
                format!("a row of {schema}.{name} can have several embeddings in {beside_schema}.{beside}"),
                "42P10",
            )
        }
        Access::Readable | Access::Denied => return None,
    };
    let hint = match source.access {
        Access::ManyRows | Access::ManyVectors => {
            "create the unique index again, or call strata.drop_source: a row would be found several times"
        }
        _ => "call strata.drop_source, then strata.add_source as the table is now",
    };
    Some(
        Error::new(Kind::NotFound, format!("source \"{}\": {fault}", source.entity_type))
            .with_sqlstate(sqlstate)
            .hint(hint),
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
