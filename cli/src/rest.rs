//! Functions of the database through Supabase's REST (PostgREST), by supabase_rs, with a secret key of the project. The client
//! that it is given is ours: its TLS, its time limits, its proxies.

use crate::args::{Args, Command, Task};
use crate::provider::{client_to, innermost};
use crate::{secret_key, via};
use reqwest::Url;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::time::Duration;
use strata_core::embed::rpc::Call;
use strata_core::{Error, Kind};
use supabase_rs::SupabaseClient;

/// The schema that the functions are in, as PostgREST is told of it.
const SCHEMA: &str = "strata";

/// Where the API is, below the URL of a project.
const PREFIX: &str = "rest/v1";

/// Longest that an answer may take: longer than the statements of `service_role` may, shorter than gateways wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often something that may be delivered more than once is sent before the connection is given up, and the pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Refuses what says another way beside this one, or what this one cannot do.
pub fn alone(args: &Args) -> Result<(), Error> {
    let wrong = |message: &str, hint: &str| Err(Error::new(Kind::BadArgument, message).hint(hint));
    if args.database.is_some() || args.via.is_some() {
        return wrong("--rest cannot be used with --database or --via", "say one way to the database");
    }
    match &args.command {
        Command::Worker(worker) if worker.only == Some(Task::Runs) => {
            wrong("runs need a connection to the database", "leave --rest out, and say --database")
        }
        _ => Ok(()),
    }
}

/// A project's API, and our key for it.
pub struct Api {
    client: SupabaseClient,
    address: String,
}

impl Api {
    /// Of the project at this URL, with the key of the environment.
    pub fn at(url: &str) -> Result<Api, Error> {
        let wrong = |why: &str| {
            Error::new(Kind::BadArgument, format!("--rest \"{url}\": {why}"))
                .hint("such as https://PROJECT.supabase.co")
        };
        let project = url.trim_end_matches('/');
        let project = project.strip_suffix(PREFIX).unwrap_or(project).trim_end_matches('/');
        let base: Url = project.parse().map_err(|_| wrong("it is not the URL of a project"))?;
        let key = secret_key::read()?;
        let key = key.to_str().map_err(|_| wrong("its key has characters that no key has"))?;
        let client = client_to(&base).timeout(PATIENCE).build().map_err(|e| wrong(&e.to_string()))?;
        let built = SupabaseClient::builder(project, key).schema(SCHEMA).http_client(client).build();
        let client = built.map_err(|e| wrong(&e.to_string()))?;
        Ok(Api { client, address: format!("{project}/{PREFIX}") })
    }

    /// Where it is, for messages.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What a function answers that answers rows.
    pub async fn rows<T: DeserializeOwned>(&self, call: Call) -> Result<Vec<T>, Error> {
        let rows = self.client.rpc(call.function, call.arguments).execute().await;
        self.read(Value::Array(rows.map_err(|cause| self.refused(cause))?))
    }

