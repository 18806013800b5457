//! Who turns texts into vectors, and how they are reached from here. What is said to them is core's.

use crate::fault::Fault;
use serde::Deserialize;
use strata_core::Kind;
use strata_core::embed::{self, Dialect, ProviderError};

/// A model, as `strata.search_model` tells of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Model {
    /// As the provider knows it.
    pub model: String,
    /// Who runs it.
    pub provider: String,
    /// Of its vectors.
    pub dimensions: usize,
}

/// How a provider is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// How it is spoken to.
    pub dialect: Dialect,
    /// Where vectors are made.
    pub url: String,
    /// For `Authorization`, where it needs one.
    pub key: Option<String>,
    /// Longest that it may take. Unit: milliseconds.
    pub patience: u32,
}

impl Way {
    /// `host:port`, for messages.
    pub fn address(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let host = rest.split('/').next().unwrap_or_default();
        host.rsplit_once('@').map_or(host, |(_, host)| host)
    }
}

/// What the environment says of providers.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    /// `OPENAI_BASE_URL`, with the version in it.
    pub openai_url: Option<String>,
    /// `OPENAI_API_KEY`
    pub openai_key: Option<String>,
    /// `OLLAMA_HOST`
    pub ollama_url: Option<String>,
    /// `STRATA_PROVIDER_TIMEOUT`: longest that a call may take. Unit: milliseconds.
    pub patience: Option<u32>,
}

/// Longest that a call may take, unless somebody says otherwise. Unit: milliseconds.
pub const PATIENCE: u32 = 30_000;

const OPENAI: &str = "https://api.openai.com/v1";

impl Providers {
    /// How the provider of a model is reached from here.
    pub fn way(&self, model: &Model) -> Result<Way, Fault> {
        let Some(dialect) = Dialect::of(&model.provider) else {
            let (name, provider) = (&model.model, &model.provider);
            return Err(failed(format!("model {name} of provider \"{provider}\" does not run here"))
                .hint("send an embedding in place of the text, or use a model of openai or ollama"));
        };
        let (base, key) = match dialect {
            Dialect::OpenAi if self.openai_key.is_none() && self.openai_url.is_none() => {
                return Err(unset(model, "OPENAI_API_KEY"));
            }
            Dialect::OpenAi => {
                (self.openai_url.clone().unwrap_or_else(|| OPENAI.to_owned()), self.openai_key.clone())
            }
            Dialect::Ollama => match &self.ollama_url {
                Some(host) => (embed::ollama_base(host), None),
                None => return Err(unset(model, "OLLAMA_HOST")),
            },
        };
        let url = format!("{}/{}", base.trim_end_matches('/'), dialect.path());
        Ok(Way { dialect, url, key, patience: self.patience.unwrap_or(PATIENCE) })
    }
}

fn unset(model: &Model, variable: &str) -> Fault {
    failed(format!("model {} has no provider here", model.model))
        .hint(format!("set {variable} among the function's secrets"))
}

/// What a failure means to somebody who searches: what the provider has said is for whoever runs it.
pub fn told(model: &Model, cause: &ProviderError) -> Fault {
    let name = &model.model;
    let again = "repeat the request in a while";
    match cause {
        ProviderError::Unavailable { .. } => {
            failed(format!("the provider of {name} is not available")).hint(again)
        }
        ProviderError::Busy { .. } => {
            failed(format!("the provider of {name} has too much to do")).hint(again)
        }
        ProviderError::Rejected { .. } => failed(format!("the provider of {name} does not take this text")),
        ProviderError::Misconfigured { .. } => failed(format!(
            "the provider of {name} refuses to work for this project"
        ))
        .hint("look at its key and its URL among the function's secrets, and at the name of the model"),
        ProviderError::WrongDimension { .. } => failed(format!(
            "the provider of {name} answers with another number of dimensions than {}",
            model.dimensions
        ))
        .hint("register the model with the dimensions that it has"),
        ProviderError::WrongShape { .. } => {
            failed(format!("the provider of {name} answered in another form"))
        }
    }
}

/// The provider failed.
pub fn failed(message: String) -> Fault {
    Fault::of(Kind::ProviderFailed, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(provider: &str) -> Model {
        Model { model: "m".into(), provider: provider.into(), dimensions: 2 }
    }

    #[test]
    fn a_provider_is_reached_where_the_environment_says() {
        let providers = Providers {
            openai_url: None,
            openai_key: Some("k".into()),
            ollama_url: Some("http://o:1/".into()),
            patience: None,
        };
        let openai = providers.way(&model("openai")).unwrap();
        assert_eq!(
            (openai.url.as_str(), openai.key.as_deref()),
            ("https://api.openai.com/v1/embeddings", Some("k"))
        );
        assert_eq!(openai.address(), "api.openai.com");
        let ollama = providers.way(&model("ollama")).unwrap();
        assert_eq!((ollama.url.as_str(), ollama.key.as_deref()), ("http://o:1/api/embed", None));
        assert_eq!(ollama.address(), "o:1");
    }

    #[test]
    fn a_model_that_cannot_run_here_is_told_with_what_to_do() {
        for (provider, part) in
            [("local", "send an embedding"), ("openai", "OPENAI_API_KEY"), ("ollama", "OLLAMA_HOST")]
        {
            let fault = Providers::default().way(&model(provider)).unwrap_err();
            assert_eq!((fault.status, fault.body.code.as_str()), (502, "ST023"));
            assert!(fault.body.hint.unwrap().contains(part), "{provider}");
        }
    }

    #[test]
    fn who_searches_is_not_told_what_the_provider_said() {
        for cause in [
            ProviderError::unavailable("inside".into(), None),
            ProviderError::busy("inside".into(), None),
            ProviderError::rejected(0, "inside".into()),
            ProviderError::misconfigured("inside".into()),
            ProviderError::wrong_shape("inside".into()),
            ProviderError::WrongDimension { reason: "inside".into(), hint: "inside".into() },
        ] {
            let fault = told(&model("openai"), &cause);
            assert_eq!((fault.status, fault.body.code.as_str()), (502, "ST023"));
            assert!(!fault.json().contains("inside"), "{}", fault.json());
        }
    }
}
