//! An answer of a provider that is no success: what its status means, and what may be passed on of what it says.

use super::ProviderError;
use serde_json::Value;
use std::time::Duration;

/// Longest part of what a provider said that is passed on. Unit: characters.
const SAID: usize = 300;

/// Longest wait that is believed.
const WAIT: Duration = Duration::from_secs(3600);

/// What came back.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// Whom we asked, as messages name it.
    pub address: &'a str,
    /// The status.
    pub status: u16,
    /// When the provider asks to be called again.
    pub wait: Option<Duration>,
    /// What it said.
    pub body: &'a [u8],
    /// What must not be repeated, should the provider have done so.
    pub key: Option<&'a str>,
}

impl From<Refusal<'_>> for ProviderError {
    fn from(refusal: Refusal<'_>) -> ProviderError {
        let (said, code) = said(refusal.body);
        let reason = format!("{} answered {}: {said}", refusal.address, refusal.status);
        let reason = refusal.key.map_or_else(|| reason.clone(), |key| reason.replace(key, "***"));
        let wait = refusal.wait;
        match refusal.status {
            401 | 403 => ProviderError::misconfigured(reason)
                .with_hint("set the key of the provider in its environment variable".into()),
            429 if code == "insufficient_quota" => ProviderError::misconfigured(reason)
                .with_hint("the provider wants to be paid; the jobs wait in the queue".into()),
            429 => ProviderError::busy(reason, wait),
            503 | 529 if wait.is_some() => ProviderError::busy(reason, wait),
            408 | 425 | 500.. => ProviderError::unavailable(reason, wait),
            400 | 413 | 422 => ProviderError::Rejected { row: None, reason },
            _ => ProviderError::misconfigured(reason)
                .with_hint("look at the URL of the provider and at the name of the model".into()),
        }
    }
}

/// The wait of a line `Retry-After`: seconds, or a date, which `until` turns into seconds from now.
pub fn retry_after(line: &str, until: impl FnOnce(&str) -> Option<f64>) -> Option<Duration> {
    let line = line.trim();
    let seconds = line.parse().ok().or_else(|| until(line))?;
    (seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(WAIT.as_secs_f64())))
}

/// What a body says went wrong, in one line, and the code beside it.
fn said(body: &[u8]) -> (String, String) {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = &json["error"];
    let message = error["message"].as_str().or(error.as_str()).or(json["message"].as_str());
    let text = message.map_or_else(|| String::from_utf8_lossy(body).into_owned(), str::to_owned);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // Such as a NUL, which no text of the database can hold.
    let line = line.chars().filter(|c| !c.is_control());
    let code = error["code"].as_str().or(error["type"].as_str()).unwrap_or_default();
    (line.take(SAID).collect(), code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, wait: Option<u64>, body: &str) -> ProviderError {
        let (wait, body) = (wait.map(Duration::from_secs), body.as_bytes());
        Refusal { address: "localhost:1", status, wait, body, key: Some("sk-1234") }.into()
    }

    #[test]
    fn each_status_means_what_can_be_done_about_it() {
        assert!(matches!(refused(401, None, ""), ProviderError::Misconfigured { .. }));
        assert!(matches!(refused(404, None, ""), ProviderError::Misconfigured { .. }));
        assert!(matches!(refused(302, None, ""), ProviderError::Misconfigured { .. }));
        assert!(matches!(refused(400, None, ""), ProviderError::Rejected { row: None, .. }));
        assert!(matches!(refused(500, None, ""), ProviderError::Unavailable { .. }));
        assert!(matches!(refused(503, None, ""), ProviderError::Unavailable { .. }));
        assert!(matches!(refused(503, Some(1), ""), ProviderError::Busy { .. }));
        assert_eq!(refused(429, Some(7), "").retry_after(), Some(Duration::from_secs(7)));
        let unpaid = refused(429, None, r#"{"error": {"code": "insufficient_quota", "message": "pay"}}"#);
        assert!(matches!(unpaid, ProviderError::Misconfigured { .. }), "{unpaid}");
    }

    #[test]
    fn what_the_provider_says_is_passed_on_in_one_line_and_without_the_key() {
        let told =
            refused(401, None, r#"{"error": {"message": "Incorrect\nkey sk-1234 given"}}"#).to_string();
        assert_eq!(told, "localhost:1 answered 401: Incorrect key *** given");
        assert_eq!(said(b"<html>\n no </html>").0, "<html> no </html>");
        assert_eq!(said(br#"{"error": "model not found"}"#).0, "model not found");
        assert_eq!(
            said(br#"{"error": "bad\u0000 text"}"#).0,
            "bad text",
            "no text of the database holds a NUL"
        );
    }

    #[test]
    fn a_wait_is_seconds_or_a_date() {
        let seconds = |line: &str| retry_after(line, |_| None);
        assert_eq!(seconds(" 1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(seconds("86400"), Some(WAIT));
        for nothing in ["-1", "NaN", "soon", ""] {
            assert_eq!(seconds(nothing), None, "{nothing}");
        }
        let date = |from_now| retry_after("Wed, 21 Oct 2150 07:28:00 GMT", |_| Some(from_now));
        assert_eq!(date(2.0), Some(Duration::from_secs(2)));
        assert_eq!(date(-2.0), None, "past");
        assert_eq!(date(f64::INFINITY), Some(WAIT));
    }
}
