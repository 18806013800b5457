//! What a dry run has found, for a door that keeps it or prints it.

use super::finding::{Ended, Finding, Lock, Trial, Verdict};
use crate::error::{Error, Kind};
use serde_json::{Value, json};

impl Trial {
    /// As JSON: what `strata up --dry-run --json` prints and `strata.dry_run` keeps.
    pub fn json(&self) -> Value {
        json!({
            "direction": self.direction.name(), "dry_run": true, "passed": self.passed, "sequences": self.sequences,
            "steps": self.steps.iter().map(object).collect::<Vec<_>>(), "ended": self.ended.as_ref().map(Ended::why),
        })
    }

    /// Nothing is wrong with the pack; but whether it would pass is not known.
    pub fn incomplete(&self) -> Option<Error> {
        let why = |step: &Finding| match &step.verdict {
            Verdict::NotTried(why) => Some(why.clone()),
            _ => None,
        };
        let skipped = self.steps.iter().find_map(why);
        let why = self.ended.as_ref().map(|ended| ended.why().to_owned()).or(skipped)?;
        let left = self.count(|verdict| matches!(verdict, Verdict::NotTried(_)));
        let message = format!("{left} of {} steps were not tried: {why}", self.steps.len());
        let hint = match self.ended {
            Some(Ended::Busy(_)) => {
                "nothing was changed; try it when less is going on, or raise --give-way or --dry-run-limit"
            }
            _ => "nothing was changed; what was not tried shows on a copy of the database",
        };
        Some(Error::new(Kind::Untried, message).hint(hint))
    }
}

fn object(step: &Finding) -> Value {
    let (result, why) = match &step.verdict {
        Verdict::Passed => ("passed", None),
        Verdict::OnSchema => ("passed on the schema", None),
        Verdict::LeftOut(why) => ("left out", Some(why)),
        Verdict::NotTried(why) => ("not tried", Some(why)),
        Verdict::Failed(why) => ("failed", Some(why)),
    };
    let lock = |lock: &Lock| json!({"relation": lock.relation, "mode": lock.mode, "stops": lock.stops});
    json!({
        "version": step.version, "name": step.name, "step": step.step, "of": step.of, "summary": step.summary,
        "result": result, "why": why, "remarks": step.remarks, "ms": step.ms, "rows": step.rows,
        "locks": step.locks.iter().map(lock).collect::<Vec<_>>(),
    })
}
