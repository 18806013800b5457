//! What is answered when something goes wrong: PostgREST's `{code, message, details, hint}`, and the status.

use serde::{Deserialize, Serialize};
use strata_core::{Error, Kind};

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Of the answer.
    pub status: u16,
    /// Its body. Apart from the rest, so that a result that may be a fault stays small.
    pub body: Box<Body>,
    /// Further header lines.
    pub headers: Vec<(&'static str, String)>,
}

/// The body, as PostgREST writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "describe",
    derive(schemars::JsonSchema, ts_rs::TS),
    schemars(rename = "Error"),
    ts(rename = "Error")
)]
#[serde(deny_unknown_fields)]
pub struct Body {
    /// SQLSTATE, or one of [`Protocol`]'s.
    pub code: String,
    /// One line.
    pub message: String,
    /// More about the cause.
    pub details: Option<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// What HTTP itself is used wrongly for; no other door knows these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// The body is no JSON, or has other fields than the route's.
    BadBody,
    /// No such route.
    UnknownRoute,
    /// The route has other methods.
    WrongMethod,
    /// The body is larger than any that is meant.
    TooLarge,
    /// The body is not said to be JSON.
    NotJson,
    /// The function itself failed, or is not set up.
    Broken,
}

impl Protocol {
    /// Status; the code is `HT` and the status.
    pub const fn status(self) -> u16 {
        match self {
            Protocol::BadBody => 400,
            Protocol::UnknownRoute => 404,
            Protocol::WrongMethod => 405,
            Protocol::TooLarge => 413,
            Protocol::NotJson => 415,
            Protocol::Broken => 500,
        }
    }
}

impl Fault {
    /// Of HTTP's own.
    pub fn protocol(what: Protocol, message: impl Into<String>) -> Fault {
        let status = what.status();
        Fault::new(status, format!("HT{status}"), message.into())
    }

    /// Of a kind that every door knows.
    pub fn of(kind: Kind, message: impl Into<String>) -> Fault {
        Fault::new(kind.http_status(), kind.sqlstate().to_owned(), message.into())
    }

    fn new(status: u16, code: String, message: String) -> Fault {
        let body = Body { code, message, details: None, hint: None };
        Fault { status, body: Box::new(body), headers: Vec::new() }
    }

    /// Nobody, or nobody we know: the caller is to show a credential.
    pub fn unauthorized(message: impl Into<String>) -> Fault {
        let mut fault = Fault::of(Kind::NotAuthorized, message);
        fault.headers.push(("www-authenticate", "Bearer".to_owned()));
        fault
    }

    /// The same with what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Fault {
        self.body.hint = Some(hint.into());
        self
    }

    /// The same with more about the cause.
    pub fn details(mut self, details: impl Into<String>) -> Fault {
        self.body.details = Some(details.into());
        self
    }

    /// The body as text.
    pub fn json(&self) -> String {
        serde_json::to_string(&self.body).expect("texts serialize")
    }

    /// What PostgREST answered in place of a result. The status follows from the SQLSTATE, as at every other door; what
    /// tells about the inside of the database stays inside.
    pub fn database(status: u16, text: &str) -> Fault {
        let Ok(said) = serde_json::from_str::<Body>(text) else { return unreachable_database(status) };
        if said.code.starts_with("PGRST") {
            return postgrest(status, &said);
        }
        match status_of(&said.code) {
            // Nobody has left: the role's statement_timeout, or an operator, has ended it.
            Some(499) => Fault::new(503, said.code, "the database took too long".to_owned())
                .hint("repeat the request in a while, or ask for less"),
            Some(status) => Fault { status, body: Box::new(said), headers: Vec::new() },
            None => Fault::new(500, said.code, "the database could not do this".to_owned())
                .hint("its log tells more"),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let mut fault = Fault::of(error.kind(), error.message());
        error.sqlstate().clone_into(&mut fault.body.code);
        fault.body.details = error.get_detail().map(str::to_owned);
        fault.body.hint = error.get_hint().map(str::to_owned);
        fault
    }
}

