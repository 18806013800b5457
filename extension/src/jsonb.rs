//! `jsonb` passed through as it is stored: parsing it here would cost time and the digits of its numbers.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::Datum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{direct_function_call, pg_sys, prelude::*};
use std::ffi::CStr;
use strata_core::{Error, Kind};

/// A `jsonb`, header and all.
pub struct Jsonb(Vec<u8>);

/// Of the container's header, the word behind that of the varlena: `JB_FOBJECT` of Postgres' `utils/jsonb.h`.
const OBJECT: u32 = 0x2000_0000;

impl Jsonb {
    /// Whether it is an object, and not an array or a single value.
    pub fn is_object(&self) -> bool {
        let header = self.0.get(4..8).and_then(|word| word.try_into().ok()).map_or(0, u32::from_ne_bytes);
        header & OBJECT != 0
    }

    /// As the core reads it. `name`: of the argument. Refuses what only Postgres can hold, such as a number of 400 digits.
    #[allow(unsafe_code)]
    pub fn read(self, name: &str) -> Result<serde_json::Value, Error> {
        // SAFETY: the output function of jsonb is given one.
        let text = unsafe { direct_function_call::<&CStr>(pg_sys::jsonb_out, &[self.into_datum()]) };
        let text = text.map(CStr::to_bytes).unwrap_or_default();
        serde_json::from_slice(text)
            .map_err(|cause| Error::new(Kind::BadArgument, format!("{name} cannot be read: {cause}")))
    }
}

impl FromDatum for Jsonb {
    #[allow(unsafe_code)]
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _: pg_sys::Oid) -> Option<Self> {
        if is_null {
            return None;
        }
        // SAFETY: the caller promises a jsonb, a varlena; detoasted, its first word tells its size.
        unsafe {
            let varlena = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
            Some(Jsonb(std::slice::from_raw_parts(varlena.cast::<u8>(), pgrx::varsize_any(varlena)).to_vec()))
        }
    }
}

impl IntoDatum for Jsonb {
    #[allow(unsafe_code)]
    fn into_datum(self) -> Option<pg_sys::Datum> {
        // SAFETY: palloc gives as many bytes as are copied, or raises.
        unsafe {
            let copy = pg_sys::palloc(self.0.len()).cast::<u8>();
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), copy, self.0.len());
            Some(copy.into())
        }
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

// SAFETY: the datum is a jsonb that `into_datum` has just made.
#[allow(unsafe_code)]
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: see above.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

// SAFETY: a null argument panics as pgrx's own types do; Option<Jsonb> takes nulls.
#[allow(unsafe_code)]
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: pgrx calls this for an argument of SQL type jsonb.
        unsafe { arg.unbox_arg_using_from_datum() }
            .expect("pgrx asks Option<Jsonb> for arguments that may be null")
    }
}

// SAFETY: both directions carry the bytes of a jsonb unchanged.
#[allow(unsafe_code)]
unsafe impl SqlTranslatable for Jsonb {
    const TYPE_IDENT: &'static str = pgrx::pgrx_resolved_type!(Jsonb);
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::As("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::As("jsonb")));
}
