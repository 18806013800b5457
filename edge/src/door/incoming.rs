//! A request as the routes see it: a few header lines, and a body that is read up to its limit.

use super::host;
use crate::body;
use crate::fault::{Fault, Protocol};
use js_sys::{Array, Promise, Reflect, Uint8Array};
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Request};

/// A request of the host's.
pub struct Incoming(Request);

impl Incoming {
    /// Of the host's.
    pub fn new(request: Request) -> Incoming {
        Incoming(request)
    }

    /// In capital letters.
    pub fn method(&self) -> String {
        self.0.method()
    }

    /// Of the URL, without what stands behind it.
    pub fn path(&self) -> String {
        let url = self.0.url();
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let path = rest.find('/').map_or("/", |at| &rest[at..]);
        path.split(['?', '#']).next().unwrap_or("/").to_owned()
    }

    /// Where the function is found, as the caller found it. Behind a gateway the request names another host, so it is a
    /// path: a relative location is resolved by whoever asked.
    pub fn base(&self) -> String {
        let path = self.path();
        let path = path.strip_prefix("/functions/v1").unwrap_or(&path);
        let name = path.split('/').find(|part| !part.is_empty()).unwrap_or("strata");
        format!("/functions/v1/{name}")
    }

    /// A header line.
    pub fn header(&self, name: &str) -> Option<String> {
        self.0.headers().get(name).ok().flatten()
    }

    /// Whether the answer is to be a stream of events.
    pub fn wants_events(&self) -> bool {
        self.header("accept").is_some_and(|accept| accept.contains("text/event-stream"))
    }

    /// The body as one of the types that a route takes.
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let bytes = self.bytes().await?;
        body::read(self.header("content-type").as_deref(), &bytes)
    }

    /// Reads what no route has read, and throws it away: a host that finds an unread body closes the connection, under the hands
    /// of who is still writing or already sends the next request.
    pub async fn discard(&self) {
        let Some(stream) = self.0.body().filter(|_| !self.0.body_used()) else { return };
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        let (timer, mut length) = (host::timer(body::HURRY), 0);
        // A body that breaks off is as good as one that ends.
        while let Ok(part) = JsFuture::from(Promise::race(&Array::of2(&reader.read(), &timer))).await {
            let Ok(Some(chunk)) = chunk(&part) else { break };
            length += chunk.length() as usize;
            if length > body::PATIENCE {
                break;
            }
        }
        // At its end this does nothing.
        let _ = JsFuture::from(reader.cancel()).await;
    }

    async fn bytes(&self) -> Result<Vec<u8>, Fault> {
        let Some(stream) = self.0.body() else { return Ok(Vec::new()) };
        let reader: ReadableStreamDefaultReader = stream.get_reader().unchecked_into();
        let (mut bytes, mut length) = (Vec::new(), 0);
        while let Some(chunk) = next(&reader).await.map_err(|_| cut_off())? {
            length += chunk.length() as usize;
            if length > body::PATIENCE {
                // Whatever else is sent is not waited for, and it is nothing to us whether that can be told.
                let _ = JsFuture::from(reader.cancel()).await;
                break;
            }
            if length <= body::LIMIT {
                bytes.extend(chunk.to_vec());
            }
        }
        if length > body::LIMIT { Err(body::too_large()) } else { Ok(bytes) }
    }
}

/// The next part of a stream; none at its end.
async fn next(reader: &ReadableStreamDefaultReader) -> Result<Option<Uint8Array>, JsValue> {
    chunk(&JsFuture::from(reader.read()).await?)
}

/// What a reader has answered.
fn chunk(part: &JsValue) -> Result<Option<Uint8Array>, JsValue> {
    let done = Reflect::get(part, &"done".into())?.is_truthy();
    if done { Ok(None) } else { Ok(Some(Reflect::get(part, &"value".into())?.unchecked_into())) }
}

fn cut_off() -> Fault {
    Fault::protocol(Protocol::BadBody, "the body ended before its end")
}
