//! A search of a store: its vectors are ranked here as the executor reads them, row level security and all; then the rows
//! of the nearest are fetched.

use crate::ef_search;
use crate::jsonb::Jsonb;
use crate::key::Key;
use crate::prepared;
use crate::values::{Depth, Hit, Values, again, bind};
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Name, Nearest, Place, Ranked};

mod named;
mod reader;
use named::named;
use reader::{nearest, nearest_by_index};

/// The rows that are found, and how; none where too many of the nearest may not be seen, and others were left out for them.
pub fn hits<I: Key>(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Option<(Vec<Hit<I>>, Depth)>> {
    let by_index = by_index::<I>(ranked, values)?;
    let was_indexed = by_index.is_some();
    if let Some(nearest) = by_index {
        let is_full = nearest.is_full();
        let found = seen(ranked, values, nearest)?;
        if found.len() == ranked.rows {
            return Ok(Some((found, Depth::Index)));
        }
        // No more than those would be kept of all vectors, either.
        if is_full {
            return Ok(None);
        }
    }
    let nearest = nearest(ranked, values)?;
    let is_all = nearest.is_all();
    let found = seen(ranked, values, nearest)?;
    let depth = if was_indexed { Depth::PastIndex } else { Depth::Nearest };
    Ok((is_all || found.len() == ranked.rows).then_some((found, depth)))
}

/// Those that the tenant's own index leads to; none where there is no such index.
fn by_index<I: Key>(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Option<Nearest>> {
    let Some(by_index) = &ranked.by_index else { return Ok(None) };
    // SAFETY: rows and tenants are named by the same type.
    #[allow(unsafe_code)]
    let tenant =
        values.tenant.datum().and_then(|datum| unsafe { I::from_datum(datum.sans_lifetime(), false) });
    let asked = ef_search::of_session();
    let vectors = tenant.and_then(|tenant| by_index.vectors(tenant.name().id()?, asked));
    let read = |vectors: String| nearest_by_index(ranked, values, (&vectors, by_index.ef_search(asked)));
    vectors.map(read).transpose()
}

/// The rows of the nearest that may be seen, as many as are wanted.
fn seen<I: Key>(ranked: &Ranked, values: &Values<'_>, nearest: Nearest) -> spi::Result<Vec<Hit<I>>> {
    let places = nearest.sorted();
    let (first, others) = places.split_at(ranked.rows.min(places.len()));
    let parameters = bind(&ranked.arguments, values);
    let mut found = fetch(ranked, &parameters, first)?;
    if found.len() < ranked.rows && !others.is_empty() {
        found.extend(fetch(ranked, &parameters, others)?);
        found.truncate(ranked.rows);
    }
    Ok(found)
}

/// Those of these rows that may be seen, in their order.
fn fetch<I: Key>(
    ranked: &Ranked,
    parameters: &[DatumWithOid<'_>],
    places: &[Place],
) -> spi::Result<Vec<Hit<I>>> {
    let name = |n: &usize| (places[*n].source, places[*n].id);
    let mut by_name: Vec<usize> = (0..places.len()).collect();
    by_name.sort_unstable_by_key(name);
    let mut keys: Vec<Vec<Uuid>> = ranked.sources.iter().map(|_| Vec::new()).collect();
    for place in by_name.iter().map(|n| &places[*n]) {
        keys[place.source].push(Uuid::from_bytes(place.id));
    }
    let mut found: Vec<Option<Hit<I>>> = places.iter().map(|_| None).collect();
    for row in rows(ranked, keys, parameters)? {
        let wanted = by_name.binary_search_by_key(&(row.source, *row.id.as_bytes()), name);
        if let Some(n) = wanted.ok().map(|place| by_name[place]) {
            found[n].get_or_insert_with(|| row.hit(ranked, places[n].rank));
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// What the statements answer.
struct Row {
    source: usize,
    id: Uuid,
    title: Option<String>,
    content: Option<String>,
    created_at: Option<TimestampWithTimeZone>,
    metadata: Jsonb,
    /// Its key, where that is not its id.
    key: Option<String>,
}

/// The rows of these keys of each source: at once, or where that does not go by indexes, one by one.
fn rows(ranked: &Ranked, keys: Vec<Vec<Uuid>>, parameters: &[DatumWithOid<'_>]) -> spi::Result<Vec<Row>> {
    let wanted: Vec<bool> = keys.iter().map(|keys| !keys.is_empty()).collect();
    let named = named(ranked, &keys)?;
    let keys = ranked.sources.iter().zip(keys);
    let mut bound: Vec<DatumWithOid<'_>> =
        keys.map(|(source, ids)| named.keys(source.key_type, ids)).collect();
    bound.extend(parameters.iter().skip(wanted.len()).map(again));
    let read = |row: SpiHeapTupleData<'_>| Row::read(&row);
    if let Some(rows) = prepared::by_keys(&ranked.together, wanted.len(), &bound, read)? {
        return Ok(rows);
    }
    let mut rows = Vec::new();
    for (source, _) in ranked.sources.iter().zip(wanted).filter(|(_, is_wanted)| *is_wanted) {
        rows.extend(prepared::search(&source.singly, &bound, read)?);
    }
    Ok(rows)
}

impl Row {
    fn read(row: &SpiHeapTupleData<'_>) -> spi::Result<Row> {
        Ok(Row {
            source: row[1].value::<i32>()?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX),
            id: row[2].value()?.expect("it was looked up by its key"),
            title: row[3].value()?,
            content: row[4].value()?,
            created_at: row[5].value()?,
            metadata: row[6].value()?.expect("jsonb_build_object never answers null"),
            key: row[7].value()?,
        })
    }

    fn hit<I: Key>(self, ranked: &Ranked, rank: f64) -> Hit<I> {
        let entity_type = ranked.sources[self.source].entity_type.clone();
        let (id, similarity) = (I::of(self.id, self.key), Some(0.0 - rank));
        (entity_type, id, self.title, self.content, similarity, self.created_at, self.metadata)
    }
}
