//! Reads the vectors of a tenant: a receiver for the rows of the executor, which compares each where it lies.
//!
//! Reading them from memory takes longer than comparing them. So a row waits until the next one has come: meanwhile the
//! processor brings its vector. Its page stays pinned for as long.

use crate::cosine::Question;
use crate::prepared;
use crate::values::{Values, again};
use pgrx::pg_sys::{self, TupleTableSlot};
use pgrx::prelude::*;
use strata_core::search::{Fetch, Nearest, Place, Ranked};

/// The nearest of the vectors that the caller may see.
pub fn nearest(ranked: &Ranked, values: &Values<'_>) -> spi::Result<Nearest> {
    // SAFETY: the receiver is made for the rows of this statement.
    #[allow(unsafe_code)]
    read(ranked, values, |to| unsafe { prepared::scan(&ranked.vectors, &[again(&values.tenant)], to) })
}

/// Of those that a vector index leads to, by this statement of [`strata_core::search::ByIndex`].
pub fn nearest_by_index(
    ranked: &Ranked,
    values: &Values<'_>,
    (vectors, ef_search): (&str, i64),
) -> spi::Result<Nearest> {
    let question = [question(values).to_vec().into()];
    // SAFETY: as above.
    #[allow(unsafe_code)]
    read(ranked, values, |to| unsafe { prepared::scan_by_index(vectors, &question, ef_search, to) })
}

fn question<'a>(values: &Values<'a>) -> &'a [f32] {
    values.question.expect("core ranks where an embedding is given")
}

/// `scan`: hands the rows of a statement, whose columns are those of a store, to the receiver.
fn read(
    ranked: &Ranked,
    values: &Values<'_>,
    scan: impl FnOnce(*mut pg_sys::DestReceiver) -> spi::Result<()>,
) -> spi::Result<Nearest> {
    let mut reader = Reader {
        callbacks: pg_sys::DestReceiver {
            receiveSlot: Some(receive),
            rStartup: Some(start),
            rShutdown: Some(end),
            rDestroy: Some(destroy),
            mydest: pg_sys::CommandDest::DestTuplestore,
        },
        question: Question::new(question(values)),
        nearest: Nearest::of(ranked),
        sources: &ranked.sources,
        waiting: None,
        pinned: NONE,
        size: 0,
    };
    // The receiver begins with its functions, and outlives the statement.
    scan((&raw mut reader).cast::<pg_sys::DestReceiver>())?;
    Ok(reader.nearest)
}

/// A receiver of the executor's, and what it keeps.
#[repr(C)]
struct Reader<'a> {
    callbacks: pg_sys::DestReceiver,
    question: Question,
    nearest: Nearest,
    sources: &'a [Fetch],
    waiting: Option<Row>,
    /// The page in which it lies.
    pinned: pg_sys::Buffer,
    /// Bytes of the vector before.
    size: usize,
}

/// Where the columns of a row lie.
#[derive(Clone, Copy)]
struct Row {
    entity_type: *mut pg_sys::varlena,
    entity_id: *const [u8; 16],
    embedding: *mut pg_sys::varlena,
}

/// No page.
const NONE: pg_sys::Buffer = 0;

/// Columns of the statement, from 0, and how many are read.
const ENTITY_TYPE: usize = 1;
const ENTITY_ID: usize = 2;
const EMBEDDING: usize = 4;
const COLUMNS: i32 = 5;

