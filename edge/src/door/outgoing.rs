//! An answer as the host's `Response`.

use crate::answer::{Answer, HEADERS};
use wasm_bindgen::JsValue;
use web_sys::{Headers, ReadableStream, Response, ResponseInit};

/// With a body of JSON, or none.
pub fn response(answer: &Answer) -> Result<Response, JsValue> {
    let headers = headers()?;
    for (name, value) in &answer.headers {
        headers.set(name, value)?;
    }
    if answer.body.is_none() {
        headers.delete("content-type")?;
    }
    Response::new_with_opt_str_and_init(answer.body.as_deref(), &init(answer.status, &headers))
}

/// With a body of server-sent events.
pub fn events(stream: &ReadableStream) -> Result<Response, JsValue> {
    let headers = headers()?;
    headers.set("content-type", "text/event-stream; charset=utf-8")?;
    Response::new_with_opt_readable_stream_and_init(Some(stream), &init(200, &headers))
}

fn headers() -> Result<Headers, JsValue> {
    let headers = Headers::new()?;
    HEADERS.iter().try_for_each(|(name, value)| headers.set(name, value))?;
    Ok(headers)
}

fn init(status: u16, headers: &Headers) -> ResponseInit {
    let init = ResponseInit::new();
    init.set_status(status);
    init.set_headers(headers.as_ref());
    init
}
