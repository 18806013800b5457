//! The database, through the project's own API (PostgREST), with the caller's credentials and no others.

use super::host;
use crate::answer::{self, Progress};
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::route::RunId;
use crate::rpc::{self, Rpc};
use serde_json::Value;
use strata_core::Kind;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

/// The schema that the functions are in, as PostgREST is told of it.
const SCHEMA: &str = "strata";

/// Longest that a question may take. Unit: milliseconds. Below the 150 seconds after which Supabase answers in our place.
const PATIENCE: u32 = 100_000;

/// Where the API is.
pub struct Database {
    url: String,
}

impl Database {
    /// Of the project with this URL.
    pub fn new(url: &str) -> Database {
        Database { url: format!("{url}/rest/v1/rpc/") }
    }

    /// What a function answers.
    pub async fn call(&self, rpc: &Rpc, by: &Credentials) -> Result<Value, Fault> {
        let sent = self.send(rpc, by).await.map_err(|_| unreachable_database())?;
        let (status, text) = sent;
        if !(200..300).contains(&status) {
            return Err(Fault::database(status, &text));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|_| unreachable_database())
    }

    /// Where a run is.
    pub async fn progress(&self, run: &RunId, by: &Credentials) -> Result<Progress, Fault> {
        answer::row(self.call(&rpc::run_progress(run), by).await?)
    }

    async fn send(&self, rpc: &Rpc, by: &Credentials) -> Result<(u16, String), JsValue> {
        let init = RequestInit::new();
        init.set_method("POST");
        init.set_headers(headers(by)?.as_ref());
        init.set_body(&rpc.arguments.to_string().into());
        init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
        let url = format!("{}{}", self.url, rpc.function);
        let response: Response = host::fetch(&url, &init).await?.unchecked_into();
        let text = JsFuture::from(response.text()?).await?;
        Ok((response.status(), text.as_string().unwrap_or_default()))
    }
}

fn headers(by: &Credentials) -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    headers.set("content-profile", SCHEMA)?;
    headers.set("apikey", &by.apikey)?;
    if let Some(bearer) = &by.bearer {
        headers.set("authorization", &format!("Bearer {bearer}"))?;
    }
    Ok(headers)
}

fn unreachable_database() -> Fault {
    Fault::of(Kind::CannotConnect, "the database cannot be reached").hint("repeat the request in a while")
}
