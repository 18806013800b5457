//! What draining the queue may use up in one invocation. The platform ends a function that takes too long or computes too
//! much, wherever it is; so it stops by itself before that.

use crate::request::Embed;
use strata_core::{Error, Kind};

/// Of one invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// How long the caller waits for the answer. Unit: milliseconds.
    pub answer: f64,
    /// How long calls of the provider are begun, answered or not. Unit: milliseconds.
    pub total: f64,
    /// How long the function may compute. Unit: milliseconds.
    pub compute: f64,
    /// Rows a claim.
    pub batch: i32,
}

/// Seconds that a caller waits: fewer than clients and gateways do.
const WAIT: (i32, i32, i32) = (0, 10, 100);

/// Seconds of work: with the last call 130 of the 150 that the smallest plan of Supabase's gives; the largest gives 400.
const SECONDS: (i32, i32, i32) = (1, 100, 360);

/// Milliseconds of computing, of the 2,000 that Supabase gives a request. What the host does for us, such as TLS, is not
/// seen from here and counts there.
const COMPUTE: (i32, i32, i32) = (10, 600, 10_000);

/// Rows a claim: as a worker's.
const BATCH: (i32, i32, i32) = (1, 100, 1000);

impl Budget {
    /// As it was asked for. Refuses what no platform gives.
    pub fn of(asked: &Embed) -> Result<Budget, Error> {
        let wait = within("wait", asked.wait, WAIT)?;
        let seconds = within("seconds", asked.seconds, SECONDS)?;
        let compute = within("cpu_ms", asked.cpu_ms, COMPUTE)?;
        let batch = within("batch", asked.batch, BATCH)?;
        let milliseconds = |seconds: i32| f64::from(seconds) * 1000.0;
        let (answer, total) = (milliseconds(wait), milliseconds(seconds));
        Ok(Budget { answer, total, compute: compute.into(), batch })
    }

    /// Whether one more call may begin, so long after the beginning.
    pub fn allows(&self, elapsed: f64, computed: f64) -> bool {
        elapsed < self.total && computed < self.compute
    }
}

fn within(name: &str, asked: Option<i32>, bounds: (i32, i32, i32)) -> Result<i32, Error> {
    let (least, usual, most) = bounds;
    let value = asked.unwrap_or(usual);
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    Err(Error::new(Kind::BadArgument, format!("{name} must be between {least} and {most}, not {value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_nobody_names_is_below_the_platforms() {
        let budget = Budget::of(&Embed::default()).unwrap();
        assert!(budget.answer <= budget.total && budget.total < 150_000.0 && budget.compute < 2_000.0);
        assert!(budget.allows(budget.total - 1.0, 0.0));
        assert!(!budget.allows(budget.total, 0.0) && !budget.allows(0.0, budget.compute));
    }

    #[test]
    fn what_is_out_of_bounds_is_told_with_the_bounds() {
        let told = |asked: Embed| Budget::of(&asked).unwrap_err().to_string();
        let wait = told(Embed { wait: Some(-1), ..Embed::default() });
        assert_eq!(wait, "wait must be between 0 and 100, not -1");
        assert!(told(Embed { seconds: Some(0), ..Embed::default() }).contains("seconds"));
        assert!(told(Embed { cpu_ms: Some(0), ..Embed::default() }).contains("cpu_ms"));
        assert!(told(Embed { batch: Some(1001), ..Embed::default() }).contains("batch"));
    }
}
