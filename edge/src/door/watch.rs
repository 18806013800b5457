//! The progress of a run as server-sent events: one whenever it has changed, the last when nothing more happens by itself.

use super::database::Database;
use super::{host, outgoing};
use crate::answer::Progress;
use crate::caller::Credentials;
use crate::fault::{Fault, Protocol};
use crate::route::RunId;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Response, TransformStream, WritableStreamDefaultWriter};

/// Between two looks. Unit: milliseconds.
const LOOK: f64 = 500.0;

/// Looks after which something is said although nothing has changed: what stands between us and the reader must not
/// think that nobody is there. Unit: looks.
const SILENCE: u32 = 20;

/// Looks of one answer: 90 seconds, below the 150 after which Supabase ends it. The reader connects again by itself.
const LOOKS: u32 = 180;

/// Answers with the stream once the run has been found.
pub async fn stream(database: Rc<Database>, run: RunId, by: Credentials) -> Result<Response, Fault> {
    let first = database.progress(&run, &by).await?;
    let broken = |_: JsValue| Fault::protocol(Protocol::Broken, "the host has no streams");
    let pipe = TransformStream::new().map_err(broken)?;
    let writer = pipe.writable().get_writer().map_err(broken)?;
    let response = outgoing::events(&pipe.readable()).map_err(broken)?;
    spawn_local(async move {
        let watch = Watch { database, run, by, writer };
        // A reader that has gone away is no failure; the database is asked no more.
        let _ = watch.tell(first).await;
        let _ = JsFuture::from(watch.writer.close()).await;
    });
    Ok(response)
}

struct Watch {
    database: Rc<Database>,
    run: RunId,
    by: Credentials,
    writer: WritableStreamDefaultWriter,
}

impl Watch {
    async fn tell(&self, first: Progress) -> Result<(), JsValue> {
        let mut last = first;
        self.write("retry: 1000\n\n").await?;
        self.event("progress", &json(&last)).await?;
        for look in 1..LOOKS {
            if last.rests() {
                return self.event("end", &json(&last)).await;
            }
            host::sleep(LOOK).await;
            match self.database.progress(&self.run, &self.by).await {
                Ok(progress) if progress == last && look % SILENCE == 0 => self.write(": \n\n").await?,
                Ok(progress) if progress == last => {}
                Ok(progress) => {
                    self.event("progress", &json(&progress)).await?;
                    last = progress;
                }
                Err(fault) => return self.event("error", &fault.json()).await,
            }
        }
        Ok(())
    }

    async fn event(&self, name: &str, data: &str) -> Result<(), JsValue> {
        self.write(&format!("event: {name}\ndata: {data}\n\n")).await
    }

    async fn write(&self, text: &str) -> Result<(), JsValue> {
        let bytes = js_sys::Uint8Array::from(text.as_bytes());
        JsFuture::from(self.writer.write_with_chunk(&bytes)).await.map(drop)
    }
}

/// One line: JSON has no line breaks outside of its texts, and those are escaped.
fn json(progress: &Progress) -> String {
    serde_json::to_string(progress).expect("plain data serializes")
}
