//! `POST search`: embeds the text where one is given, and asks `rag_search` as the caller: row level security decides.

use super::database::Database;
use super::host;
use crate::answer::{self, Found};
use crate::caller::Credentials;
use crate::fault::Fault;
use crate::provider::{self, Model, Providers};
use crate::request::Search;
use crate::rpc;
use strata_core::{Error, Kind};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response};

/// Longest that a provider may take. Unit: milliseconds.
const PATIENCE: u32 = 30_000;

/// The rows that were asked for.
pub async fn search(
    database: &Database,
    providers: &Providers,
    asked: &Search,
    by: &Credentials,
) -> Result<Found, Fault> {
    let embedding = match asked.text()? {
        None => asked.embedding.clone().unwrap_or_default(),
        Some(text) => {
            let model = model(answer::read(database.call(&rpc::search_model(), by).await?)?)?;
            embed(providers, &model, text).await?
        }
    };
    let hits = answer::read(database.call(&rpc::rag_search(asked, &embedding), by).await?)?;
    Ok(Found { hits })
}

/// The one model that all sources share: vectors of two models have no common ranking.
fn model(mut models: Vec<Model>) -> Result<Model, Fault> {
    if let (Some(model), true) = (models.pop(), models.is_empty()) {
        return Ok(model);
    }
    let message = "the sources have no model, or several: a text cannot be searched for";
    Err(Error::new(Kind::BadArgument, message)
        .with_sqlstate("55000")
        .hint("send an embedding, or look at strata.sources()")
        .into())
}

/// The vector of a text.
async fn embed(providers: &Providers, model: &Model, text: &str) -> Result<Vec<f64>, Fault> {
    let way = providers.way(model)?;
    let texts = [text.to_owned()];
    let sent = send(&way.url, way.key.as_deref(), &provider::request(model, &texts).to_string()).await;
    let unreached = |_| provider::failed(format!("the provider of {} cannot be reached", model.model));
    match sent.map_err(unreached)? {
        (200, reply) => Ok(provider::vectors(model, texts.len(), &reply)?.swap_remove(0)),
        (status, _) => Err(provider::refused(model, status)),
    }
}

async fn send(url: &str, key: Option<&str>, body: &str) -> Result<(u16, String), JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    if let Some(key) = key {
        headers.set("authorization", &format!("Bearer {key}"))?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(headers.as_ref());
    init.set_body(&body.into());
    init.set_signal(Some(&AbortSignal::timeout_with_u32(PATIENCE)));
    let response: Response = host::fetch(url, &init).await?.unchecked_into();
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}
