//! A search by embedding alone in one pass: each source hands over its best rows with their columns, and the best of all
//! are kept. A second look at each table, for the winners only, costs a small tenant as much again. Wide values are
//! carried as they are stored: nothing is read of a text before it is returned.

use super::{Argument, Parameters, Parts, Search, content, metadata, title};
use crate::error::Error;
use crate::ident::{Ident, literal};
use crate::search::Source;
use crate::search::shape::relation;

impl Search<'_> {
    /// Whether nothing dear is computed for rows that are not returned, and the sources are of the common shape.
    pub(super) fn is_direct(&self) -> bool {
        let stored = self.sources.iter().any(|source| source.store.is_some());
        let is_plain = |source: &&Source| {
            source.vectors.is_none() && source.content.len() <= 1 && source.json.is_empty()
        };
        self.text.is_none() && !(stored && self.weights.is_some()) && self.sources.iter().all(is_plain)
    }

    /// The rows themselves: entity_type, entity_id, title, content, similarity, created_at, metadata.
    pub(super) fn direct(&self) -> Result<(String, Vec<Argument>), Error> {
        let mut parameters = Parameters(Vec::new());
        let parts = self.parts(&mut parameters)?;
        let minimum = parts.minimum.as_ref().map(|minimum| format!("where {minimum}\n")).unwrap_or_default();
        let mut branches = Vec::new();
        for (n, source) in self.sources.iter().enumerate().filter(|(_, source)| source.store.is_none()) {
            branches.push(self.branch(n, source, &parts)?);
        }
        branches.extend(self.stored(&parts, &mut parameters)?);
        let sql = format!(
            "select r.entity_type, r.id, r.title, r.content, 0::pg_catalog.float8 operator(pg_catalog.-) r.rank, r.created_at, r.metadata
from (
{}
) r
{minimum}order by {}, r.source, r.id
limit {}",
            branches.join("\n    union all\n"),
            parts.score(),
            parts.rows
        );
        Ok((sql, parameters.0))
    }

    /// The tenant's best rows of one source in the columns of the answer.
    fn branch(&self, n: usize, source: &Source, parts: &Parts) -> Result<String, Error> {
        Ok(format!(
            "    (select {n} as source, {} as id, t.{} as rank, {}
     from ({}) t)",
            self.ids.key(source)?,
            rank(source),
            columns_of(source)?,
            self.nearest_of(source, parts, &parts.also[n])?
        ))
    }

    /// Those rows with their own columns under their own names, and how near they are.
    fn nearest_of(&self, source: &Source, parts: &Parts, also: &str) -> Result<String, Error> {
        let [key, vector] = [Ident::new(&source.key)?, Ident::new(&source.vector)?];
        let columns: Result<Vec<String>, Error> =
            columns(source).into_iter().map(|column| Ok(format!("t.{}", Ident::new(column)?))).collect();
        let columns = columns?;
        Ok(format!(
            "select {}, (t.{vector} {}) operator(pg_catalog.-) 1::pg_catalog.float8 as {}
         from {} t
         where {} and t.{vector} is not null{also}
         order by {}, t.{key}
         limit {}",
            columns.join(", "),
            parts.distance,
            rank(source),
            relation(source)?,
            self.ids.of_tenant(source, &parts.tenant)?,
            columns.len() + 1,
            parts.rows
        ))
    }
}

/// The columns of the answer but for its key and similarity: entity_type, title, content, created_at, metadata.
pub(super) fn columns_of(source: &Source) -> Result<String, Error> {
    Ok(format!(
        "{}::pg_catalog.text as entity_type, {} as title, {} as content, t.{}::pg_catalog.timestamptz as created_at,
            {} as metadata",
        literal(&source.entity_type),
        title(source)?,
        content(&source.content)?,
        Ident::new(&source.created_at)?,
        metadata(source)?
    ))
}

/// The columns that an answer is made of, each once.
fn columns(source: &Source) -> Vec<&str> {
    let mut columns = vec![source.key.as_str(), source.created_at.as_str()];
    for column in source.title.iter().chain(&source.content).chain(&source.metadata) {
        if !columns.contains(&column.as_str()) {
            columns.push(column);
        }
    }
    columns
}

/// A name that no column of the answer has.
fn rank(source: &Source) -> String {
    let mut name = "rank".to_owned();
    while columns(source).contains(&name.as_str()) {
        name.push('_');
    }
    name
}
