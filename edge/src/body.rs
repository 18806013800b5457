//! The body of a request: JSON, of a size that somebody meant, with no fields but the route's.

use crate::fault::{Fault, Protocol};
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use strata_core::Kind;

/// Largest body. Unit: bytes. The largest that is meant is an embedding of some 4,000 numbers with all their digits.
pub const LIMIT: usize = 262_144;

/// How much of a body that is too large is read and thrown away, so that its sender gets to read the refusal. Unit: bytes.
pub const PATIENCE: usize = 8_388_608;

/// How long such reading may take where nothing depends on it. Unit: milliseconds.
pub const HURRY: f64 = 1_000.0;

/// Longest idempotency key. Unit: characters.
const KEY: usize = 255;

/// Refuses a body that its sender says will not be read to its end.
pub fn announced(content_length: Option<&str>) -> Result<(), Fault> {
    match content_length.map(str::parse::<u64>) {
        Some(Ok(length)) if length > PATIENCE as u64 => Err(too_large()),
        _ => Ok(()),
    }
}

/// The body is larger than any that is meant.
pub fn too_large() -> Fault {
    Fault::protocol(Protocol::TooLarge, format!("a body has at most {LIMIT} bytes"))
}

/// Reads a body.
pub fn read<T: DeserializeOwned>(content_type: Option<&str>, body: &[u8]) -> Result<T, Fault> {
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Fault::protocol(Protocol::NotJson, "the body must be JSON")
            .hint("send it with content-type: application/json"));
    }
    // serde would take the values of an array for the fields, in their order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Fault::of(Kind::BadArgument, "the body must be a JSON object, not an array"));
    }
    serde_json::from_slice(body).map_err(|cause| match cause.classify() {
        Category::Data => Fault::of(Kind::BadArgument, format!("the body: {cause}")),
        Category::Io | Category::Syntax | Category::Eof => {
            Fault::protocol(Protocol::BadBody, format!("the body is no JSON: {cause}"))
        }
    })
}

/// The key under which a request may be delivered twice. A structured field (RFC 9651) has quotes, most senders' has
/// none.
pub fn idempotency_key(line: Option<&str>) -> Result<Option<String>, Fault> {
    let Some(line) = line.map(str::trim) else { return Ok(None) };
    let key = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(line);
    if (1..=KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(Some(key.to_owned()));
    }
    Err(Fault::of(Kind::BadArgument, format!("Idempotency-Key must be 1 to {KEY} visible ASCII characters")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Migrate;

    fn refusal(content_type: Option<&str>, body: &str) -> (u16, String, String) {
        let fault = read::<Migrate>(content_type, body.as_bytes()).unwrap_err();
        (fault.status, fault.body.code, fault.body.message)
    }

    const JSON: Option<&str> = Some("application/json; charset=utf-8");

    #[test]
    fn an_array_is_no_body() {
        let (status, code, message) = refusal(JSON, r#" ["aurum", 8]"#);
        assert_eq!((status, code.as_str()), (400, "22023"), "{message}");
    }

    #[test]
    fn a_body_is_read() {
        let asked: Migrate = read(JSON, br#"{"pack": "aurum", "to_phase": 8}"#).unwrap();
        assert_eq!((asked.pack.as_str(), asked.to_phase), ("aurum", Some(8)));
    }

    #[test]
    fn what_is_no_json_is_told_where_it_ends_to_be() {
        let (status, code, message) = refusal(JSON, "{bad");
        assert_eq!((status, code.as_str()), (400, "HT400"));
        assert!(message.contains("line 1"), "{message}");
        assert_eq!(refusal(JSON, "").0, 400);
        assert_eq!(refusal(JSON, &"[".repeat(100_000)).0, 400);
    }

    #[test]
    fn wrong_types_and_unknown_fields_are_told_by_name() {
        for (body, part) in [
            (r#"{"pack": 1}"#, "invalid type"),
            (r#"{"pack": "a", "schema": "public"}"#, "unknown field `schema`"),
            (r#"{}"#, "missing field `pack`"),
            (r#"{"pack": "A B"}"#, "cannot be the name of a pack"),
            (r#"{"pack": "a", "pack": "b"}"#, "duplicate field"),
            (r#"{"pack": "a", "to_phase": 2147483648}"#, "invalid value"),
            ("[]", "not an array"),
            ("null", "invalid type"),
        ] {
            let (status, code, message) = refusal(JSON, body);
            assert_eq!((status, code.as_str()), (400, "22023"), "{body}");
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn only_json_is_read() {
        for content_type in [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("")] {
            assert_eq!(refusal(content_type, r#"{"pack": "a"}"#).0, 415, "{content_type:?}");
        }
    }

    #[test]
    fn a_huge_body_is_refused_before_it_is_read() {
        assert_eq!(announced(Some("8388609")).unwrap_err().status, 413);
        assert!(announced(Some("262145")).is_ok() && announced(None).is_ok());
    }

    #[test]
    fn an_idempotency_key_may_have_quotes_and_no_more() {
        assert_eq!(idempotency_key(Some("\"a-1\"")), Ok(Some("a-1".into())));
        assert_eq!(idempotency_key(Some(" a-1 ")), Ok(Some("a-1".into())));
        assert_eq!(idempotency_key(None), Ok(None));
        for bad in ["", "a b", "\u{fc}", &"k".repeat(256)] {
            assert_eq!(idempotency_key(Some(bad)).unwrap_err().status, 400, "{bad}");
        }
    }
}
