//! The seam to embedding providers: what every one of them offers, and the check of what any of them returns.
//!
//! A provider is a value behind `Box<dyn Provider>`: a model in this process, or a client of one over HTTP. It holds no
//! connection to the database and knows nothing about jobs; the caller decides what a failure means for a row.

mod error;
mod http;
mod local;
mod ollama;
mod openai;
#[cfg(test)]
mod tests;

pub use error::ProviderError;
pub use local::calm_tensors;
use std::pin::Pin;

/// What an asynchronous method of a provider returns: boxed, so that the trait can be a `dyn`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// How much one call may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Texts per call, at least 1.
    pub texts: usize,
    /// Tokens of one text that count towards its vector; `None` where the provider does not say.
    pub tokens: Option<usize>,
    /// Tokens of all texts of a call, as [`tokens`] counts them; `None` where there is no such limit.
    pub call_tokens: Option<usize>,
}

/// About how many tokens a text has, on the safe side. Three bytes a token: English has four, most other scripts three.
pub fn tokens(text: &str) -> usize {
    text.len() / 3 + 1
}

/// What was dropped since a provider was opened, because texts were longer than its model reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cut {
    /// Texts that lost their end.
    pub texts: u64,
    /// Tokens that were dropped. Of a text beyond 1 MiB only that much is counted.
    pub tokens: u64,
}

/// A maker of embeddings with one model.
pub trait Provider: Send + Sync {
    /// As in `strata.model.provider`: `local`, `openai`, `ollama`.
    fn name(&self) -> &str;

    /// As in `strata.model.name`: `all-MiniLM-L6-v2`.
    fn model(&self) -> &str;

    /// Components of every vector.
    fn dimensions(&self) -> usize;

    /// How much one call of `embed` may carry.
    fn limits(&self) -> Limits;

    /// What was dropped so far. Zero where the provider cannot know.
    fn cut(&self) -> Cut {
        Cut::default()
    }

    /// One vector for each text, in their order. At most `limits().texts` of them. Dropping the future gives up the
    /// work. Call it through [`checked`], which also splits.
    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>>;
}

/// Opens a model of a provider. Reads nothing yet: missing files show at the first `embed`. Misconfigured when there
/// is no such provider or model, wrong dimension when its vectors have others.
pub fn open(provider: &str, model: &str, dimensions: usize) -> Result<Box<dyn Provider>, ProviderError> {
    match provider {
        local::NAME => Ok(Box::new(local::open(model, dimensions)?)),
        openai::NAME => Ok(Box::new(openai::open(model, dimensions)?)),
        ollama::NAME => Ok(Box::new(ollama::open(model, dimensions)?)),
        _ => Err(ProviderError::misconfigured(format!("there is no provider {provider:?} here"))
            .with_hint(format!("the providers are: {}, {}, {}", local::NAME, openai::NAME, ollama::NAME))),
    }
}

/// Embeds any number of texts, call by call, and checks what comes back: one vector a text, each of the right
/// dimension, all components finite, none of length zero. The row of a rejection counts from the first of `texts`.
pub async fn checked(provider: &dyn Provider, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
    let (size, mut vectors) = (provider.limits().texts.max(1), Vec::with_capacity(texts.len()));
    for (call, part) in texts.chunks(size).enumerate() {
        let made = provider.embed(part).await.map_err(|cause| cause.moved(call * size))?;
        check(&made, part.len(), provider.dimensions())?;
        vectors.extend(made);
    }
    Ok(vectors)
}

fn check(vectors: &[Vec<f32>], count: usize, dimensions: usize) -> Result<(), ProviderError> {
    if vectors.len() != count {
        return Err(ProviderError::wrong_shape(format!("expected {count} vectors, not {}", vectors.len())));
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
fn numbers(components: Vec<Option<f32>>) -> Vec<f32> {
    components.into_iter().map(|component| component.unwrap_or(f32::NAN)).collect()
}

/// Euclidean length, summed in double precision.
fn norm(vector: &[f32]) -> f64 {
    vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}
