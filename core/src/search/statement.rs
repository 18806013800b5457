//! The statements that answer a search over all sources.
//!
//! They run with the caller's search_path, because the policies of the tables do: a path of ours would hide from them
//! what they look up. So every function, operator and type is written with its schema, and no path can put another in
//! its place. `nullif`, `in`, `between` and the like are not used: they look up their operator by its bare name.

use super::request::Text;
use super::rrf::TO_RELEVANCE;
use super::shape::{self, Ids};
use super::{Argument, Hidden, Source};
use crate::error::Error;
use crate::ident::{Ident, literal};

mod by_index;
mod direct;
mod ranked;
mod store;
pub(super) use by_index::leaves_out;
pub use by_index::{ByIndex, EF_SEARCH, MOST_EF_SEARCH, by_index_reason};

/// What a statement is made of.
pub(super) struct Search<'a> {
    pub sources: &'a [&'a Source],
    pub vector_schema: &'a str,
    pub near: Near<'a>,
    /// Rows, and where they are reordered afterwards, candidates.
    pub rows: i64,
    pub days: Option<i32>,
    pub minimum: Option<f64>,
    pub by_metadata: bool,
    pub weights: Option<Vec<f64>>,
    pub text: Option<Text>,
    pub ids: Ids,
    pub by_organisation: bool,
}

/// What the rows are to be near to.
pub(super) enum Near<'a> {
    Embedding,
    Row(&'a Source),
}

/// The parameters so far. A statement names each by the place it was given.
pub(super) struct Parameters(Vec<Argument>);

impl Parameters {
    pub fn place(&mut self, argument: Argument) -> String {
        self.0.push(argument);
        format!("${}", self.0.len())
    }
}

impl Parts {
    /// What the rows `r` of all sources are ordered by.
    fn score(&self) -> String {
        match &self.weights {
            None => "r.rank".to_owned(),
            Some(place) => format!(
                "({place})[r.source operator(pg_catalog.+) 1] operator(pg_catalog.*) (r.rank operator(pg_catalog.-) 1::pg_catalog.float8)"
            ),
        }
    }
}

/// What the legs of a search share: expressions and places.
pub(super) struct Parts {
    /// From a vector to the question, without its left side.
    pub distance: String,
    /// The same for a store.
    pub from_store: String,
    pub tenant: String,
    pub rows: String,
    /// The condition on the rank of `r`.
    pub minimum: Option<String>,
    pub weights: Option<String>,
    /// Further conditions on `t`, for each source.
    pub also: Vec<String>,
}