#[allow(unsafe_code)]
impl Reader<'_> {
    /// # Safety
    /// A row of the statement.
    unsafe fn read(&mut self, slot: *mut TupleTableSlot) {
        // SAFETY: none of the columns is ever null. What lies in a page stays there while the page is pinned; anything else
        // belongs to the executor, which will reuse it.
        unsafe {
            if i32::from((*slot).tts_nvalid) < COLUMNS {
                pg_sys::slot_getsomeattrs_int(slot, COLUMNS);
            }
            let column = |n: usize| *(*slot).tts_values.add(n);
            let row = Row {
                entity_type: column(ENTITY_TYPE).cast_mut_ptr(),
                entity_id: column(ENTITY_ID).cast_mut_ptr(),
                embedding: column(EMBEDDING).cast_mut_ptr(),
            };
            let Some(page) = page(slot) else { return self.compare(row) };
            bring(row.embedding, self.size);
            let before = self.waiting.replace(row);
            if page == self.pinned {
                before.into_iter().for_each(|before| self.compare(before));
                return;
            }
            pg_sys::IncrBufferRefCount(page);
            let left = std::mem::replace(&mut self.pinned, page);
            before.into_iter().for_each(|before| self.compare(before));
            release(left);
        }
    }

    /// # Safety
    /// When the executor has no more rows.
    unsafe fn end(&mut self) {
        // SAFETY: the page is still pinned.
        unsafe {
            if let Some(last) = self.waiting.take() {
                self.compare(last);
            }
            release(std::mem::replace(&mut self.pinned, NONE));
        }
    }

    /// # Safety
    /// A row whose page is pinned, or that the executor has just handed over.
    unsafe fn compare(&mut self, row: Row) {
        // SAFETY: what is detoasted is freed; the rest belongs to the row.
        unsafe {
            let stored = row.embedding;
            let vector = match pgrx::varatt_is_4b_u(stored) {
                true => stored,
                false => pg_sys::pg_detoast_datum(stored),
            };
            self.size = pgrx::varsize_any(vector);
            let rank = self.question.rank(vector.cast(), self.size);
            if vector != stored {
                pg_sys::pfree(vector.cast());
            }
            if self.nearest.wants(rank) {
                let (of, id) = (text(row.entity_type), *row.entity_id);
                let is = |source: &Fetch| source.entity_type.as_bytes() == of;
                if let Some(source) = self.sources.iter().position(is) {
                    self.nearest.keep(Place { rank, source, id });
                }
            }
        }
    }
}

/// The page in which a row lies; none where the executor made it up.
///
/// # Safety
/// A row that the executor hands over.
#[allow(unsafe_code)]
unsafe fn page(slot: *mut TupleTableSlot) -> Option<pg_sys::Buffer> {
    // SAFETY: the functions of a row tell of what kind it is.
    unsafe {
        let is_stored = (*slot).tts_ops == &raw const pg_sys::TTSOpsBufferHeapTuple;
        let page = is_stored.then(|| (*slot.cast::<pg_sys::BufferHeapTupleTableSlot>()).buffer);
        page.filter(|page| *page != NONE)
    }
}

/// # Safety
/// A page that was pinned by us, or none.
#[allow(unsafe_code)]
unsafe fn release(page: pg_sys::Buffer) {
    if page != NONE {
        // SAFETY: as the caller promises.
        unsafe { pg_sys::ReleaseBuffer(page) };
    }
}

/// Bytes that a processor brings at once.
#[cfg(target_arch = "x86_64")]
const LINE: usize = 64;

/// Has the processor bring so many bytes. Nothing is read by it, so the address need not be right.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
fn bring(from: *const pg_sys::varlena, size: usize) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    for line in (0..size).step_by(LINE) {
        // SAFETY: a hint, which no address makes fail.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast::<i8>().wrapping_add(line)) };
    }
}

/// Other processors are not told.
#[cfg(not(target_arch = "x86_64"))]
fn bring(_: *const pg_sys::varlena, _: usize) {}

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

#[pg_guard]
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn end(to: *mut pg_sys::DestReceiver) {
    // SAFETY: as above.
    unsafe { (*to.cast::<Reader<'_>>()).end() };
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn start(_: *mut pg_sys::DestReceiver, _: i32, _: pg_sys::TupleDesc) {}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn destroy(_: *mut pg_sys::DestReceiver) {}
