//! `vector_shape`: what a vector must be to be kept, in one look.

use crate::vector::Vector;
use pgrx::prelude::*;

/// Its dimensions; negative where it has no direction: all zero, too large for its length to be a number, or no number.
#[pg_extern(immutable, strict, parallel_safe)]
fn vector_shape(vector: Vector<'_>) -> i32 {
    let elements = vector.as_slice();
    let length: f64 = elements.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
    let dimensions = i32::try_from(elements.len()).unwrap_or(i32::MAX);
    if length > 0.0 && length.is_finite() { dimensions } else { -dimensions }
}
