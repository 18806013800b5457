//! The registry as a session remembers it, until Postgres tells that something it was read from has changed.
//!
//! What counts is what Postgres' own caches are told by: a change of a relation (columns, privileges, row level security,
//! its name), of a role, of a schema, of a function, of the type `vector`, whoever makes it. Rows of `strata.source` and
//! `strata.model` tell themselves, by triggers that invalidate their table. A change that is rolled back is told again.
//! A change is heard at the next call: messages are taken in before the registry is looked at, and it is read with a
//! snapshot of now, as Postgres reads its catalog, so that what an older snapshot shows is never remembered.

use crate::registry::Registry;
use pgrx::pg_sys::{self, Oid};
use pgrx::prelude::*;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Roles whose view of the registry is kept. Unit: roles. PostgREST's sessions change between three.
const KEPT: usize = 8;

/// How many changes were heard of.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// True: a registry is being read, so that a change of any relation counts.
static READING: AtomicBool = AtomicBool::new(false);

/// The hash under which a change of the type `vector` is told.
static VECTOR: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { generation: 0, registries: Vec::new(), relations: Vec::new() }) };
}

/// What is remembered, all of one generation.
struct Known {
    generation: u64,
    /// Of each role.
    registries: Vec<(Oid, Rc<Registry>)>,
    /// What they were read from.
    relations: Vec<Oid>,
}

/// The registry as the caller sees it now.
pub fn registry() -> spi::Result<Rc<Registry>> {
    listen();
    // SAFETY: takes in messages, as each lock of a relation does; reads a variable of this process.
    #[allow(unsafe_code)]
    let role = unsafe {
        pg_sys::AcceptInvalidationMessages();
        pg_sys::GetUserId()
    };
    let generation = GENERATION.load(Relaxed);
    if let Some(registry) = recall(role, generation) {
        return Ok(registry);
    }
    let registry = Rc::new(read()?);
    if registry.is_whole() && !is_parallel() && generation == GENERATION.load(Relaxed) {
        remember(role, generation, &registry);
    }
    Ok(registry)
}

fn recall(role: Oid, generation: u64) -> Option<Rc<Registry>> {
    KNOWN.with_borrow(|known| {
        let mine = known.registries.iter().find(|(of, _)| *of == role && known.generation == generation);
        mine.map(|(_, registry)| Rc::clone(registry))
    })
}

fn remember(role: Oid, generation: u64, registry: &Rc<Registry>) {
    VECTOR.store(hash_of_type(registry.vector), Relaxed);
    KNOWN.with_borrow_mut(|known| {
        if known.generation != generation {
            known.registries.clear();
            known.relations.clear();
            known.generation = generation;
        }
        if known.registries.len() == KEPT {
            known.registries.remove(0);
        }
        for relation in &registry.read_from {
            if !known.relations.contains(relation) {
                known.relations.push(*relation);
            }
        }
        known.registries.push((role, Rc::clone(registry)));
    });
}

/// Reads it with a snapshot of now. A parallel worker has its leader's and remembers nothing.
fn read() -> spi::Result<Registry> {
    READING.store(true, Relaxed);
    let own = !is_parallel();
    // SAFETY: pushed here and popped below, or by the abort of the transaction.
    #[allow(unsafe_code)]
    if own {
        unsafe { pg_sys::PushActiveSnapshot(pg_sys::GetLatestSnapshot()) };
    }
    let registry = Registry::read();
    #[allow(unsafe_code)]
    if own {
        // SAFETY: as above.
        unsafe { pg_sys::PopActiveSnapshot() };
    }
    READING.store(false, Relaxed);
    registry
}

#[allow(unsafe_code)]
fn is_parallel() -> bool {
    // SAFETY: reads a variable of this process.
    unsafe { pg_sys::IsInParallelMode() }
}

#[allow(unsafe_code)]
fn hash_of_type(oid: Oid) -> u32 {
    let (cache, none) = (cache(pg_sys::SysCacheIdentifier::TYPEOID), pg_sys::Datum::null());
    // SAFETY: a cache of one key, an oid.
    unsafe { pg_sys::GetSysCacheHashValue(cache, oid.into(), none, none, none) }
}

fn cache(id: pg_sys::SysCacheIdentifier::Type) -> i32 {
    i32::try_from(id).expect("Postgres has some eighty caches")
}

/// Asks Postgres to be told, once a session.
#[allow(unsafe_code)]
fn listen() {
    static LISTENING: AtomicBool = AtomicBool::new(false);
    if LISTENING.swap(true, Relaxed) {
        return;
    }
    use pg_sys::SysCacheIdentifier::{
        AUTHMEMROLEMEM, AUTHOID, DATABASEOID, NAMESPACEOID, PROCOID, TSCONFIGOID, TYPEOID,
    };
    let none = pg_sys::Datum::null();
    // SAFETY: functions of this library, which is never unloaded.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), none);
        for id in [AUTHMEMROLEMEM, AUTHOID, DATABASEOID, NAMESPACEOID, PROCOID, TSCONFIGOID] {
            pg_sys::CacheRegisterSyscacheCallback(cache(id), Some(catalog_changed), none);
        }
        pg_sys::CacheRegisterSyscacheCallback(cache(TYPEOID), Some(type_changed), none);
    }
}

fn forget() {
    GENERATION.fetch_add(1, Relaxed);
}

/// Postgres calls it at any moment, also in the middle of a read: it touches nothing but what is here.
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn relation_changed(_: pg_sys::Datum, relation: Oid) {
    let known =
        |known: &RefCell<Known>| known.try_borrow().is_ok_and(|known| !known.relations.contains(&relation));
    let another =
        relation != Oid::INVALID && !READING.load(Relaxed) && KNOWN.try_with(known).unwrap_or(false);
    if !another {
        forget();
    }
}

#[allow(unsafe_code)]
unsafe extern "C-unwind" fn catalog_changed(_: pg_sys::Datum, _: i32, _: u32) {
    forget();
}

/// Zero: any type may have changed. Types come and go with every temporary table, so others do not count.
#[allow(unsafe_code)]
unsafe extern "C-unwind" fn type_changed(_: pg_sys::Datum, _: i32, hash: u32) {
    if hash == 0 || READING.load(Relaxed) || hash == VECTOR.load(Relaxed) {
        forget();
    }
}

/// The trigger of `strata.source` and `strata.model`: tells every session, when this transaction commits and this one at
/// once, that the table has changed.
#[pg_trigger]
fn forget_registry<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, PgTriggerError> {
    // SAFETY: the relation of a trigger exists while it fires.
    #[allow(unsafe_code)]
    unsafe {
        pg_sys::CacheInvalidateRelcacheByRelid(trigger.relid()?)
    };
    Ok(None)
}
