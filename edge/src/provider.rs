//! Who turns texts into vectors: the provider of the model that the sources use. What is sent and what comes back, without
//! the sending.

use crate::fault::Fault;
use serde::Deserialize;
use serde_json::{Value, json};
use strata_core::Kind;

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

/// How a provider is reached: an API like OpenAI's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where vectors are made.
    pub url: String,
    /// For `Authorization`, where it needs one.
    pub key: Option<String>,
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
}

const OPENAI: &str = "https://api.openai.com/v1";

impl Providers {
    /// How the provider of a model is reached from here.
    pub fn way(&self, model: &Model) -> Result<Way, Fault> {
        let http = |base: &str, key: Option<String>| Way {
            url: format!("{}/embeddings", base.trim_end_matches('/')),
            key,
        };
        match model.provider.as_str() {
            "openai" if self.openai_key.is_none() && self.openai_url.is_none() => {
                Err(unset(model, "OPENAI_API_KEY"))
            }
            "openai" => Ok(http(self.openai_url.as_deref().unwrap_or(OPENAI), self.openai_key.clone())),
            "ollama" => match &self.ollama_url {
                Some(url) => Ok(http(&format!("{}/v1", url.trim_end_matches('/')), None)),
                None => Err(unset(model, "OLLAMA_HOST")),
            },
            other => Err(failed(format!("model {} of provider \"{other}\" does not run here", model.model))
                .hint("send an embedding in place of the text, or use a model of openai or ollama")),
        }
    }
}

fn unset(model: &Model, variable: &str) -> Fault {
    failed(format!("model {} has no provider here", model.model))
        .hint(format!("set {variable} among the function's secrets"))
}

/// The body of a request.
pub fn request(model: &Model, texts: &[String]) -> Value {
    json!({"model": model.model, "input": texts, "encoding_format": "float"})
}

#[derive(Deserialize)]
struct Reply {
    data: Vec<Datum>,
}

#[derive(Deserialize)]
struct Datum {
    index: Option<usize>,
    embedding: Vec<f64>,
}

/// The vectors of a reply, in the order of the texts.
pub fn vectors(model: &Model, texts: usize, reply: &str) -> Result<Vec<Vec<f64>>, Fault> {
    let reply: Reply = serde_json::from_str(reply)
        .map_err(|_| failed(format!("the provider of {} answered in another form", model.model)))?;
    let mut data: Vec<(usize, Vec<f64>)> = reply
        .data
        .into_iter()
        .enumerate()
        .map(|(at, datum)| (datum.index.unwrap_or(at), datum.embedding))
        .collect();
    data.sort_by_key(|(index, _)| *index);
    let vectors: Vec<Vec<f64>> = data.into_iter().map(|(_, embedding)| embedding).collect();
    checked(model, texts, vectors)
}

/// Refuses vectors that cannot be these texts'.
fn checked(model: &Model, texts: usize, vectors: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, Fault> {
    if vectors.len() != texts {
        let message =
            format!("the provider of {} answered {} vectors for {texts} texts", model.model, vectors.len());
        return Err(failed(message));
    }
    match vectors.iter().find(|vector| vector.len() != model.dimensions) {
        Some(vector) => {
            let message = format!(
                "the provider of {} answered {} dimensions, not {}",
                model.model,
                vector.len(),
                model.dimensions
            );
            Err(failed(message).hint("register the model with the dimensions that it has"))
        }
        None => Ok(vectors),
    }
}

/// What a status that is no success means.
pub fn refused(model: &Model, status: u16) -> Fault {
    let hint = match status {
        401 | 403 => "the key of the provider is not accepted",
        404 => "the provider does not have this model",
        429 => "the provider is asked too often: repeat the request in a while",
        _ => "repeat the request in a while",
    };
    failed(format!("the provider of {} answered with status {status}", model.model)).hint(hint)
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
        };
        let http = |url: &str, key: Option<&str>| Way { url: url.into(), key: key.map(str::to_owned) };
        let openai = http("https://api.openai.com/v1/embeddings", Some("k"));
        assert_eq!(providers.way(&model("openai")), Ok(openai));
        assert_eq!(providers.way(&model("ollama")), Ok(http("http://o:1/v1/embeddings", None)));
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
    fn vectors_come_in_the_order_of_the_texts() {
        let reply = r#"{"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2]}]}"#;
        assert_eq!(vectors(&model("openai"), 2, reply), Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    }

    #[test]
    fn what_is_no_answer_to_the_texts_is_refused() {
        for (reply, part) in [
            ("<html>", "another form"),
            (r#"{"data": []}"#, "0 vectors for 1 texts"),
            (r#"{"data": [{"embedding": [1]}]}"#, "1 dimensions, not 2"),
        ] {
            let fault = vectors(&model("openai"), 1, reply).unwrap_err();
            assert!(fault.body.message.contains(part), "{}", fault.body.message);
        }
        assert!(refused(&model("openai"), 429).body.hint.unwrap().contains("too often"));
    }
}
