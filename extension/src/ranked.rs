//! A search of a store: its vectors are ranked here as the executor reads them, row level security and all; then the rows
//! of the nearest are fetched.

use crate::cosine::Question;
use crate::hits::{Hit, Key, Values, again, bind};
use crate::jsonb::Jsonb;
use crate::prepared;
use pgrx::Uuid;
use pgrx::datum::DatumWithOid;
use pgrx::pg_sys::{self, TupleTableSlot};
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use strata_core::search::{Fetch, Nearest, Place, Ranked};

/// The rows that are found; none where too many of the nearest may not be seen, and others were left out for them.
pub fn hits<I: Key>(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Option<Vec<Hit<I>>>> {
    let nearest = nearest(ranked, values)?;
    let is_all = nearest.is_all();
    let places = nearest.sorted();
    let (first, others) = places.split_at(ranked.rows.min(places.len()));
    let parameters = bind(&ranked.arguments, values);
    let mut found = fetch(ranked, &parameters, first)?;
    if found.len() < ranked.rows && !others.is_empty() {
        found.extend(fetch(ranked, &parameters, others)?);
        found.truncate(ranked.rows);
    }
    Ok((is_all || found.len() == ranked.rows).then_some(found))
}

/// Those of these rows that may be seen, in their order.
fn fetch<I: Key>(
    ranked: &Ranked,
    parameters: &[DatumWithOid<'_>],
    places: &[Place],
) -> spi::Result<Vec<Hit<I>>> {
    let mut found: Vec<Option<Hit<I>>> = places.iter().map(|_| None).collect();
    for (number, source) in ranked.sources.iter().enumerate() {
        let mut own: Vec<usize> = (0..places.len()).filter(|n| places[*n].source == number).collect();
        own.sort_unstable_by_key(|n| places[*n].id);
        let keys: Vec<Uuid> = own.iter().map(|n| Uuid::from_bytes(places[*n].id)).collect();
        if keys.is_empty() {
            continue;
        }
        for row in rows(source, keys, parameters)? {
            let place = own.binary_search_by_key(&row.id.as_bytes(), |n| &places[*n].id);
            if let Some(n) = place.ok().map(|place| own[place]) {
                found[n].get_or_insert_with(|| row.hit(source, places[n].rank));
            }
        }
    }
    Ok(found.into_iter().flatten().collect())
}

/// What the statements of a source answer.
struct Row {
    id: Uuid,
    title: Option<String>,
    content: Option<String>,
    created_at: Option<TimestampWithTimeZone>,
    metadata: Jsonb,
}

fn rows(source: &Fetch, keys: Vec<Uuid>, parameters: &[DatumWithOid<'_>]) -> spi::Result<Vec<Row>> {
    let mut parameters: Vec<DatumWithOid<'_>> = parameters.iter().map(again).collect();
    parameters[0] = keys.into();
    if let Some(rows) = prepared::by_keys(&source.together, &parameters, |row| Row::read(&row))? {
        return Ok(rows);
    }
    prepared::search(&source.singly, &parameters, |row| Row::read(&row))
}

impl Row {
    fn read(row: &SpiHeapTupleData<'_>) -> spi::Result<Row> {
        Ok(Row {
            id: row[1].value()?.expect("it was looked up by its key"),
            title: row[2].value()?,
            content: row[3].value()?,
            created_at: row[4].value()?,
            metadata: row[5].value()?.expect("jsonb_build_object never answers null"),
        })
    }

    fn hit<I: Key>(self, source: &Fetch, rank: f64) -> Hit<I> {
        let similarity = Some(0.0 - rank);
        let id = I::of(self.id);
        (source.entity_type.clone(), id, self.title, self.content, similarity, self.created_at, self.metadata)
    }
}

/// Reads the vectors of the tenant.
fn nearest(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Nearest> {
    let mut reader = Reader {
        callbacks: pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(start),
            rShutdown: Some(nothing),
            rDestroy: Some(nothing),
            mydest: pg_sys::CommandDest::DestTuplestore,
        },
        question: Question::new(values.question.expect("core ranks where an embedding is given")),
        nearest: Nearest::new(ranked.candidates, ranked.minimum),
        sources: &ranked.sources,
    };
    let to = (&raw mut reader).cast::<pg_sys::DestReceiver>();
    // SAFETY: the receiver begins with its functions, and outlives the statement.
    #[allow(unsafe_code)]
    unsafe {
        prepared::scan(&ranked.vectors, &[again(&values.tenant)], to)?
    };
    Ok(reader.nearest)
}

/// A receiver of the executor's, and what it keeps.
#[repr(C)]
struct Reader<'a> {
    callbacks: pg_sys::DestReceiver,
    question: Question,
    nearest: Nearest,
    sources: &'a [Fetch],
}

/// Columns of the statement, from 0, and how many there are.
const ENTITY_TYPE: usize = 1;
const ENTITY_ID: usize = 2;
const EMBEDDING: usize = 4;
const COLUMNS: i32 = 5;

impl Reader<'_> {
    /// # Safety
    /// A row of the statement.
    #[allow(unsafe_code)]
    unsafe fn read(&mut self, slot: *mut TupleTableSlot) {
        // SAFETY: none of the columns is ever null. What is detoasted is freed; the rest belongs to the row.
        unsafe {
            if i32::from((*slot).tts_nvalid) < COLUMNS {
                pg_sys::slot_getsomeattrs_int(slot, COLUMNS);
            }
            let column = |n: usize| *(*slot).tts_values.add(n);
            let stored = column(EMBEDDING).cast_mut_ptr::<pg_sys::varlena>();
            let vector = if is_plain(stored) { stored } else { pg_sys::pg_detoast_datum(stored) };
            let rank = self.question.rank(vector.cast(), pgrx::varsize_any(vector));
            if vector != stored {
                pg_sys::pfree(vector.cast());
            }
            if self.nearest.wants(rank) {
                let of = text(column(ENTITY_TYPE).cast_mut_ptr());
                let id = *column(ENTITY_ID).cast_mut_ptr::<[u8; 16]>();
                if let Some(source) =
                    self.sources.iter().position(|source| source.entity_type.as_bytes() == of)
                {
                    self.nearest.keep(Place { rank, source, id });
                }
            }
        }
    }
}

/// Whether a value has a header of four bytes and lies in the row as it is.
///
/// # Safety
/// A varlena.
#[allow(unsafe_code)]
unsafe fn is_plain(value: *mut pg_sys::varlena) -> bool {
    // SAFETY: as the caller promises.
    unsafe { pgrx::varatt_is_4b_u(value) }
}

/// # Safety
/// A text.
#[allow(unsafe_code)]
unsafe fn text<'a>(value: *mut pg_sys::varlena) -> &'a [u8] {
    // SAFETY: as the caller promises. What is detoasted stays until the statement has ended: few texts are so long.
    unsafe {
        let text = pg_sys::pg_detoast_datum_packed(value);
        std::slice::from_raw_parts(pgrx::vardata_any(text).cast(), pgrx::varsize_any_exhdr(text))
    }
}

#[pg_guard]
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn receive(slot: *mut TupleTableSlot, to: *mut pg_sys::DestReceiver) -> bool {
    // SAFETY: the executor hands over the receiver that it was given, and a row.
    unsafe { (*to.cast::<Reader<'_>>()).read(slot) };
    true
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn start(_: *mut pg_sys::DestReceiver, _: i32, _: pg_sys::TupleDesc) {}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn nothing(_: *mut pg_sys::DestReceiver) {}