/// The status of a SQLSTATE that a caller can act on. None: it tells of the inside.
fn status_of(code: &str) -> Option<u16> {
    if let Some(kind) = Kind::ALL.iter().find(|kind| kind.sqlstate() == code) {
        return Some(kind.http_status());
    }
    match (code, code.get(..2)?) {
        ("55000" | "55006", _) => Some(409),
        ("42883" | "42P01" | "42703" | "42804", _) => Some(409),
        ("40P01", _) | (_, "53") => Some(503),
        (_, "22" | "23" | "54") | ("P0001", _) => Some(400),
        _ => None,
    }
}

/// PostgREST's own refusals: of the token, or of a function that it does not show.
fn postgrest(status: u16, said: &Body) -> Fault {
    match said.code.get(5..6) {
        Some("3") => Fault::unauthorized("the database does not accept the token")
            .hint("sign in again, then repeat the request"),
        Some("0") if status == 503 => unreachable_database(status),
        Some("1" | "2") if matches!(status, 404 | 406) => {
            Fault::of(Kind::NotInstalled, "the API does not show what strata needs").hint(
                "add strata to the exposed schemas, run: select strata.grant_http('service_role'), then: notify pgrst, 'reload schema'",
            )
        }
        _ => unreachable_database(status),
    }
}

fn unreachable_database(status: u16) -> Fault {
    Fault::of(Kind::CannotConnect, "the database cannot be reached")
        .details(format!("its API answered with status {status}"))
        .hint("repeat the request in a while")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, code: &str, message: &str) -> Fault {
        let body = serde_json::json!({"code": code, "message": message, "details": null, "hint": "h"});
        Fault::database(status, &body.to_string())
    }

    #[test]
    fn a_refusal_of_the_database_has_the_status_that_every_door_gives_it() {
        for (sqlstate, status) in [
            ("42704", 404),
            ("55P03", 409),
            ("ST009", 409),
            ("22023", 400),
            ("22P02", 400),
            ("54000", 400),
            ("42501", 403),
            ("55000", 409),
            ("53000", 503),
        ] {
            let fault = said(500, sqlstate, "why");
            assert_eq!((fault.status, fault.body.message.as_str()), (status, "why"), "{sqlstate}");
            assert_eq!((fault.body.code.as_str(), fault.body.hint.as_deref()), (sqlstate, Some("h")));
        }
    }

    #[test]
    fn a_statement_that_took_too_long_is_not_the_callers_leaving() {
        let fault = said(500, "57014", "canceling statement due to statement timeout");
        assert_eq!((fault.status, fault.body.code.as_str()), (503, "57014"));
        assert_eq!(fault.body.message, "the database took too long");
    }

    #[test]
    fn what_tells_of_the_inside_is_not_passed_on() {
        let fault = said(500, "XX000", "could not open file base/1/2");
        assert_eq!((fault.status, fault.body.message.as_str()), (500, "the database could not do this"));
        assert!(!fault.json().contains("base/1"));
    }

    #[test]
    fn a_token_that_postgrest_refuses_is_no_fault_of_the_server() {
        assert_eq!(said(401, "PGRST303", "JWT expired").status, 401);
        assert_eq!(said(401, "PGRST301", "JWSError").headers[0].0, "www-authenticate");
    }

    #[test]
    fn a_schema_that_is_not_shown_is_told_with_what_to_do() {
        for (status, code) in [(404, "PGRST202"), (406, "PGRST106")] {
            let fault = said(status, code, "no");
            assert_eq!((fault.status, fault.body.code.as_str()), (501, "ST022"));
            assert!(fault.body.hint.unwrap().contains("exposed schemas"));
        }
    }

    #[test]
    fn an_answer_that_is_not_postgrests_is_an_unreachable_database() {
        let fault = Fault::database(502, "<html>bad gateway</html>");
        assert_eq!((fault.status, fault.body.code.as_str()), (503, "08001"));
    }

    #[test]
    fn the_shape_is_postgrests() {
        let fault = Fault::protocol(Protocol::UnknownRoute, "there is no route");
        let expected = r#"{"code":"HT404","message":"there is no route","details":null,"hint":null}"#;
        assert_eq!(fault.json(), expected);
    }
}