    /// What a function answers that answers one row, or one value.
    pub async fn one<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        let one = self.client.rpc(call.function, call.arguments).execute_single().await;
        self.read(one.map_err(|cause| self.refused(cause))?)
    }

    /// The same for what may be delivered more than once: an answer that is lost is asked for again.
    pub async fn one_again<T: DeserializeOwned>(&self, call: Call) -> Result<T, Error> {
        for _ in 1..TRIES {
            match self.one(call.clone()).await {
                Err(error) if error.kind() == Kind::CannotConnect => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
        self.one(call).await
    }

    /// Columns of a table, every row.
    pub async fn table<T: DeserializeOwned>(&self, name: &str, columns: &[&str]) -> Result<Vec<T>, Error> {
        let rows = self.client.select(name).columns(columns.to_vec()).execute().await;
        self.read(Value::Array(rows.map_err(|cause| self.refused(cause))?))
    }

    fn read<T: DeserializeOwned>(&self, said: Value) -> Result<T, Error> {
        serde_json::from_value(said).map_err(|_| self.foreign("in another form than strata's"))
    }

    fn foreign(&self, how: &str) -> Error {
        Error::new(Kind::CannotConnect, format!("{} answered {how}", self.address))
            .hint("is it the URL of the project, and is its strata of this version?")
    }

    fn lost(&self, why: &str) -> Error {
        Error::new(Kind::CannotConnect, format!("cannot reach {}: {why}", self.address))
            .hint("is it the URL of the project?")
    }

    /// What is no success, as the error that it is over a connection.
    fn refused(&self, cause: supabase_rs::Error) -> Error {
        match cause {
            supabase_rs::Error::Api(said) => self.told(&said),
            supabase_rs::Error::Transport(cause) if cause.is_timeout() => self.lost("it took too long"),
            supabase_rs::Error::Transport(cause) => self.lost(&innermost(&cause)),
            supabase_rs::Error::UnexpectedResponse { .. } | supabase_rs::Error::Serialization(_) => {
                self.foreign("and not as PostgREST does")
            }
            other => Error::new(Kind::BadArgument, other.to_string()),
        }
    }

    fn told(&self, said: &supabase_rs::ApiError) -> Error {
        let code = said.code.as_deref().unwrap_or_default();
        match (code.strip_prefix("PGRST"), said.status) {
            (Some("106" | "202" | "205"), _) => self.not_shown(),
            (Some(number), _) if number.starts_with('3') => self.stranger(),
            (None, 401 | 403) if code.is_empty() => self.stranger(),
            // A statement that took too long, which is nobody's wish here.
            (None, _) if code == "57014" => Error::new(Kind::Failed, &said.message).with_sqlstate(code),
            (None, _) if !code.is_empty() => {
                let hint = said.hint.as_deref().or_else(|| (code == "42501").then_some(GRANT));
                via::error(code, &said.message, (said.details.as_deref(), hint))
            }
            (_, status) => self.foreign(&format!("with status {status}")),
        }
    }

    fn stranger(&self) -> Error {
        Error::new(Kind::NotAuthorized, format!("{} does not accept the key", self.address))
            .hint("set STRATA_SECRET_KEY to a secret key of the project")
    }

    fn not_shown(&self) -> Error {
        Error::new(Kind::NotInstalled, format!("{} does not show what strata needs", self.address))
            .hint(format!("add strata to the exposed schemas, {GRANT}, then: notify pgrst, 'reload schema'"))
    }
}

/// What the role of the key needs.
const GRANT: &str = "run: select strata.grant_embedding('service_role')";

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        let http = client_to(&Url::parse("http://localhost:1").unwrap()).build().unwrap();
        let client = SupabaseClient::builder("http://localhost:1", "key").http_client(http).build().unwrap();
        Api { client, address: "http://localhost:1/rest/v1".into() }
    }

    fn exit(status: u16, code: Option<&str>) -> u8 {
        let said = supabase_rs::ApiError {
            status,
            code: code.map(str::to_owned),
            message: "why".into(),
            details: None,
            hint: None,
            raw_response: None,
        };
        api().refused(said.into()).kind().exit_code()
    }

    #[test]
    fn a_refusal_has_the_exit_code_that_it_has_over_a_connection() {
        for (status, code, expected) in [
            (403, Some("42501"), 26),
            (400, Some("22023"), 2),
            (404, Some("42704"), 24),
            (409, Some("55P03"), 6),
            (404, Some("PGRST202"), 22),
            (406, Some("PGRST106"), 22),
            (401, Some("PGRST301"), 20),
            (401, Some("PGRST303"), 20),
            (401, None, 20),
            (503, Some("PGRST002"), 10),
            (502, None, 10),
            (500, Some("57014"), 1),
        ] {
            assert_eq!(exit(status, code), expected, "{status} {code:?}");
        }
        let told = api().refused(supabase_rs::Error::InvalidInput("no".into()));
        assert_eq!(told.kind(), Kind::BadArgument);
    }

    #[test]
    fn a_right_that_is_missing_is_told_with_what_grants_it() {
        let said = supabase_rs::ApiError {
            status: 403,
            code: Some("42501".into()),
            message: "permission denied for function claim_jobs".into(),
            details: None,
            hint: None,
            raw_response: None,
        };
        assert!(api().refused(said.into()).get_hint().unwrap().contains("grant_embedding"));
    }
}
