//! OpenAI's embeddings, and whatever speaks the same: `OPENAI_BASE_URL` says where, `OPENAI_API_KEY` holds the key. Both
//! come from the environment of the process alone: a URL in the database would let whoever writes there send our key
//! anywhere.

use crate::provider::http::{Endpoint, variable};
use crate::provider::{Answer, Limits, Provider, ProviderError};
use serde::Deserialize;
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// As in `strata.model.provider`.
pub const NAME: &str = "openai";

const BASE: &str = "https://api.openai.com/v1";

/// What OpenAI takes in one call.
const LIMITS: Limits = Limits { texts: 2048, tokens: None, call_tokens: Some(250_000) };

/// A model behind an HTTP call.
pub struct OpenAi {
    model: String,
    dimensions: usize,
    endpoint: Endpoint,
    /// Whether the call names the dimensions. Models that know one number only may refuse to be told.
    names_dimensions: AtomicBool,
}

/// Opens a model by its name. Misconfigured where OpenAI itself is meant and there is no key.
pub fn open(model: &str, dimensions: usize) -> Result<OpenAi, ProviderError> {
    let (base, key) = (variable("OPENAI_BASE_URL"), variable("OPENAI_API_KEY"));
    if base.is_none() && key.is_none() {
        return Err(ProviderError::misconfigured(format!(
            "model {model:?} needs OPENAI_API_KEY, which is not set"
        ))
        .with_hint("set it in the environment, or OPENAI_BASE_URL to a server that needs no key".into()));
    }
    at(base.as_deref().unwrap_or(BASE), key, model, dimensions)
}

/// The same with everything said.
pub fn at(base: &str, key: Option<String>, model: &str, dimensions: usize) -> Result<OpenAi, ProviderError> {
    let endpoint = Endpoint::new(base, "embeddings", key)?;
    let names_dimensions = AtomicBool::new(model.starts_with("text-embedding-3"));
    Ok(OpenAi { model: model.into(), dimensions, endpoint, names_dimensions })
}

impl OpenAi {
    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let made = self.call(texts).await?;
        let fits = made.iter().all(|vector| vector.len() == self.dimensions);
        // A model that can shorten its vectors does so when it is told; the others are refused by their dimension.
        if fits || self.names_dimensions.swap(true, Relaxed) { Ok(made) } else { self.call(texts).await }
    }

    async fn call(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let mut body = json!({"model": self.model, "input": texts, "encoding_format": "float"});
        if self.names_dimensions.load(Relaxed) {
            body["dimensions"] = self.dimensions.into();
        }
        read(&self.endpoint.post(&body).await?, texts.len())
    }
}

impl Provider for OpenAi {
    fn name(&self) -> &str {
        NAME
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn limits(&self) -> Limits {
        LIMITS
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>> {
        Box::pin(self.vectors(texts))
    }
}

#[derive(Deserialize)]
struct Body {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<Option<f32>>,
}

/// One vector a text, in the order of the texts: the answer's own order is not promised.
fn read(body: &[u8], count: usize) -> Result<Vec<Vec<f32>>, ProviderError> {
    let body: Body = serde_json::from_slice(body)
        .map_err(|cause| ProviderError::wrong_shape(format!("it is not what was expected: {cause}")))?;
    let found = body.data.len();
    let mut slots: Vec<Option<Vec<f32>>> = vec![None; count];
    for (n, item) in body.data.into_iter().enumerate() {
        let at = item.index.unwrap_or(n);
        match slots.get_mut(at) {
            Some(slot @ None) => *slot = Some(super::numbers(item.embedding)),
            _ => {
                return Err(ProviderError::wrong_shape(format!(
                    "vector {at} of {count} came twice, or too many"
                )));
            }
        }
    }
    slots
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| ProviderError::wrong_shape(format!("expected {count} vectors, not {found}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_come_back_in_the_order_of_the_texts() {
        let body = br#"{"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}"#;
        assert_eq!(read(body, 2), Ok(vec![vec![1.0], vec![2.0]]));
        assert_eq!(read(br#"{"data": [{"embedding": [3]}]}"#, 1), Ok(vec![vec![3.0]]), "without an index");
    }

    #[test]
    fn refuses_what_is_not_one_vector_a_text() {
        let reason = |body: &str, count| match read(body.as_bytes(), count) {
            Err(ProviderError::WrongShape { reason }) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(r#"{"data": [{"index": 0, "embedding": [1]}]}"#, 2), "expected 2 vectors, not 1");
        let twice = r#"{"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]}"#;
        assert_eq!(reason(twice, 2), "vector 0 of 2 came twice, or too many");
        assert_eq!(
            reason(r#"{"data": [{"index": 5, "embedding": [1]}]}"#, 1),
            "vector 5 of 1 came twice, or too many"
        );
        assert!(reason(r#"{"data": [{"index": 0, "embed"#, 1).contains("EOF"));
        assert!(reason(r#"{"data": [{"embedding": [NaN]}]}"#, 1).starts_with("it is not what was expected"));
    }
}
