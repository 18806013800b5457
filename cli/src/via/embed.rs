//! `embed` through the function: called until nothing is left that it can do.

use super::function::Function;
use crate::args::Embed;
use crate::output::Output;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use strata_core::{Error, Kind};

/// Seconds that an answer is waited for.
const WAIT: u32 = 60;

/// Between two calls where others have what is left.
const PAUSE: Duration = Duration::from_secs(1);

/// Has the queue drained. What waits for longer than a failure's first pauses is left to a schedule.
pub async fn run(function: &Function, embed: &Embed, output: &Output) -> Result<u8, Error> {
    let (began, mut sum) = (Instant::now(), Sum::default());
    output.log(&format!(
        "embedding by {}; what has no job yet is queued by \"strata embed\" with a connection or --rest",
        function.address()
    ));
    let last = loop {
        let said = function.post("embed", &json!({"wait": WAIT, "batch": embed.batch})).await?;
        sum.add(&said);
        let left = |name: &str| said["left"][name].as_i64().unwrap_or_default();
        let stuck = left("leased") > 0 && began.elapsed() > sum.progressed + Duration::from_secs(150);
        if left("ripe") + left("leased") == 0 || said["benched"] != json!([]) || stuck {
            break said;
        }
        output.log(&format!("{} rows embedded, {} left", sum.stored, left("ripe") + left("leased")));
        sum.progressed = if said["stored"] == 0 { sum.progressed } else { began.elapsed() };
        tokio::time::sleep(PAUSE).await;
    };
    let left: i64 = ["ripe", "later", "leased"].iter().filter_map(|name| last["left"][name].as_i64()).sum();
    let json = json!({
        "embedded": sum.stored, "stale": sum.stale, "failed": sum.failed, "left": left, "calls": sum.calls,
        "seconds": began.elapsed().as_secs_f64(),
    });
    let rest = if left == 0 { String::new() } else { format!(", {left} left") };
    let text = format!("{} rows embedded in {:.1} s{rest}", sum.stored, began.elapsed().as_secs_f64());
    match verdict(&last, left) {
        Some(error) => Ok(output.bad_result(json, &text, &error)),
        None => {
            output.result(json, &text);
            Ok(0)
        }
    }
}

#[derive(Default)]
struct Sum {
    stored: i64,
    stale: i64,
    failed: i64,
    calls: i64,
    /// When something was stored last.
    progressed: Duration,
}

impl Sum {
    fn add(&mut self, said: &Value) {
        let number = |name: &str| said[name].as_i64().unwrap_or_default();
        self.stored += number("stored");
        self.stale += number("stale");
        self.failed += number("failed");
        self.calls += number("calls");
    }
}

/// Why it did not do what it was asked.
fn verdict(last: &Value, left: i64) -> Option<Error> {
    let failed = |message: String| Error::new(Kind::ProviderFailed, message);
    if let Some(benched) = last["benched"].as_array().and_then(|all| all.first()) {
        let text = |name: &str| benched[name].as_str().unwrap_or_default();
        let error = failed(format!("{}: {}", text("model"), text("message")));
        return Some(if text("hint").is_empty() { error } else { error.hint(text("hint")) });
    }
    let aside = left + last["left"]["dead"].as_i64().unwrap_or_default();
    let cause = last["error"].as_str().filter(|_| aside > 0)?;
    Some(
        failed(format!("{aside} rows could not be embedded: {cause}")).hint(
            "strata.queue_status() counts them; strata.retry_dead() has what was set aside tried again",
        ),
    )
}
