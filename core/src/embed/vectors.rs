//! The check of what any provider returns.

use super::ProviderError;

/// One vector a text, each of the right dimension, all components finite, none of length zero.
pub fn check(vectors: &[Vec<f32>], texts: usize, dimensions: usize) -> Result<(), ProviderError> {
    if vectors.len() != texts {
        return Err(ProviderError::wrong_shape(format!("expected {texts} vectors, not {}", vectors.len())));
    }
    vectors.iter().try_for_each(|vector| check_one(vector, dimensions))
}

fn check_one(vector: &[f32], dimensions: usize) -> Result<(), ProviderError> {
    if vector.len() != dimensions {
        let found = vector.len();
        return Err(ProviderError::WrongDimension {
            reason: format!("expected {dimensions} dimensions, not {found}"),
            hint: format!("register the model with {found} dimensions, or another one that has {dimensions}"),
        });
    }
    if let Some(at) = vector.iter().position(|component| !component.is_finite()) {
        return Err(ProviderError::wrong_shape(format!("component {at} of a vector is {}", vector[at])));
    }
    if norm(vector) == 0.0 {
        return Err(ProviderError::wrong_shape(
            "a vector has the length zero, so it has no direction".into(),
        ));
    }
    Ok(())
}

/// A component that is none is not a number: the check refuses it by its place.
pub(super) fn numbers(components: Vec<Option<f32>>) -> Vec<f32> {
    components.into_iter().map(|component| component.unwrap_or(f32::NAN)).collect()
}

/// Euclidean length, summed in double precision.
pub fn norm(vector: &[f32]) -> f64 {
    vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}
