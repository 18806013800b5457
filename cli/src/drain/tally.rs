//! What came of jobs and calls, for the result, the progress and whoever scrapes it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Counts of one model.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    /// Vectors stored.
    pub stored: u64,
    /// Vectors of a text that had changed meanwhile.
    pub stale: u64,
    /// Jobs that went back with an error.
    pub failed: u64,
    /// Jobs that were set aside.
    pub dead: u64,
    /// Calls of the provider.
    pub calls: u64,
    /// Of these, calls that failed.
    pub failed_calls: u64,
    /// About how many tokens were sent.
    pub tokens: u64,
    /// Time in calls.
    pub busy: Duration,
}

/// Counts of every model, and the last error.
#[derive(Debug, Default)]
pub struct Tally {
    models: RefCell<BTreeMap<String, Counts>>,
    error: RefCell<Option<String>>,
}

impl Tally {
    /// Counts something of a model.
    pub fn count(&self, model: &str, count: impl FnOnce(&mut Counts)) {
        let mut models = self.models.borrow_mut();
        match models.get_mut(model) {
            Some(counts) => count(counts),
            None => count(models.entry(model.to_owned()).or_default()),
        }
    }

    /// Keeps an error, the last one.
    pub fn complain(&self, error: &str) {
        *self.error.borrow_mut() = Some(error.to_owned());
    }

    /// The last error.
    pub fn last_error(&self) -> Option<String> {
        self.error.borrow().clone()
    }

    /// Of all models together.
    pub fn total(&self) -> Counts {
        self.models.borrow().values().fold(Counts::default(), |sum, of| Counts {
            stored: sum.stored + of.stored,
            stale: sum.stale + of.stale,
            failed: sum.failed + of.failed,
            dead: sum.dead + of.dead,
            calls: sum.calls + of.calls,
            failed_calls: sum.failed_calls + of.failed_calls,
            tokens: sum.tokens + of.tokens,
            busy: sum.busy + of.busy,
        })
    }

    /// Jobs that were ended or went back: each time a job leaves dead rows in the queue.
    pub fn ended(&self) -> u64 {
        let total = self.total();
        total.stored + total.stale + total.failed
    }

    /// As Prometheus reads it.
    pub fn metrics(&self) -> String {
        type Read = fn(&Counts) -> f64;
        const LINES: [(&str, &str, Read); 8] = [
            ("embedded", "Vectors stored.", |c| c.stored as f64),
            ("stale", "Vectors of a text that had changed meanwhile.", |c| c.stale as f64),
            ("failed", "Jobs that went back with an error.", |c| c.failed as f64),
            ("dead", "Jobs that were set aside.", |c| c.dead as f64),
            ("calls", "Calls of the provider.", |c| c.calls as f64),
            ("failed_calls", "Calls of the provider that failed.", |c| c.failed_calls as f64),
            ("tokens", "Tokens sent, estimated.", |c| c.tokens as f64),
            ("call_seconds", "Time in calls.", |c| c.busy.as_secs_f64()),
        ];
        let mut text = String::new();
        for (name, help, read) in LINES {
            let _ = writeln!(text, "# HELP strata_{name}_total {help}\n# TYPE strata_{name}_total counter");
            for (model, counts) in self.models.borrow().iter() {
                let _ =
                    writeln!(text, "strata_{name}_total{{model=\"{}\"}} {}", escaped(model), read(counts));
            }
        }
        text
    }
}

/// As the value of a label.
pub fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_counted_apart_and_together() {
        let tally = Tally::default();
        tally.count("a\"b", |c| c.stored += 2);
        tally.count("c", |c| c.stored += 3);
        assert_eq!(tally.total().stored, 5);
        let metrics = tally.metrics();
        assert!(metrics.contains("strata_embedded_total{model=\"a\\\"b\"} 2\n"), "{metrics}");
        assert!(metrics.contains("# TYPE strata_call_seconds_total counter\n"), "{metrics}");
    }
}
