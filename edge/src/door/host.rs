//! What the host has and WebAssembly has not: a clock, timers, `fetch`, and somebody to tell of a panic.

use js_sys::{Function, Promise};
use std::cell::RefCell;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::RequestInit;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = fetch, catch)]
    fn fetch_url(url: &str, init: &RequestInit) -> Result<Promise, JsValue>;

    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn monotonic() -> f64;

    #[wasm_bindgen(js_namespace = console, js_name = error)]
    fn console_error(line: &str);

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(then: &Function, milliseconds: f64);
}

thread_local! {
    static PANICKED: RefCell<Option<Function>> = const { RefCell::new(None) };
}

/// Seconds since 1970.
pub fn now() -> f64 {
    js_sys::Date::now() / 1000.0
}

/// Lets time pass. Unit: milliseconds.
pub async fn sleep(milliseconds: f64) {
    // A timer is never rejected.
    let _ = JsFuture::from(timer(milliseconds)).await;
}

/// Fulfilled when so much time has passed. Unit: milliseconds.
pub fn timer(milliseconds: f64) -> Promise {
    Promise::new(&mut |then, _| set_timeout(&then, milliseconds))
}

/// A line of the function's log.
pub fn log(line: &str) {
    console_error(line);
}

/// Of a clock that is never set. Unit: milliseconds.
pub fn milliseconds() -> f64 {
    monotonic()
}

/// The host's `fetch`.
pub async fn fetch(url: &str, init: &RequestInit) -> Result<JsValue, JsValue> {
    JsFuture::from(fetch_url(url, init)?).await
}

/// From now on a panic tells the host, which answers for us: a promise of ours would never settle.
pub fn tell_panics(panicked: Function) {
    PANICKED.set(Some(panicked));
    std::panic::set_hook(Box::new(|info| {
        let message = info.to_string();
        PANICKED.with_borrow(|tell| {
            if let Some(tell) = tell {
                // Nothing is left to be done where even telling fails.
                let _ = tell.call1(&JsValue::NULL, &message.into());
            }
        });
    }));
}