impl Search<'_> {
    /// The rows themselves: entity_type, entity_id, title, content, similarity, created_at, metadata.
    pub fn rows(&self) -> Result<(String, Vec<Argument>), Error> {
        if self.is_direct() {
            return self.direct();
        }
        let (best, arguments) = self.best()?;
        Ok((format!("{best}\n{}", fetched(self.sources, self.ids)?), arguments))
    }

    /// Candidates with their embeddings: source int4, id uuid, rank float8, relevance float8, vector float4[]; best first.
    pub fn candidates(&self) -> Result<(String, Vec<Argument>), Error> {
        let (best, arguments) = self.best()?;
        let relevance = self.relevance();
        let vectors = each(self.sources, |n, source| {
            let key = self.ids.typed(source.key_type, "b.id");
            Ok(format!(
                "    select b.source, b.id, b.rank, b.score, {relevance} as relevance, f.vector from best b cross join lateral (
        select {}::pg_catalog.float4[] as vector
    ) f
    where b.source operator(pg_catalog.=) {n}",
                shape::vector_of(source, &key, self.vector_schema)?
            ))
        })?;
        let sql = format!(
            "{best}\nselect h.source, h.id, h.rank, h.relevance, h.vector\nfrom (\n{vectors}\n) h\norder by h.score, h.rank, h.source, h.id"
        );
        Ok((sql, arguments))
    }

    /// Key and rank of the best rows of all sources: `best`.
    fn best(&self) -> Result<(String, Vec<Argument>), Error> {
        let mut parameters = Parameters(Vec::new());
        let parts = self.parts(&mut parameters)?;
        let best = match &self.text {
            None => self.nearest("best", &parts.rows, &parts)?,
            Some(text) => self.hybrid(text, &parts, &mut parameters)?,
        };
        Ok((format!("with {best}"), parameters.0))
    }

    fn parts(&self, parameters: &mut Parameters) -> Result<Parts, Error> {
        let query = self.query(parameters)?;
        let tenant = parameters.place(Argument::Tenant);
        let rows = parameters.place(Argument::Rows(self.rows));
        let also = self.conditions(parameters);
        let minimum = self.minimum.map(|minimum| {
            let place = parameters.place(Argument::Minimum(minimum));
            format!("r.rank operator(pg_catalog.<=) (0::pg_catalog.float8 operator(pg_catalog.-) {place})")
        });
        let weights =
            self.weights.as_ref().map(|weights| parameters.place(Argument::Weights(weights.clone())));
        let also: Result<Vec<String>, Error> = self.sources.iter().map(|source| also(source)).collect();
        Ok(Parts {
            distance: format!("operator({}.<=>) {query}", Ident::new(self.vector_schema)?),
            from_store: self.distance_in_store(&query)?,
            tenant,
            rows,
            minimum,
            weights,
            also: also?,
        })
    }

    /// The rows that are nearest by their embedding, of all sources: source, id, rank, score. Similarity is ordered by as
    /// `distance - 1`: ascending, so that the distance of a stored zero vector, which is no number, comes last; and ties
    /// are ties of the similarity that the caller sees.
    pub fn nearest(&self, name: &str, limit: &str, parts: &Parts) -> Result<String, Error> {
        let score = parts.score();
        let minimum = parts.minimum.as_ref().map(|minimum| format!("    where {minimum}\n"));
        let ranked = each(self.sources, |n, source| self.rank(n, source, limit, parts))?;
        Ok(format!(
            "{name} as materialized (
    select r.source, r.id, r.rank, {score} as score from (
{ranked}
    ) r
{}    order by 4, r.source, r.id
    limit {limit}
)",
            minimum.unwrap_or_default()
        ))
    }

    /// The tenant's best rows of one source: key and rank, nothing that is wide.
    fn rank(&self, n: usize, source: &Source, limit: &str, parts: &Parts) -> Result<String, Error> {
        if let Some(store) = &source.store {
            return self.rank_in_store(n, source, store, limit, parts);
        }
        let (key, whose) = (self.ids.key(source)?, self.ids.of_tenant(source, &parts.tenant)?);
        let (rows, vector) = (shape::rows(source, "join")?, shape::own_vector(source)?);
        let (distance, also) = (&parts.distance, &parts.also[n]);
        Ok(format!(
            "    (select {n} as source, {key} as id,
            ({vector} {distance}) operator(pg_catalog.-) 1::pg_catalog.float8 as rank
     from {rows}
     where {whose} and {vector} is not null{also}
     order by 3, 2
     limit {limit})"
        ))
    }

    /// How well a row of `best` answers, from 0 to 1, times the weight of its source.
    fn relevance(&self) -> String {
        let minus = "(0::pg_catalog.float8 operator(pg_catalog.-) b.score) operator(pg_catalog.*)";
        match (&self.text, &self.weights) {
            (Some(_), _) => format!("{minus} {}::pg_catalog.float8", TO_RELEVANCE),
            (None, Some(_)) => format!("{minus} 0.5::pg_catalog.float8"),
            (None, None) => {
                "(1::pg_catalog.float8 operator(pg_catalog.-) b.score) operator(pg_catalog./) 2::pg_catalog.float8"
                    .to_owned()
            }
        }
    }

    /// The vector to measure from, as an expression that is evaluated once.
    fn query(&self, parameters: &mut Parameters) -> Result<String, Error> {
        Ok(match &self.near {
            Near::Embedding => parameters.place(Argument::Embedding),
            Near::Row(source) => {
                let key = self.ids.typed(source.key_type, &parameters.place(Argument::Row));
                shape::vector_of(source, &key, self.vector_schema)?
            }
        })
    }

    /// What keeps further rows of the tenant out of each source: hidden ones; those that are older than so many days;
    /// those whose metadata lack what is asked for; the row that the search begins at.
    fn conditions(&self, parameters: &mut Parameters) -> impl Fn(&Source) -> Result<String, Error> + use<> {
        let days = self.days.map(|days| parameters.place(Argument::Days(days)));
        let filter = self.by_metadata.then(|| parameters.place(Argument::Metadata));
        let organisation = self.by_organisation.then(|| parameters.place(Argument::Organisation));
        let begin = match &self.near {
            Near::Row(source) => Some((source.entity_type.clone(), parameters.place(Argument::Row))),
            Near::Embedding => None,
        };
        let ids = self.ids;
        move |source| {
            let mut conditions = visible(source)?;
            if let Some(days) = &days {
                conditions.push_str(&format!(
                    " and t.{} operator(pg_catalog.>=) (pg_catalog.now() operator(pg_catalog.-) pg_catalog.make_interval(days => {days}))",
                    Ident::new(&source.created_at)?
                ));
            }
            if let Some(organisation) = &organisation {
                conditions.push_str(&format!(" and {}", shape::of_organisation(source, organisation)?));
            }
            if let Some(filter) = &filter {
                let metadata = metadata(source)?;
                conditions.push_str(&format!(" and ({metadata}) operator(pg_catalog.@>) {filter}"));
            }
            if let Some((_, id)) = begin.as_ref().filter(|(own, _)| *own == source.entity_type) {
                conditions.push_str(&format!(" and not ({})", ids.is(source, id)?));
            }
            Ok(conditions)
        }
    }
}

