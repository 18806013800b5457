//! Models behind an HTTP call: OpenAI's and whoever speaks the same (`OPENAI_BASE_URL` says where, `OPENAI_API_KEY` holds the
//! key), and Ollama's (`OLLAMA_HOST`). All of it comes from the environment of the process alone: a URL in the database
//! would let whoever writes there send our key anywhere. What is said to them is core's.

use crate::provider::http::{Endpoint, variable};
use crate::provider::{Answer, Limits, Provider, ProviderError};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use strata_core::embed::{self, Dialect};

const OPENAI: &str = "https://api.openai.com/v1";

/// A model.
pub struct Remote {
    dialect: Dialect,
    model: String,
    dimensions: usize,
    endpoint: Endpoint,
    /// Whether the call names the dimensions.
    names_dimensions: AtomicBool,
}

/// Opens a model by its name. Misconfigured where OpenAI itself is meant and there is no key.
pub fn open(dialect: Dialect, model: &str, dimensions: usize) -> Result<Remote, ProviderError> {
    let (base, key) = match dialect {
        Dialect::Ollama => (embed::ollama_base(&variable("OLLAMA_HOST").unwrap_or_default()), None),
        Dialect::OpenAi => (variable("OPENAI_BASE_URL").unwrap_or_default(), variable("OPENAI_API_KEY")),
    };
    if base.is_empty() && key.is_none() {
        return Err(ProviderError::misconfigured(format!(
            "model {model:?} needs OPENAI_API_KEY, which is not set"
        ))
        .with_hint("set it in the environment, or OPENAI_BASE_URL to a server that needs no key".into()));
    }
    let base = if base.is_empty() { OPENAI } else { &base };
    let endpoint = Endpoint::new(base, dialect.path(), key)?;
    let names_dimensions = AtomicBool::new(dialect.names_dimensions(model));
    Ok(Remote { dialect, model: model.into(), dimensions, endpoint, names_dimensions })
}

impl Remote {
    async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let made = self.call(texts).await?;
        let fits = made.iter().all(|vector| vector.len() == self.dimensions);
        // A model that can shorten its vectors does so when it is told; the others are refused by their dimension.
        let again = !fits && self.dialect == Dialect::OpenAi && !self.names_dimensions.swap(true, Relaxed);
        if again { self.call(texts).await } else { Ok(made) }
    }

    async fn call(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let dimensions = self.names_dimensions.load(Relaxed).then_some(self.dimensions);
        let body = self.dialect.request(&self.model, texts, dimensions);
        let answer = self.endpoint.post(&body).await;
        let answer = answer.map_err(|cause| self.dialect.explained(cause, &self.model))?;
        self.dialect.read(&answer, texts.len())
    }
}

impl Provider for Remote {
    fn name(&self) -> &str {
        match self.dialect {
            Dialect::OpenAi => embed::OPENAI,
            Dialect::Ollama => embed::OLLAMA,
        }
    }

    fn model(&self) -> &str {
        &self.model
    }

    fn dimensions(&self) -> usize {
        self.dimensions
    }

    fn limits(&self) -> Limits {
        self.dialect.limits()
    }

    fn embed<'a>(&'a self, texts: &'a [String]) -> Answer<'a, Vec<Vec<f32>>> {
        Box::pin(self.vectors(texts))
    }
}
