//! The Edge Function as a client sees it: a URL, a key, JSON both ways, and its errors as ours.

use crate::provider::{client_to, innermost};
use crate::secret_key;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, Url};
use serde_json::{Value, json};
use std::time::Duration;
use strata_core::{Error, Kind};

/// Longest that an answer may take; the platform gives 150 seconds.
const PATIENCE: Duration = Duration::from_secs(160);

/// How often something that may be delivered more than once is sent before the connection is given up, and the pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// A function and our key for it.
pub struct Function {
    client: Client,
    base: Url,
    key: HeaderValue,
}

impl Function {
    /// At this URL, with the key of the environment.
    pub fn at(url: &str) -> Result<Function, Error> {
        let wrong = |why: String| {
            Error::new(Kind::BadArgument, format!("--via \"{url}\": {why}"))
                .hint("such as https://PROJECT.supabase.co/functions/v1/strata")
        };
        let base: Url =
            format!("{}/", url.trim_end_matches('/')).parse().map_err(|e| wrong(format!("{e}")))?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() || base.query().is_some() {
            return Err(wrong("it is not the URL of a function".into()));
        }
        let client = client_to(&base).timeout(PATIENCE).build().map_err(|e| wrong(e.to_string()))?;
        Ok(Function { client, base, key: secret_key::read()? })
    }

    /// Where it is, for messages.
    pub fn address(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.patiently(Method::GET, path, (None, None)).await
    }

    /// Asks for something that may not be done twice.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, path, (Some(body), None)).await
    }

    /// Asks for something once, however often it has to be sent.
    pub async fn post_once(&self, path: &str, body: &Value) -> Result<Value, Error> {
        let key = uuid::Uuid::new_v4().to_string();
        self.patiently(Method::POST, path, (Some(body), Some(&key))).await
    }

    async fn patiently(
        &self,
        method: Method,
        path: &str,
        sent: (Option<&Value>, Option<&str>),
    ) -> Result<Value, Error> {
        for _ in 1..TRIES {
            match self.send(method.clone(), path, sent).await {
                Err(error) if error.kind() == Kind::CannotConnect => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
        self.send(method, path, sent).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        (body, once): (Option<&Value>, Option<&str>),
    ) -> Result<Value, Error> {
        let url = self.base.join(path).map_err(|e| Error::new(Kind::BadArgument, format!("{path}: {e}")))?;
        let mut request = self.client.request(method, url).header("apikey", self.key.clone());
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let lost = |cause: reqwest::Error| self.lost(&cause);
        let answer = request.send().await.map_err(lost)?;
        let status = answer.status().as_u16();
        let text = answer.bytes().await.map_err(lost)?;
        let said = serde_json::from_slice(&text).ok();
        match (status, said) {
            (200..300, Some(said)) => Ok(said),
            (status, said) => Err(self.refused(status, said.unwrap_or_default())),
        }
    }

    fn lost(&self, cause: &reqwest::Error) -> Error {
        let why = if cause.is_timeout() { "it took too long".to_owned() } else { innermost(cause) };
        Error::new(Kind::CannotConnect, format!("cannot reach {}: {why}", self.address()))
            .hint("is it the URL of the function?")
    }

    /// What is no success, as the error that it is at every other door.
    fn refused(&self, status: u16, said: Value) -> Error {
        let text = |name: &str| said[name].as_str().filter(|text| !text.is_empty());
        let (Some(code), Some(message)) = (text("code"), text("message")) else {
            let message = format!("{} answered {status}, and not as the function does", self.address());
            return Error::new(Kind::CannotConnect, message).hint("is it the URL of the function?");
        };
        error(code, message, (text("details"), text("hint")))
    }
}

/// An error that was told by its SQLSTATE.
pub fn error(code: &str, message: &str, (detail, hint): (Option<&str>, Option<&str>)) -> Error {
    let mut error = Error::new(kind(code, message), message);
    if !code.starts_with("HT") {
        error = error.with_sqlstate(code);
    }
    if let Some(detail) = detail {
        error = error.detail(detail);
    }
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The kind behind a SQLSTATE; where several have one, the message tells which.
fn kind(code: &str, message: &str) -> Kind {
    match code {
        "42704" if message.starts_with("pack ") && message.ends_with(" is not known here") => {
            Kind::UnknownPack
        }
        "42704" => Kind::NotFound,
        "22000" if message.contains("dimensions") => Kind::WrongDimension,
        "22004" | "55000" => Kind::BadArgument,
        "HT500" => Kind::Failed,
        _ if code.starts_with("HT") => Kind::BadArgument,
        _ => Kind::ALL.into_iter().find(|kind| kind.sqlstate() == code).unwrap_or(Kind::Failed),
    }
}

/// `{"pack": name}`
pub fn about(pack: &str) -> Value {
    json!({"pack": pack})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_exit_code_that_it_has_at_a_connection() {
        for (code, message, exit) in [
            ("42704", "pack \"a\" is not known here", 15),
            ("42704", "run 1 does not exist", 24),
            ("42704", "pack \"a\" has no item \"x\"", 24),
            ("ST009", "the gate of phase 2 is not met", 9),
            ("55P03", "held", 6),
            ("28P01", "the key is not one of this project", 20),
            ("42501", "no", 26),
            ("22023", "no", 2),
            ("22012", "division by zero", 1),
            ("22000", "expected 3 dimensions, not 2", 18),
            ("55000", "item 2.ready is not signed", 2),
            ("08001", "the database cannot be reached", 10),
            ("HT404", "there is no route", 2),
            ("HT500", "the function failed", 1),
        ] {
            let error = error(code, message, (None, Some("do")));
            assert_eq!((error.kind().exit_code(), error.get_hint()), (exit, Some("do")), "{code} {message}");
            assert!(code.starts_with("HT") || error.sqlstate() == code, "{code}");
        }
    }
}