/// The statement that fetches rows whose keys are known, in their order. $1 int4[] numbers of sources, $2 uuid[] keys,
/// $3 float8[] ranks; keys are text[] where they are named so. Columns as those of [`Search::rows`].
pub(super) fn by_key(sources: &[&Source], ids: Ids) -> Result<String, Error> {
    Ok(format!(
        "with best as materialized (
    select u.source, u.id, u.rank, u.n::pg_catalog.float8 as score
    from rows from (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) with ordinality u(source, id, rank, n)
)
{}",
        fetched(sources, ids)?
    ))
}

/// What stands about a row that a search begins at. $1 its key. Columns: its tenant, the length of its embedding float8 and the
/// embedding float4[], null where it has none. No row: it does not exist, or the caller may not see it.
pub(super) fn begin(source: &Source, ids: Ids, vector_schema: &str) -> Result<String, Error> {
    // From the type of the tenant by way of text: a column of texts can hold uuids.
    Ok(format!(
        "select t.{}::pg_catalog.text::{}, {}.vector_norm(v.vector), v.vector::pg_catalog.float4[]
from {} t left join lateral (select {} as vector offset 0) v on true where {}{} limit 1",
        Ident::new(&source.tenant)?,
        ids.name(),
        Ident::new(vector_schema)?,
        shape::relation(source)?,
        shape::vector_of(source, &ids.typed(source.key_type, "$1"), vector_schema)?,
        ids.is(source, "$1")?,
        visible(source)?
    ))
}

/// How many rows an exact search of one tenant compares. $1 tenant. Column: int8.
pub(super) fn compared(source: &Source, ids: Ids) -> Result<String, Error> {
    if let Some(store) = &source.store {
        return store::compared(source, store, ids);
    }
    Ok(format!(
        "select pg_catalog.count(*) from {} where {} and {} is not null{}",
        shape::rows(source, "join")?,
        ids.of_tenant(source, "$1")?,
        shape::own_vector(source)?,
        visible(source)?
    ))
}

