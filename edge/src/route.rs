//! The routes: which method on which path is which question, and who may ask it.

use crate::caller::Right;
use crate::fault::{Fault, Protocol};
use strata_core::{Error, Kind};

/// What the API gateway of Supabase takes off a path; without it the first part is the function's name.
const GATEWAY: &str = "/functions/v1";

/// One question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// Whether the function answers.
    Health,
    /// The description of all of them.
    Openapi,
    /// Start a run.
    Migrate,
    /// Where a run is.
    Run(RunId),
    /// What a dry run has found.
    Report(RunId),
    /// Stop a run.
    Cancel(RunId),
    /// Let a run go on.
    Resume(RunId),
    /// Where a pack stands, what would run next, what must be signed.
    Pack(PackName),
    /// Run the verifications of a pack again.
    Verify,
    /// Sign an item of a checklist.
    SignOff,
    /// Drain the queue of embeddings.
    Embed,
    /// What is near to a text or a vector, as far as the caller may see it.
    Search,
}

/// The id of a run: a uuid, in Postgres' spelling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(String);

/// The name of a pack, which is all that a caller may name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackName(String);

/// Longest name of a pack. Unit: characters.
const NAME: usize = 63;

impl RunId {
    /// Refuses what is no uuid.
    pub fn read(text: &str) -> Result<RunId, Error> {
        let digits = |part: &str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_hexdigit());
        let parts: Vec<&str> = text.split('-').collect();
        let fits = parts.len() == 5 && parts.iter().zip([8, 4, 4, 4, 12]).all(|(part, n)| digits(part, n));
        if fits {
            return Ok(RunId(text.to_ascii_lowercase()));
        }
        Err(Error::new(Kind::BadArgument, format!("\"{}\" is not the id of a run", shown(text)))
            .hint("the answer of POST migrate has it"))
    }

    /// As Postgres writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PackName {
    /// Refuses what no pack can be called.
    pub fn read(text: &str) -> Result<PackName, Error> {
        let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let other = |c: char| first(c) || c == '_' || c == '-';
        if (1..=NAME).contains(&text.len()) && text.starts_with(first) && text.chars().all(other) {
            return Ok(PackName(text.to_owned()));
        }
        Err(Error::new(Kind::BadArgument, format!("\"{}\" cannot be the name of a pack", shown(text)))
            .hint("lower-case letters, digits, _ and -"))
    }

    /// As it was pushed.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Of what somebody sent, as much as a message may carry.
fn shown(text: &str) -> String {
    text.chars().take(NAME).collect()
}

impl Route {
    /// The route of a method and a path, or why there is none.
    pub fn find(method: &str, path: &str) -> Result<Route, Fault> {
        let parts = parts(path);
        let (allowed, route) = at(&parts)?;
        if method != allowed {
            let mut fault = Fault::protocol(
                Protocol::WrongMethod,
                format!("{method} is not a method of {}", parts.join("/")),
            )
            .hint(format!("its method is {allowed}"));
            fault.headers.push(("allow", format!("{allowed}, OPTIONS")));
            return Err(fault);
        }
        Ok(route)
    }

    /// Who may ask.
    pub fn right(&self) -> Right {
        match self {
            Route::Health | Route::Openapi => Right::Anybody,
            Route::Search => Right::SignedIn,
            _ => Right::Service,
        }
    }
}

/// What stands at a path, and the method that it has.
fn at(parts: &[&str]) -> Result<(&'static str, Route), Fault> {
    let found = match parts {
        ["health"] => ("GET", Route::Health),
        ["openapi.json"] => ("GET", Route::Openapi),
        ["migrate"] => ("POST", Route::Migrate),
        ["runs", run] => ("GET", Route::Run(RunId::read(run)?)),
        ["runs", run, "report"] => ("GET", Route::Report(RunId::read(run)?)),
        ["runs", run, "cancel"] => ("POST", Route::Cancel(RunId::read(run)?)),
        ["runs", run, "resume"] => ("POST", Route::Resume(RunId::read(run)?)),
        ["packs", name] => ("GET", Route::Pack(PackName::read(name)?)),
        ["verify"] => ("POST", Route::Verify),
        ["sign-off"] => ("POST", Route::SignOff),
        ["embed"] => ("POST", Route::Embed),
        ["search"] => ("POST", Route::Search),
        _ => {
            let message = format!("there is no route \"{}\"", shown(&parts.join("/")));
            return Err(Fault::protocol(Protocol::UnknownRoute, message)
                .hint("GET openapi.json describes the routes"));
        }
    };
    Ok(found)
}

