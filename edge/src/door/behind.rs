//! Work that goes on behind the answer, and how long it computes.

use super::host;
use crate::fault::Fault;
use js_sys::{Array, Function, Promise, Reflect};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

/// Begins the work and waits for it so long. True: it has ended. False: it goes on, and the platform is told to wait for it;
/// should it fail, the log has it. Unit: milliseconds.
pub async fn within(
    milliseconds: f64,
    work: impl Future<Output = Result<(), Fault>> + 'static,
) -> Result<bool, Fault> {
    let (outcome, alone) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(false)));
    let (kept, left) = (outcome.clone(), alone.clone());
    let promise = future_to_promise(async move {
        let done = work.await;
        if let (true, Err(fault)) = (left.get(), &done) {
            host::log(&format!("strata: behind an answer: {}", fault.json()));
        }
        kept.replace(Some(done));
        Ok(JsValue::UNDEFINED)
    });
    let timer = host::timer(milliseconds);
    // Neither of them is ever rejected.
    let _ = JsFuture::from(Promise::race(&Array::of2(&promise, &timer))).await;
    match outcome.take() {
        Some(done) => done.map(|()| true),
        None => {
            alone.set(true);
            wait_until(&promise);
            Ok(false)
        }
    }
}

/// Tells Supabase's runtime that the function is not done. Another runtime goes on for as long as its process lives.
fn wait_until(promise: &Promise) {
    let runtime = Reflect::get(&js_sys::global(), &"EdgeRuntime".into());
    let tell = runtime.and_then(|runtime| {
        Reflect::get(&runtime, &"waitUntil".into())?.dyn_into::<Function>()?.call1(&runtime, promise)
    });
    // Without it nothing is lost: what is not done is free again when its lease is over.
    drop(tell);
}

/// Work whose computing is counted: the time inside of it, not the time that it waits.
pub struct Metered<F> {
    work: Pin<Box<F>>,
    /// Unit: milliseconds.
    spent: Rc<Cell<f64>>,
}

impl<F> Metered<F> {
    /// Counts into `spent`.
    pub fn new(work: F, spent: Rc<Cell<f64>>) -> Metered<F> {
        Metered { work: Box::pin(work), spent }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = host::milliseconds();
        let polled = self.work.as_mut().poll(context);
        self.spent.set(self.spent.get() + host::milliseconds() - began);
        polled
    }
}