/// The wide columns of what is in `best`.
fn fetched(sources: &[&Source], ids: Ids) -> Result<String, Error> {
    Ok(format!(
        "select h.entity_type, h.id, h.title, h.content, 0::pg_catalog.float8 operator(pg_catalog.-) h.rank, h.created_at, h.metadata
from (
{}
) h
order by h.score, h.rank, h.source, h.id",
        each(sources, |n, source| fetch(n, source, ids))?
    ))
}

/// A branch for each source.
pub(super) fn each(
    sources: &[&Source],
    branch: impl Fn(usize, &Source) -> Result<String, Error>,
) -> Result<String, Error> {
    let branches: Result<Vec<String>, Error> =
        sources.iter().enumerate().map(|(n, source)| branch(n, source)).collect();
    Ok(branches?.join("\n    union all\n"))
}

/// Keeps hidden rows out.
pub(super) fn visible(source: &Source) -> Result<String, Error> {
    Ok(match &source.hidden {
        None => String::new(),
        Some(Hidden::Flag(column)) => format!(" and t.{} is not true", Ident::new(column)?),
        Some(Hidden::Since(column)) => format!(" and t.{} is null", Ident::new(column)?),
    })
}

/// The wide columns of the winners of one source. `limit 1` keeps it a look-up by key, whatever the planner guesses.
fn fetch(n: usize, source: &Source, ids: Ids) -> Result<String, Error> {
    let entity_type = literal(&source.entity_type);
    let (is, created_at, relation) =
        (ids.is(source, "b.id")?, Ident::new(&source.created_at)?, shape::relation(source)?);
    let (title, content, metadata) = (title(source)?, content(&source.content)?, metadata(source)?);
    Ok(format!(
        "    select b.source, b.rank, b.score, {entity_type}::pg_catalog.text as entity_type, b.id, f.title, f.content, f.created_at, f.metadata
    from best b cross join lateral (
        select {title} as title, {content} as content, t.{created_at}::pg_catalog.timestamptz as created_at, {metadata} as metadata
        from {relation} t where {is} limit 1
    ) f
    where b.source operator(pg_catalog.=) {n}"
    ))
}

fn title(source: &Source) -> Result<String, Error> {
    Ok(match &source.title {
        Some(title) => format!("t.{}::pg_catalog.text", Ident::new(title)?),
        None => "null::pg_catalog.text".to_owned(),
    })
}

/// The content columns, a line each; null where none has text.
fn content(columns: &[String]) -> Result<String, Error> {
    match columns {
        [] => return Ok("null::pg_catalog.text".to_owned()),
        [column] => {
            let text = format!("t.{}::pg_catalog.text", Ident::new(column)?);
            return Ok(format!("case when {text} operator(pg_catalog.<>) '' then {text} end"));
        }
        _ => {}
    }
    let texts: Result<Vec<String>, Error> =
        columns.iter().map(|c| Ok(format!("t.{}::pg_catalog.text", Ident::new(c)?))).collect();
    Ok(format!(
        "(select pg_catalog.string_agg(l.line, E'\\n' order by l.n)
         from pg_catalog.unnest(array[{}]) with ordinality l(line, n) where l.line operator(pg_catalog.<>) '')",
        texts?.join(", ")
    ))
}

/// An object with a key for each metadata column. A function takes 100 arguments at most: 50 keys a call.
fn metadata(source: &Source) -> Result<String, Error> {
    let pairs: Result<Vec<String>, Error> = source.metadata.iter().map(|c| pair(source, c)).collect();
    let pairs = pairs?;
    let objects: Vec<String> =
        pairs.chunks(50).map(|part| format!("pg_catalog.jsonb_build_object({})", part.join(", "))).collect();
    Ok(match objects.is_empty() {
        true => "'{}'::pg_catalog.jsonb".to_owned(),
        false => objects.join(" operator(pg_catalog.||) "),
    })
}

fn pair(source: &Source, column: &str) -> Result<String, Error> {
    let value = format!("t.{}", Ident::new(column)?);
    Ok(match source.json.iter().any(|c| c == column) {
        true => format!("{}, strata.as_jsonb(pg_catalog.to_json({value}))", literal(column)),
        false => format!("{}, {value}", literal(column)),
    })
}
