//! The seam to embedding providers: what every one of them offers, and the check of what any of them returns.
//!
//! A provider is a value behind `Box<dyn Provider>`: a model in this process, or a client of one over HTTP. It holds no
//! connection to the database and knows nothing about jobs; the caller decides what a failure means for a row.

mod http;
mod local;
mod remote;
#[cfg(test)]
mod tests;

pub use http::{client_to, innermost, patience, variable};
pub use local::calm_tensors;
use std::ops::Range;
use std::pin::Pin;
use strata_core::embed::{self, Chunking, Dialect};
pub use strata_core::embed::{Limits, ProviderError, tokens};

/// What an asynchronous method of a provider returns: boxed, so that the trait can be a `dyn`.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

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

    /// The parts that a text is embedded in, ranges of bytes: by the model's own tokens where its tokenizer is at hand, else by
    /// an estimate.
    fn parts<'a>(&'a self, text: &'a str, chunking: Chunking) -> Answer<'a, Vec<Range<usize>>> {
        let parts = embed::chunks(text, chunking, &tokens);
        Box::pin(async move { Ok(parts) })
    }

    /// One vector for each text, in their order. At most `limits().texts` of them. Dropping the future gives up the
    /// work. Call it through [`checked`], which also splits.
    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>>;
}

/// Opens a model of a provider. Reads nothing yet: missing files show at the first `embed`. Misconfigured when there
/// is no such provider or model, wrong dimension when its vectors have others.
pub fn open(provider: &str, model: &str, dimensions: usize) -> Result<Box<dyn Provider>, ProviderError> {
    if let Some(dialect) = Dialect::of(provider) {
        return Ok(Box::new(remote::open(dialect, model, dimensions)?));
    }
    match provider {
        local::NAME => Ok(Box::new(local::open(model, dimensions)?)),
        _ => Err(ProviderError::misconfigured(format!("there is no provider {provider:?} here"))
            .with_hint(format!("the providers are: {}, {}, {}", local::NAME, embed::OPENAI, embed::OLLAMA))),
    }
}

/// Embeds any number of texts, call by call, and checks what comes back: one vector a text, each of the right
/// dimension, all components finite, none of length zero. The row of a rejection counts from the first of `texts`.
pub async fn checked(provider: &dyn Provider, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
    let (size, mut vectors) = (provider.limits().texts.max(1), Vec::with_capacity(texts.len()));
    for (call, part) in texts.chunks(size).enumerate() {
        let made = provider.embed(part).await.map_err(|cause| cause.moved(call * size))?;
        embed::check(&made, part.len(), provider.dimensions())?;
        vectors.extend(made);
    }
    Ok(vectors)
}
