//! pgvector's `vector` as an argument.
//!
//! In memory: varlena header (4 bytes), int16 dimensions, int16 unused, float4 for each dimension.

use pgrx::callconv::{Arg, ArgAbi};
use pgrx::datum::DatumWithOid;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{pg_sys, prelude::*};
use std::marker::PhantomData;

/// Bytes before the first element.
const HEADER: usize = 8;

/// A borrowed, detoasted `vector`.
pub struct Vector<'a> {
    varlena: *mut pg_sys::varlena,
    lifetime: PhantomData<&'a ()>,
}

impl<'a> Vector<'a> {
    /// Its elements.
    #[allow(unsafe_code)]
    pub fn as_slice(&self) -> &'a [f32] {
        // SAFETY: the only way to a `Vector` is an argument of SQL type `vector`, detoasted: pgvector's type input, its
        // binary input and its functions all write the layout above, and palloc aligns it to 8 bytes.
        unsafe {
            let base = self.varlena.cast::<u8>();
            let dimensions = usize::try_from(base.add(4).cast::<i16>().read()).unwrap_or(0);
            assert_eq!(pgrx::varsize_any(self.varlena), HEADER + 4 * dimensions, "not a vector of pgvector");
            std::slice::from_raw_parts(base.add(HEADER).cast::<f32>(), dimensions)
        }
    }

    /// One of the same direction that pgvector can measure angles to: itself, but for lengths that no model has.
    pub fn measurable(self) -> Vector<'a> {
        match strata_core::search::measurable(self.as_slice()) {
            Some(elements) => Vector::of(&elements),
            None => self,
        }
    }

    /// One with these elements, at most as many as a `vector` has.
    #[allow(unsafe_code)]
    fn of(elements: &[f32]) -> Vector<'a> {
        let size = HEADER + 4 * elements.len();
        let fits = "pgvector allows 16,000 dimensions";
        // SAFETY: allocated here, zeroed, in the layout above; it lasts as long as the call's other values.
        unsafe {
            let varlena = pg_sys::palloc0(size).cast::<pg_sys::varlena>();
            pgrx::set_varsize_4b(varlena, i32::try_from(size).expect(fits));
            let base = varlena.cast::<u8>();
            base.add(4).cast::<i16>().write(i16::try_from(elements.len()).expect(fits));
            std::ptr::copy_nonoverlapping(elements.as_ptr(), base.add(HEADER).cast::<f32>(), elements.len());
            Vector { varlena, lifetime: PhantomData }
        }
    }

    /// As a parameter of a statement; `oid` is that of the type `vector`.
    #[allow(unsafe_code)]
    pub fn parameter(&self, oid: pg_sys::Oid) -> DatumWithOid<'a> {
        // SAFETY: the datum is a detoasted vector that outlives 'a.
        unsafe { DatumWithOid::new(RawDatum(self.varlena.into()), oid) }
    }
}

/// A datum that is passed on as it is.
pub struct RawDatum(pub pg_sys::Datum);

impl IntoDatum for RawDatum {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0)
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::InvalidOid
    }
}

impl FromDatum for Vector<'_> {
    #[allow(unsafe_code)]
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        // SAFETY: the caller promises a datum of the declared type, a varlena.
        let detoast = || unsafe { pg_sys::pg_detoast_datum(datum.cast_mut_ptr()) };
        (!is_null).then(|| Vector { varlena: detoast(), lifetime: PhantomData })
    }
}

// SAFETY: a null argument panics as pgrx's own types do; Option<Vector> takes nulls.
#[allow(unsafe_code)]
unsafe impl<'fcx> ArgAbi<'fcx> for Vector<'fcx> {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: pgrx calls this for an argument of the SQL type below.
        unsafe { arg.unbox_arg_using_from_datum() }
            .expect("pgrx asks Option<Vector> for arguments that may be null")
    }
}

// SAFETY: the mapping names pgvector's type, whose layout `as_slice` reads. CREATE EXTENSION puts the schema of a required
// extension on the path, so that the plain name is found wherever pgvector lives.
#[allow(unsafe_code)]
unsafe impl SqlTranslatable for Vector<'_> {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Vector<'_>);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::As("vector"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::As("vector")));
}
