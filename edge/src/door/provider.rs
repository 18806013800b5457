//! A model that is asked for vectors with `fetch`.

use super::host;
use crate::provider::{Model, Way};
use std::cell::Cell;
use strata_core::embed::{self, Dialect, ProviderError, Refusal};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, RequestRedirect, Response};

/// A model that is reached from here.
pub struct Desk {
    /// The model.
    pub model: Model,
    way: Way,
    /// Whether the call names the dimensions.
    names_dimensions: Cell<bool>,
    /// It has answered before, so that what it rejects is the text's fault and not the set-up's.
    trusted: Cell<bool>,
}

impl Desk {
    /// Has not answered yet.
    pub fn new(model: Model, way: Way) -> Desk {
        let names_dimensions = Cell::new(way.dialect.names_dimensions(&model.model));
        Desk { model, way, names_dimensions, trusted: Cell::new(false) }
    }

    /// What one call may carry.
    pub fn limits(&self) -> embed::Limits {
        self.way.dialect.limits()
    }

    /// Longest that a call may take. Unit: milliseconds.
    pub fn patience(&self) -> f64 {
        self.way.patience.into()
    }

    /// Whether it embeds anything at all; asks it, once.
    pub async fn is_trusted(&self) -> bool {
        self.trusted.get() || self.vectors(&["strata".to_owned()]).await.is_ok()
    }

    /// One good vector for each text.
    pub async fn vectors(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let mut made = self.call(texts).await?;
        let fits = made.iter().all(|vector| vector.len() == self.model.dimensions);
        // A model that can shorten its vectors does so when it is told; the others are refused by their dimension.
        if !fits && self.way.dialect == Dialect::OpenAi && !self.names_dimensions.replace(true) {
            made = self.call(texts).await?;
        }
        embed::check(&made, texts.len(), self.model.dimensions)?;
        self.trusted.set(true);
        Ok(made)
    }

    async fn call(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let (dialect, name) = (self.way.dialect, &self.model.model);
        let dimensions = self.names_dimensions.get().then_some(self.model.dimensions);
        let body = dialect.request(name, texts, dimensions).to_string();
        let sent = send(&self.way, &body).await.map_err(|cause| self.lost(&cause))?;
        if sent.status == 200 {
            return dialect.read(sent.body.as_bytes(), texts.len());
        }
        let wait = sent.retry_after.as_deref().and_then(|line| embed::retry_after(line, until));
        let (address, key) = (self.way.address(), self.way.key.as_deref());
        let refusal = Refusal { address, status: sent.status, wait, body: sent.body.as_bytes(), key };
        Err(dialect.explained(refusal.into(), name))
    }

    /// No answer, or half of one. What the host says of it may hold the URL.
    fn lost(&self, cause: &JsValue) -> ProviderError {
        let name = cause.dyn_ref::<js_sys::Error>().map(|error| String::from(error.name()));
        let why = match name.as_deref() {
            Some("TimeoutError") => "it took too long",
            _ => "it cannot be reached, or the connection was lost",
        };
        ProviderError::unavailable(format!("{}: {why}", self.way.address()), None)
    }
}

struct Sent {
    status: u16,
    retry_after: Option<String>,
    body: String,
}

async fn send(way: &Way, body: &str) -> Result<Sent, JsValue> {
    let headers = Headers::new()?;
    headers.set("content-type", "application/json")?;
    if let Some(key) = &way.key {
        headers.set("authorization", &format!("Bearer {key}"))?;
    }
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(headers.as_ref());
    init.set_body(&body.into());
    // A POST that is redirected arrives as a GET.
    init.set_redirect(RequestRedirect::Manual);
    init.set_signal(Some(&AbortSignal::timeout_with_u32(way.patience)));
    let response: Response = host::fetch(&way.url, &init).await?.unchecked_into();
    let retry_after = response.headers().get("retry-after")?;
    let text = JsFuture::from(response.text()?).await?;
    Ok(Sent { status: response.status(), retry_after, body: text.as_string().unwrap_or_default() })
}

/// Seconds until a date.
fn until(date: &str) -> Option<f64> {
    let then = js_sys::Date::parse(date) / 1000.0;
    then.is_finite().then(|| then - host::now())
}
