//! HTTP for providers: one POST of JSON with a key that is never shown, and what each way to fail means.

use crate::provider::ProviderError;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, ClientBuilder, Response, Url, redirect};
use std::error::Error;
use std::time::Duration;
use strata_core::embed::{self, Refusal};

/// Longest that a connection may take to be there.
const CONNECT: Duration = Duration::from_secs(10);

/// Longest that a call may take, unless [`TIMEOUT_VARIABLE`] says otherwise. Chosen: the largest batches of hosted providers
/// take a few seconds; a call that hangs holds its rows until then.
const CALL: Duration = Duration::from_secs(60);

/// Overrides it. Unit: seconds.
const TIMEOUT_VARIABLE: &str = "STRATA_PROVIDER_TIMEOUT";

/// Largest answer that is read. Unit: bytes. 2,048 vectors of 3,072 numbers as text are about 140 MB.
const ANSWER: usize = 256 << 20;

/// Where a provider listens, and the key for it.
pub struct Endpoint {
    client: Client,
    url: Url,
    key: Option<String>,
}

/// Called `variable` with something in it.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

impl Endpoint {
    /// Opens no connection yet. `base` is a URL with or without a path, `path` what is called below it.
    pub fn new(base: &str, path: &str, key: Option<String>) -> Result<Endpoint, ProviderError> {
        let wrong = |why: String| ProviderError::misconfigured(format!("{base:?} is no URL to call: {why}"));
        let parse = |text: &str| text.parse::<Url>().map_err(|cause| wrong(cause.to_string()));
        let url = parse(base)?;
        if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong("http:// or https:// and a host are needed".into()));
        }
        let url = parse(&format!("{}/{path}", url.as_str().trim_end_matches('/')))?;
        Ok(Endpoint { client: client(&url)?, url, key })
    }

    /// `host:port`, for messages.
    pub fn address(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// The body of the answer, when its status is 200.
    pub async fn post(&self, body: &serde_json::Value) -> Result<Vec<u8>, ProviderError> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let request = match &self.key {
            Some(key) => request.header(AUTHORIZATION, secret(key)?),
            None => request,
        };
        let answer = request.body(body.to_string()).send().await.map_err(|cause| self.lost(&cause))?;
        let (status, wait) = (answer.status().as_u16(), wait(answer.headers()));
        let body = self.read(answer).await;
        match status {
            200 => body,
            _ => Err(self.refused(status, wait, &body.unwrap_or_default())),
        }
    }

    async fn read(&self, mut answer: Response) -> Result<Vec<u8>, ProviderError> {
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|cause| self.lost(&cause))? {
            body.extend_from_slice(&part);
            if body.len() > ANSWER {
                return Err(ProviderError::wrong_shape(format!("it is longer than {ANSWER} bytes")));
            }
        }
        Ok(body)
    }

    /// No answer, or half of one.
    fn lost(&self, cause: &reqwest::Error) -> ProviderError {
        let why = if cause.is_timeout() { "it took too long".to_owned() } else { innermost(cause) };
        ProviderError::unavailable(self.clean(&format!("{}: {why}", self.address())), None)
    }

    /// An answer that is no success.
    fn refused(&self, status: u16, wait: Option<Duration>, body: &[u8]) -> ProviderError {
        let (address, key) = (self.address(), self.key.as_deref());
        Refusal { address: &address, status, wait, body, key }.into()
    }

    /// Without the key, should the provider have repeated it.
    fn clean(&self, text: &str) -> String {
        match &self.key {
            Some(key) => text.replace(key.as_str(), "***"),
            None => text.to_owned(),
        }
    }
}

/// A client for what is at this URL.
pub fn client_to(url: &Url) -> ClientBuilder {
    // The first who asks decides for the process; Postgres connections name theirs.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder()
        .user_agent(concat!("strata/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        // A POST that is redirected arrives as a GET.
        .redirect(redirect::Policy::none());
    // What listens on this machine is not behind the proxy of the house.
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if local { builder.no_proxy() } else { builder }
}

/// Longest that a call of a provider may take.
pub fn patience() -> Result<Duration, ProviderError> {
    match variable(TIMEOUT_VARIABLE).map(|text| (text.parse::<f64>(), text)) {
        None => Ok(CALL),
        Some((Ok(seconds), _)) if seconds > 0.0 && seconds <= 86_400.0 => {
            Ok(Duration::from_secs_f64(seconds))
        }
        Some((_, text)) => {
            Err(ProviderError::misconfigured(format!("{TIMEOUT_VARIABLE} {text:?} is no number of seconds")))
        }
    }
}

fn client(url: &Url) -> Result<Client, ProviderError> {
    let failed =
        |cause| ProviderError::misconfigured(format!("HTTP cannot be set up: {}", innermost(&cause)));
    client_to(url).timeout(patience()?).build().map_err(failed)
}

fn secret(key: &str) -> Result<HeaderValue, ProviderError> {
    let mut value = HeaderValue::from_str(&format!("Bearer {key}")).map_err(|_| {
        ProviderError::misconfigured("the key of the provider has characters that no key has".into())
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// When the provider asks to be called again.
fn wait(headers: &HeaderMap) -> Option<Duration> {
    embed::retry_after(headers.get(RETRY_AFTER)?.to_str().ok()?, |date| {
        let then = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
        Some(then.duration_since(jiff::Timestamp::now()).as_secs_f64())
    })
}

/// The innermost cause: the outer ones repeat the URL.
pub fn innermost(cause: &reqwest::Error) -> String {
    let mut inner: &dyn Error = cause;
    while let Some(next) = inner.source() {
        inner = next;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(key: Option<&str>) -> Endpoint {
        Endpoint::new("http://localhost:1/v1/", "embeddings", key.map(str::to_owned)).unwrap()
    }

    #[test]
    fn a_path_goes_behind_the_base() {
        assert_eq!(endpoint(None).url.as_str(), "http://localhost:1/v1/embeddings");
        for bad in ["ftp://x", "localhost", "", "http://"] {
            assert!(Endpoint::new(bad, "embeddings", None).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).unwrap());
            wait(&headers)
        };
        assert_eq!(wait("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), None, "past");
        assert_eq!(wait("Wed, 21 Oct 2150 07:28:00 GMT"), Some(Duration::from_secs(3600)));
        assert_eq!(wait("soon"), None);
    }

    #[test]
    fn a_key_that_is_none_is_not_shown() {
        let told = secret("sk\n1").unwrap_err().to_string();
        assert!(!told.contains("sk"), "{told}");
        assert!(format!("{:?}", secret("sk-1").unwrap()).contains("Sensitive"));
    }
}
