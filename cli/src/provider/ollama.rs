//! Models that run in Ollama. `OLLAMA_HOST` says where, as its own programs understand it.

use crate::provider::http::{Endpoint, variable};
use crate::provider::{Answer, Limits, Provider, ProviderError};
use serde::Deserialize;
use serde_json::json;

/// As in `strata.model.provider`.
pub const NAME: &str = "ollama";

const PORT: u16 = 11434;

/// Ollama takes any number and works through them; a call is to end in time.
const LIMITS: Limits = Limits { texts: 256, tokens: None, call_tokens: Some(100_000) };

/// A model of Ollama.
pub struct Ollama {
    model: String,
    dimensions: usize,
    endpoint: Endpoint,
}

/// Opens a model by its name, with its tag where it has one.
pub fn open(model: &str, dimensions: usize) -> Result<Ollama, ProviderError> {
    at(&variable("OLLAMA_HOST").unwrap_or_default(), model, dimensions)
}

/// The same with the host said.
pub fn at(host: &str, model: &str, dimensions: usize) -> Result<Ollama, ProviderError> {
    Ok(Ollama { model: model.into(), dimensions, endpoint: Endpoint::new(&base(host), "api/embed", None)? })
}

/// A URL from `host`, `host:port` or a URL. A server's own "every address" is this machine for a client.
fn base(host: &str) -> String {
    let (scheme, rest) = host.split_once("://").unwrap_or(("http", host));
    let rest = rest.replace("0.0.0.0", "127.0.0.1");
    match (rest.is_empty(), scheme == "https" || rest.contains([':', '/'])) {
        (true, _) => format!("{scheme}://127.0.0.1:{PORT}"),
        (false, true) => format!("{scheme}://{rest}"),
        (false, false) => format!("{scheme}://{rest}:{PORT}"),
    }
}

impl Ollama {
    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let body = json!({"model": self.model, "input": texts, "truncate": true});
        let answer = self.endpoint.post(&body).await.map_err(|cause| self.absent(cause))?;
        let answer: Body = serde_json::from_slice(&answer)
            .map_err(|cause| ProviderError::wrong_shape(format!("it is not what was expected: {cause}")))?;
        Ok(answer.embeddings.into_iter().map(super::numbers).collect())
    }

    /// The next command where the model is not there.
    fn absent(&self, cause: ProviderError) -> ProviderError {
        match cause {
            ProviderError::Misconfigured { reason, .. } if reason.contains("answered 404") => {
                ProviderError::misconfigured(reason).with_hint(format!("run \"ollama pull {}\"", self.model))
            }
            other => other,
        }
    }
}

impl Provider for Ollama {
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
    embeddings: Vec<Vec<Option<f32>>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_understood_as_ollama_writes_it() {
        for (host, url) in [
            ("", "http://127.0.0.1:11434"),
            ("0.0.0.0", "http://127.0.0.1:11434"),
            ("gpu", "http://gpu:11434"),
            ("gpu:80", "http://gpu:80"),
            ("https://gpu.example", "https://gpu.example"),
            ("http://gpu:1/below", "http://gpu:1/below"),
        ] {
            assert_eq!(base(host), url);
        }
    }
}