/// The parts of a path behind the name of the function.
fn parts(path: &str) -> Vec<&str> {
    let path = path.strip_prefix(GATEWAY).unwrap_or(path);
    path.split('/').filter(|part| !part.is_empty()).skip(1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10";

    fn refusal(method: &str, path: &str) -> (u16, String) {
        let fault = Route::find(method, path).unwrap_err();
        (fault.status, fault.body.code)
    }

    #[test]
    fn every_route_is_found_behind_the_gateway_and_in_front_of_it() {
        let run = || RunId::read(RUN).unwrap();
        for (method, path, route) in [
            ("GET", "health".to_owned(), Route::Health),
            ("GET", "openapi.json".to_owned(), Route::Openapi),
            ("POST", "migrate".to_owned(), Route::Migrate),
            ("GET", format!("runs/{RUN}"), Route::Run(run())),
            ("GET", format!("runs/{RUN}/report"), Route::Report(run())),
            ("POST", format!("runs/{RUN}/cancel"), Route::Cancel(run())),
            ("POST", format!("runs/{RUN}/resume"), Route::Resume(run())),
            ("GET", "packs/aurum".to_owned(), Route::Pack(PackName::read("aurum").unwrap())),
            ("POST", "verify".to_owned(), Route::Verify),
            ("POST", "sign-off/".to_owned(), Route::SignOff),
            ("POST", "embed".to_owned(), Route::Embed),
            ("POST", "search".to_owned(), Route::Search),
        ] {
            for prefix in ["/strata/", "/functions/v1/strata/"] {
                assert_eq!(Route::find(method, &format!("{prefix}{path}")), Ok(route.clone()), "{path}");
            }
        }
    }

    #[test]
    fn nothing_else_is_a_route() {
        for path in ["/strata", "/strata/", "/", "", "/strata/migrate/x", "/strata/runs", "/strata/Health"] {
            assert_eq!(refusal("GET", path), (404, "HT404".into()), "{path}");
        }
    }

    #[test]
    fn another_method_is_told_the_right_one() {
        let fault = Route::find("PUT", "/strata/migrate").unwrap_err();
        assert_eq!((fault.status, fault.body.code.as_str()), (405, "HT405"));
        assert_eq!(fault.headers, [("allow", "POST, OPTIONS".to_owned())]);
        assert_eq!(refusal("POST", "/strata/health").0, 405);
    }

    #[test]
    fn what_is_named_in_a_path_is_checked_before_anything_is_asked() {
        for path in [
            "runs/1",
            "runs/' or 1=1",
            "runs/0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e1g",
            "packs/Aurum",
            "packs/-a",
        ] {
            assert_eq!(refusal("GET", &format!("/strata/{path}")), (400, "22023".into()), "{path}");
        }
        assert_eq!(refusal("GET", &format!("/strata/packs/{}", "a".repeat(64))).0, 400);
        assert_eq!(refusal("GET", "/strata/packs/%2e%2e").0, 400);
    }

    #[test]
    fn only_health_and_the_description_are_for_anybody_and_only_search_is_for_users() {
        assert_eq!(Route::Health.right(), Right::Anybody);
        assert_eq!(Route::Openapi.right(), Right::Anybody);
        assert_eq!(Route::Search.right(), Right::SignedIn);
        assert_eq!(Route::Migrate.right(), Right::Service);
        assert_eq!(Route::Embed.right(), Right::Service);
        assert_eq!(Route::Run(RunId::read(RUN).unwrap()).right(), Right::Service);
    }
}
