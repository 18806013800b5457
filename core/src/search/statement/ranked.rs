//! A search of a store whose vectors the door ranks: what it reads, and how it fetches the rows of the nearest.

use super::by_index::ByIndex;
use super::store::candidates;
use super::{Argument, Parameters, Search, content, metadata, title};
use crate::error::Error;
use crate::ident::{Ident, literal};
use crate::search::shape::{called, has_key, relation, table};
use crate::search::{Fetch, KeyType, Ranked, STORE_COLUMNS, Source, Store};

/// Vectors that are kept for each row that is to be found, where rows have several. Where the nearest are those of fewer rows,
/// and too few, a statement ranks all. Not measured: to keep one more costs next to nothing.
const PARTS: i64 = 4;

impl Search<'_> {
    /// Why a statement has to rank the vectors; none: the door does.
    pub fn unranked(&self) -> Option<String> {
        if self.text.is_some() {
            return Some("words are looked for as well".to_owned());
        }
        let outside = self.sources.iter().find(|source| source.store.is_none())?;
        Some(format!("those of source \"{}\" are not in a store", outside.entity_type))
    }

    /// None where the door does not rank the vectors.
    pub fn ranked(&self) -> Result<Option<Ranked>, Error> {
        if self.unranked().is_some() {
            return Ok(None);
        }
        let Some((store, names)) = self.in_store() else { return Ok(None) };
        let chunked = self.sources.iter().filter_map(|source| source.store.as_ref()).any(|s| s.chunked);
        let candidates = if chunked { PARTS * candidates(self.rows) } else { candidates(self.rows) };
        let columns = STORE_COLUMNS.map(|column| format!("s.{column}")).join(", ");
        let vectors = format!("select {columns}\nfrom {} s", table(store)?);
        // The order of an index is that of the distance alone.
        let by_index = match self.weights {
            None => ByIndex::of(self, &vectors, candidates)?,
            Some(_) => None,
        };
        let mut parameters = Parameters(Vec::new());
        let keys: Vec<String> = self.sources.iter().map(|_| parameters.place(Argument::Keys)).collect();
        let tenant = parameters.place(Argument::Tenant);
        let also = self.conditions(&mut parameters);
        let (mut sources, mut together) = (Vec::new(), Vec::new());
        for (n, source) in self.sources.iter().enumerate() {
            let rows = self.row(n, source, (&format!("any ({})", keys[n]), &also(source)?), &tenant)?;
            // Where no row is wanted nothing is asked of the policy. The order is that of the index that is to be used.
            let key = Ident::new(&source.key)?;
            together.push(format!("({rows} and {} is not null order by t.{key})", keys[n]));
            sources.push(Fetch {
                entity_type: source.entity_type.clone(),
                key_type: source.key_type,
                singly: format!(
                    "select f.source, f.id, f.title, f.content, f.created_at, f.metadata, f.name
from (select pg_catalog.unnest({}) as id) k cross join lateral (
{} limit 1
) f",
                    keys[n],
                    self.row(n, source, ("k.id", &also(source)?), &tenant)?
                ),
            });
        }
        let count = |rows| usize::try_from(rows).unwrap_or(usize::MAX);
        Ok(Some(Ranked {
            vectors: format!(
                "{vectors}
where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) any ({names})",
                self.ids.typed(KeyType::Uuid, "$1")
            ),
            by_index,
            named: named(self.sources, store)?,
            sources,
            together: together.join("\nunion all\n"),
            arguments: parameters.0,
            rows: count(self.rows),
            candidates: count(candidates),
            minimum: self.minimum,
            weights: self.weights.clone(),
            chunked,
        }))
    }

    /// Rows of one source: those whose key is so, and of which the rest holds.
    fn row(
        &self,
        n: usize,
        source: &Source,
        (is, also): (&str, &str),
        tenant: &str,
    ) -> Result<String, Error> {
        let (id, name) = called(source)?;
        Ok(format!(
            "select {n} as source, {id} as id, {} as title, {} as content,
       t.{}::pg_catalog.timestamptz as created_at, {} as metadata, {name} as name
from {} t where {} and {}{also}",
            title(source)?,
            content(&source.content)?,
            Ident::new(&source.created_at)?,
            metadata(source)?,
            relation(source)?,
            self.ids.of_tenant(source, tenant)?,
            has_key(source, is)?
        ))
    }
}

/// The keys of rows that a store calls otherwise; none where all are called by their keys.
fn named(sources: &[&Source], store: &Store) -> Result<Option<String>, Error> {
    let named = sources.iter().filter(|source| source.key_type != KeyType::Uuid);
    let named: Vec<String> = named.map(|source| literal(&source.entity_type)).collect();
    if named.is_empty() {
        return Ok(None);
    }
    Ok(Some(format!(
        "select s.entity_id, s.entity_key from {} s
where s.entity_type operator(pg_catalog.=) any (array[{}]::pg_catalog.text[]) and s.entity_id operator(pg_catalog.=) any ($1)",
        table(store)?,
        named.join(", ")
    )))
}
