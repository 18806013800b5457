//! The two ways in which providers are spoken to over HTTP: OpenAI's, which many others speak, and Ollama's own.

use super::{Limits, ProviderError, numbers};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// As in `strata.model.provider`.
pub const OPENAI: &str = "openai";

/// As in `strata.model.provider`.
pub const OLLAMA: &str = "ollama";

/// Where Ollama listens unless somebody says otherwise.
const OLLAMA_PORT: u16 = 11434;

/// How a provider is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenAI, and whatever speaks the same.
    OpenAi,
    /// Ollama.
    Ollama,
}

impl Dialect {
    /// Of a provider, by its name in `strata.model`; none: it is not spoken to over HTTP.
    pub fn of(provider: &str) -> Option<Dialect> {
        match provider {
            OPENAI => Some(Dialect::OpenAi),
            OLLAMA => Some(Dialect::Ollama),
            _ => None,
        }
    }

    /// What is called below the URL of the provider.
    pub const fn path(self) -> &'static str {
        match self {
            Dialect::OpenAi => "embeddings",
            Dialect::Ollama => "api/embed",
        }
    }

    /// What it takes in one call. Ollama takes any number and works through them; a call is to end in time.
    pub const fn limits(self) -> Limits {
        match self {
            Dialect::OpenAi => Limits { texts: 2048, tokens: None, call_tokens: Some(250_000) },
            Dialect::Ollama => Limits { texts: 256, tokens: None, call_tokens: Some(100_000) },
        }
    }

    /// Whether a model is told its dimensions from the beginning. Models that know one number only may refuse to be told.
    pub fn names_dimensions(self, model: &str) -> bool {
        self == Dialect::OpenAi && model.starts_with("text-embedding-3")
    }

    /// The body of a call. `dimensions`: to be named.
    pub fn request(self, model: &str, texts: &[String], dimensions: Option<usize>) -> Value {
        match (self, dimensions) {
            (Dialect::Ollama, _) => json!({"model": model, "input": texts, "truncate": true}),
            (Dialect::OpenAi, None) => json!({"model": model, "input": texts, "encoding_format": "float"}),
            (Dialect::OpenAi, Some(dimensions)) => {
                json!({"model": model, "input": texts, "encoding_format": "float", "dimensions": dimensions})
            }
        }
    }

    /// The vectors of an answer to so many texts, in the order of the texts.
    pub fn read(self, body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, ProviderError> {
        match self {
            Dialect::OpenAi => in_order(parsed::<Indexed>(body)?.data, texts),
            Dialect::Ollama => Ok(parsed::<Plain>(body)?.embeddings.into_iter().map(numbers).collect()),
        }
    }

    /// The same failure with the next command, where only this provider has one.
    pub fn explained(self, cause: ProviderError, model: &str) -> ProviderError {
        match cause {
            ProviderError::Misconfigured { reason, .. }
                if self == Dialect::Ollama && reason.contains("answered 404") =>
            {
                ProviderError::misconfigured(reason).with_hint(format!("run \"ollama pull {model}\""))
            }
            other => other,
        }
    }
}

#[derive(Deserialize)]
struct Indexed {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<Option<f32>>,
}

#[derive(Deserialize)]
struct Plain {
    embeddings: Vec<Vec<Option<f32>>>,
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ProviderError> {
    serde_json::from_slice(body)
        .map_err(|cause| ProviderError::wrong_shape(format!("it is not what was expected: {cause}")))
}

/// One vector a text, in the order of the texts: the answer's own order is not promised.
fn in_order(items: Vec<Item>, texts: usize) -> Result<Vec<Vec<f32>>, ProviderError> {
    let found = items.len();
    let mut slots: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (n, item) in items.into_iter().enumerate() {
        let at = item.index.unwrap_or(n);
        match slots.get_mut(at) {
            Some(slot @ None) => *slot = Some(numbers(item.embedding)),
            _ => {
                return Err(ProviderError::wrong_shape(format!(
                    "vector {at} of {texts} came twice, or too many"
                )));
            }
        }
    }
    slots
        .into_iter()
        .collect::<Option<_>>()
        .ok_or_else(|| ProviderError::wrong_shape(format!("expected {texts} vectors, not {found}")))
}

/// The URL of Ollama from `host`, `host:port` or a URL, as its own programs understand it. A server's own "every address" is
/// this machine for a client.
pub fn ollama_base(host: &str) -> String {
    let (scheme, rest) = host.split_once("://").unwrap_or(("http", host));
    let rest = rest.replace("0.0.0.0", "127.0.0.1");
    match (rest.is_empty(), scheme == "https" || rest.contains([':', '/'])) {
        (true, _) => format!("{scheme}://127.0.0.1:{OLLAMA_PORT}"),
        (false, true) => format!("{scheme}://{rest}"),
        (false, false) => format!("{scheme}://{rest}:{OLLAMA_PORT}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &[u8], texts: usize) -> Result<Vec<Vec<f32>>, ProviderError> {
        Dialect::OpenAi.read(body, texts)
    }

    #[test]
    fn vectors_come_back_in_the_order_of_the_texts() {
        let body = br#"{"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1]}]}"#;
        assert_eq!(read(body, 2), Ok(vec![vec![1.0], vec![2.0]]));
        assert_eq!(read(br#"{"data": [{"embedding": [3]}]}"#, 1), Ok(vec![vec![3.0]]), "without an index");
        let plain = Dialect::Ollama.read(br#"{"embeddings": [[1, 2], [3, 4]]}"#, 2);
        assert_eq!(plain, Ok(vec![vec![1.0, 2.0], vec![3.0, 4.0]]));
    }

    #[test]
    fn refuses_what_is_not_one_vector_a_text() {
        let reason = |body: &str, texts| match read(body.as_bytes(), texts) {
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

    #[test]
    fn dimensions_are_named_where_they_are_said() {
        let texts = ["a".to_owned()];
        let body = |dialect: Dialect, dimensions| dialect.request("m", &texts, dimensions);
        assert_eq!(body(Dialect::OpenAi, None).get("dimensions"), None);
        assert_eq!(body(Dialect::OpenAi, Some(3))["dimensions"], 3);
        assert_eq!(body(Dialect::Ollama, Some(3)).get("dimensions"), None, "it does not know the word");
        assert!(Dialect::OpenAi.names_dimensions("text-embedding-3-small"));
        assert!(
            !Dialect::OpenAi.names_dimensions("m")
                && !Dialect::Ollama.names_dimensions("text-embedding-3-small")
        );
    }

    #[test]
    fn a_model_that_ollama_does_not_have_is_told_with_the_next_command() {
        let cause = || ProviderError::misconfigured("o:1 answered 404: model not found".into());
        assert_eq!(Dialect::Ollama.explained(cause(), "m").hint(), Some("run \"ollama pull m\""));
        assert_eq!(Dialect::OpenAi.explained(cause(), "m"), cause());
    }

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
            assert_eq!(ollama_base(host), url);
        }
    }
}
