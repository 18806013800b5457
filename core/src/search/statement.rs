//! The one statement that answers a search over all sources.
//!
//! It runs with the caller's search_path, because the policies of the tables do: a path of ours would hide from them
//! what they look up. So every function, operator and type of the statement is written with its schema, and no path can
//! put another in its place. `nullif`, `in`, `between` and the like are not used: they look up their operator by its bare
//! name.

use super::{Hidden, Source};
use crate::error::Error;
use crate::ident::{Ident, literal};

/// The statement over these sources. Similarity is ordered by as `distance - 1`: ascending, so that the distance of a
/// stored zero vector, which is no number, comes last; and ties are ties of the similarity that the caller sees.
pub(super) fn search(sources: &[&Source], vector_schema: &str, by_date: bool) -> Result<String, Error> {
    let distance = format!("operator({}.<=>)", Ident::new(vector_schema)?);
    let ranked = each(sources, |n, source| rank(n, source, &distance, by_date))?;
    let fetched = each(sources, fetch)?;
    Ok(format!(
        "with best as materialized (
    select r.source, r.id, r.rank from (
{ranked}
    ) r
    order by r.rank, r.source, r.id
    limit $3
)
select h.entity_type, h.id, h.title, h.content, 0::pg_catalog.float8 operator(pg_catalog.-) h.rank, h.created_at, h.metadata
from (
{fetched}
) h
order by h.rank, h.source, h.id"
    ))
}

/// A branch for each source.
fn each(
    sources: &[&Source],
    branch: impl Fn(usize, &Source) -> Result<String, Error>,
) -> Result<String, Error> {
    let branches: Result<Vec<String>, Error> =
        sources.iter().enumerate().map(|(n, source)| branch(n, source)).collect();
    Ok(branches?.join("\n    union all\n"))
}

/// The tenant's best rows of one source: key and rank, nothing that is wide.
fn rank(n: usize, source: &Source, distance: &str, by_date: bool) -> Result<String, Error> {
    let [key, tenant, vector] =
        [Ident::new(&source.key)?, Ident::new(&source.tenant)?, Ident::new(&source.vector)?];
    let (relation, visible) = (relation(source)?, visible(source, by_date)?);
    Ok(format!(
        "    (select {n} as source, t.{key}::pg_catalog.uuid as id,
            (t.{vector} {distance} $1) operator(pg_catalog.-) 1::pg_catalog.float8 as rank
     from {relation} t
     where t.{tenant} operator(pg_catalog.=) $2 and t.{vector} is not null{visible}
     order by 3, 2
     limit $3)"
    ))
}

/// What keeps further rows of the tenant out: hidden ones, and where days are counted ($4) those that are older.
fn visible(source: &Source, by_date: bool) -> Result<String, Error> {
    let mut conditions = match &source.hidden {
        None => String::new(),
        Some(Hidden::Flag(column)) => format!(" and t.{} is not true", Ident::new(column)?),
        Some(Hidden::Since(column)) => format!(" and t.{} is null", Ident::new(column)?),
    };
    if by_date {
        conditions.push_str(&format!(
            " and t.{} operator(pg_catalog.>=) (pg_catalog.now() operator(pg_catalog.-) pg_catalog.make_interval(days => $4))",
            Ident::new(&source.created_at)?
        ));
    }
    Ok(conditions)
}

/// The wide columns of the winners of one source. `limit 1` keeps it a look-up by key, whatever the planner guesses.
fn fetch(n: usize, source: &Source) -> Result<String, Error> {
    let entity_type = literal(&source.entity_type);
    let (key, created_at, relation) =
        (Ident::new(&source.key)?, Ident::new(&source.created_at)?, relation(source)?);
    let title = match &source.title {
        Some(title) => format!("t.{}::pg_catalog.text", Ident::new(title)?),
        None => "null::pg_catalog.text".to_owned(),
    };
    let (content, metadata) = (content(&source.content)?, metadata(source)?);
    Ok(format!(
        "    select b.source, b.rank, {entity_type}::pg_catalog.text as entity_type, b.id, f.title, f.content, f.created_at, f.metadata
    from best b cross join lateral (
        select {title} as title, {content} as content, t.{created_at}::pg_catalog.timestamptz as created_at, {metadata} as metadata
        from {relation} t where t.{key} operator(pg_catalog.=) b.id limit 1
    ) f
    where b.source operator(pg_catalog.=) {n}"
    ))
}

fn relation(source: &Source) -> Result<String, Error> {
    Ok(format!("{}.{}", Ident::new(&source.relation.0)?, Ident::new(&source.relation.1)?))
}

/// The content columns, a line each; null where none has text.
fn content(columns: &[String]) -> Result<String, Error> {
    if columns.is_empty() {
        return Ok("null::pg_catalog.text".to_owned());
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
pub(super) fn metadata(source: &Source) -> Result<String, Error> {
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
