//! Sources whose embeddings lie in a narrow table. The vectors are ranked by themselves; row level security of the source,
//! and whatever else keeps a row out, is asked of the nearest only, in their order, until there are enough.

use super::direct::columns_of;
use super::{Argument, Parameters, Parts, Search};
use crate::error::Error;
use crate::ident::{Ident, literal};
use crate::search::shape::{Ids, is_in_store, relation, table};
use crate::search::{Deeper, KeyType, Source, Store};

/// Vectors that are looked at for so many rows, before all of them are. Enough that a few rows which may not be seen do
/// not matter, and few enough that a bounded sort keeps them.
pub(super) const fn candidates(rows: i64) -> i64 {
    2 * rows + 20
}

impl Search<'_> {
    /// From a vector of the store to the question, without its left side. All sources use one model, so there is one store.
    /// The question is brought to length 1, so that each of its numbers fits into two bytes.
    pub(super) fn distance_in_store(&self, query: &str) -> Result<String, Error> {
        let schema = Ident::new(self.vector_schema)?;
        let half =
            self.sources.iter().find_map(|source| source.store.as_ref()).is_some_and(|store| store.half);
        Ok(match half {
            true => {
                format!("operator({schema}.<=>) (select {schema}.l2_normalize({query})::{schema}.halfvec)")
            }
            false => format!("operator({schema}.<=>) {query}"),
        })
    }

    /// The branch for all sources of the store; none where there is none.
    pub(super) fn stored(&self, parts: &Parts, parameters: &mut Parameters) -> Result<Option<String>, Error> {
        let Some((store, names)) = self.in_store() else { return Ok(None) };
        let candidates = parameters.place(Argument::Candidates(candidates(self.rows)));
        let mut rows = Vec::new();
        for (n, source) in self.sources.iter().enumerate().filter(|(_, source)| source.store.is_some()) {
            rows.push(format!(
                "        (select {n} as source, {} from {} t
         where v.entity_type operator(pg_catalog.=) {}::pg_catalog.text and {}
               and {}{} limit 1)",
                columns_of(source)?,
                relation(source)?,
                literal(&source.entity_type),
                is_in_store(source)?,
                self.ids.of_tenant(source, &parts.tenant)?,
                parts.also[n]
            ));
        }
        let stored = || self.sources.iter().filter(|source| source.store.is_some());
        let named =
            if stored().all(|source| source.key_type == KeyType::Uuid) { "" } else { ", s.entity_key" };
        let chunked = self.sources.iter().filter_map(|source| source.store.as_ref()).any(|s| s.chunked);
        let (distance, by_row) =
            nearest(&parts.from_store, chunked, &format!("s.entity_type, s.entity_id{named}"));
        Ok(Some(format!(
            "    (select f.source, {} as id, v.rank, f.entity_type, f.title, f.content, f.created_at, f.metadata
     from (select s.entity_type, s.entity_id, {distance} operator(pg_catalog.-) 1::pg_catalog.float8 as rank{named}
           from {} s
           where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) any ({names}){by_row}
           order by 3, 1, 2
           limit {candidates}) v
     cross join lateral (
{}
     ) f
     order by v.rank, v.entity_type, v.entity_id
     limit {})",
            self.id_in(!named.is_empty()),
            table(store)?,
            self.ids.typed(KeyType::Uuid, &parts.tenant),
            rows.join("\n        union all\n"),
            parts.rows
        )))
    }

    /// The tenant's best rows of one source, however many must be looked at: key and rank.
    pub(super) fn rank_in_store(
        &self,
        n: usize,
        source: &Source,
        store: &Store,
        limit: &str,
        parts: &Parts,
    ) -> Result<String, Error> {
        let entity_type = format!("{}::pg_catalog.text", literal(&source.entity_type));
        let (named, also_named) = match source.key_type {
            KeyType::Uuid => ("", String::new()),
            _ => (", s.entity_key", format!(", s.entity_key, {entity_type} as entity_type")),
        };
        let (distance, by_row) = nearest(&parts.from_store, store.chunked, &format!("s.entity_id{named}"));
        Ok(format!(
            "    (select {n} as source, {} as id, v.rank
     from (select s.entity_id, {distance} operator(pg_catalog.-) 1::pg_catalog.float8 as rank{also_named}
           from {} s
           where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) {entity_type}{by_row}
           order by 2, 1) v
     cross join lateral (
         select from {} t
         where {} and {}{} limit 1
     ) f
     order by v.rank, v.entity_id
     limit {limit})",
            self.id_in(!named.is_empty()),
            table(store)?,
            self.ids.typed(KeyType::Uuid, &parts.tenant),
            relation(source)?,
            is_in_store(source)?,
            self.ids.of_tenant(source, &parts.tenant)?,
            parts.also[n]
        ))
    }

    /// The key of a vector `v` as the answer has it. `named`: the keys of some sources are no uuids.
    fn id_in(&self, named: bool) -> &'static str {
        match (self.ids, named) {
            (Ids::Uuid, _) => "v.entity_id",
            (Ids::Text, false) => "v.entity_id::pg_catalog.text",
            (Ids::Text, true) => "coalesce(v.entity_key, v.entity_id::pg_catalog.text)",
        }
    }

    /// What is left to do where the answer is short.
    pub fn deeper(&self) -> Result<Option<Deeper>, Error> {
        let Some((store, names)) = self.in_store().filter(|_| self.is_direct()) else { return Ok(None) };
        let more = format!(
            "select pg_catalog.count(*) operator(pg_catalog.=) $2 from (
    select from {} s where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) any ({names}) limit $2
) s",
            table(store)?,
            self.ids.typed(KeyType::Uuid, "$1")
        );
        Ok(Some(Deeper { rows: self.rows, candidates: candidates(self.rows), more }))
    }

    /// The store of the sources, and which they are, as an array.
    pub(super) fn in_store(&self) -> Option<(&Store, String)> {
        let stored = || self.sources.iter().filter(|source| source.store.is_some());
        let store = stored().find_map(|source| source.store.as_ref())?;
        let names: Vec<String> = stored().map(|source| literal(&source.entity_type)).collect();
        Some((store, format!("array[{}]::pg_catalog.text[]", names.join(", "))))
    }
}

/// The distance of a row to the question, and what it is grouped by where a row may have several vectors.
fn nearest(from_store: &str, chunked: bool, key: &str) -> (String, String) {
    match chunked {
        true => (format!("pg_catalog.min(s.embedding {from_store})"), format!("\n           group by {key}")),
        false => (format!("(s.embedding {from_store})"), String::new()),
    }
}

/// How many vectors a search of one tenant compares. $1 tenant. Column: int8.
pub(super) fn compared(source: &Source, store: &Store, ids: Ids) -> Result<String, Error> {
    Ok(format!(
        "select pg_catalog.count(*) from {} s
where s.tenant operator(pg_catalog.=) {} and s.entity_type operator(pg_catalog.=) {}::pg_catalog.text",
        table(store)?,
        ids.typed(KeyType::Uuid, "$1"),
        literal(&source.entity_type)
    ))
}
