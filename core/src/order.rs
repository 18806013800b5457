//! What a run in the database was asked for, as the database keeps it until an executor takes it up.

use crate::error::{Error, Kind};
use crate::pack::Pack;
use crate::plan::{self, Direction, Known, Target};
use crate::run::Request;
use crate::variables::Values;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The words of `strata.start_run`, decided as far as they can be beforehand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// `up` or `down`; empty in a run that the command line began.
    #[serde(default)]
    pub direction: String,
    /// The version to reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<i64>,
    /// The phase to end with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_phase: Option<i64>,
    /// Of a run that the command line began: so many versions, counted from the attempt `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// See `count`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Nothing of it is to stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Values that the caller gave.
    #[serde(default)]
    pub variables: Values,
    /// The caller's, for unqualified names in the files.
    #[serde(default)]
    pub search_path: String,
    /// The caller's, for others.
    #[serde(default)]
    pub patience: Patience,
}

/// How long a run waits for others. What nobody has set is as everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// Longest that a step in a transaction waits for a lock. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_lock_timeout: Option<u32>,
    /// How long such a step tries again. Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table_lock_patience: Option<u32>,
    /// Longest that a concurrent statement waits for one other transaction; zero has no end. Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index_wait: Option<u32>,
}

impl Order {
    /// Decides the direction. Refuses a version or a phase that the pack does not have.
    pub fn new(
        pack: &Pack,
        known: &[Known],
        target: Option<i64>,
        to_phase: Option<i64>,
    ) -> Result<Order, Error> {
        let direction = match (target, to_phase) {
            (Some(_), Some(_)) => {
                let message = "target and to_phase are both given, and one of them is enough";
                return Err(Error::new(Kind::BadArgument, message));
            }
            (Some(version), None) => plan::toward(pack, known, version)?.0,
            (None, Some(number)) => check_phase(pack, number).map(|()| Direction::Up)?,
            (None, None) => Direction::Up,
        };
        let variables = pack.given.clone();
        let direction = direction.name().to_owned();
        Ok(Order { direction, target, to_phase, variables, ..Order::default() })
    }

    /// As it was kept.
    pub fn read(text: &str) -> Result<Order, Error> {
        serde_json::from_str(text)
            .map_err(|cause| Error::new(Kind::BadData, format!("strata.run.request cannot be read: {cause}")))
    }

    /// As it is kept.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("plain data serializes")
    }

    /// What an executor of this run is asked for.
    pub fn request(&self, run: &str) -> Request {
        let (direction, target) = self.way();
        let plain = Request::new(direction, target);
        let seconds = |given: Option<u32>| given.map(|s| Duration::from_secs(s.into()));
        Request {
            run: Some(run.to_owned()),
            lock_timeout_ms: self.patience.table_lock_timeout.unwrap_or(plain.lock_timeout_ms),
            table_lock_patience: seconds(self.patience.table_lock_patience)
                .unwrap_or(plain.table_lock_patience),
            index_wait: seconds(self.patience.index_wait).unwrap_or(plain.index_wait),
            ..plain
        }
    }

    /// Which way and how far.
    pub fn way(&self) -> (Direction, Target) {
        let direction = if self.direction == "down" { Direction::Down } else { Direction::Up };
        let target = match (self.count, self.target, self.to_phase) {
            (Some(count), ..) => Target::Count(count),
            (None, Some(version), _) => Target::Version(version),
            (None, None, Some(phase)) => Target::Phase(phase),
            (None, None, None) => Target::All,
        };
        (direction, target)
    }
}

fn check_phase(pack: &Pack, number: i64) -> Result<(), Error> {
    if pack.phase(number).is_some() {
        return Ok(());
    }
    let phases: Vec<String> = pack.manifest.phases.iter().map(|p| p.number.to_string()).collect();
    let message = format!("pack {} has no phase {number}", pack.manifest.name);
    Err(Error::new(Kind::BadArgument, message).hint(format!("its phases are {}", phases.join(", "))))
}

/// Values of variables as a caller writes them in JSON: texts, numbers, booleans.
pub fn values(json: &serde_json::Value) -> Result<Values, Error> {
    let wrong = |what: &str| Error::new(Kind::BadArgument, format!("variables: {what}"));
    let object = json.as_object().ok_or_else(|| wrong("an object of names and values is expected"))?;
    let text = |(name, value): (&String, &serde_json::Value)| match value {
        serde_json::Value::String(text) => Ok((name.clone(), text.clone())),
        serde_json::Value::Number(number) => Ok((name.clone(), number.to_string())),
        serde_json::Value::Bool(truth) => Ok((name.clone(), truth.to_string())),
        _ => Err(wrong(&format!("the value of {name} is neither text nor number"))),
    };
    object.iter().map(text).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pack() -> Pack {
        let files = ["1_a.up.sql", "2_b.up.sql"].map(|n| (n.to_owned(), "select 1".to_owned()));
        Pack::read("p", None, files.to_vec()).expect("a pack")
    }

    #[test]
    fn an_order_that_is_kept_is_the_order_that_is_read() {
        let mut order = Order::new(&pack(), &[], Some(2), None).expect("there is a version 2");
        order.search_path = "a, b".into();
        let read = Order::read(&order.json().to_string()).expect("kept");
        assert_eq!((read.way(), &read), ((Direction::Up, Target::Version(2)), &order));
    }

    #[test]
    fn an_executor_waits_as_long_as_the_caller_would() {
        let mut order = Order::new(&pack(), &[], None, None).expect("all");
        let plain = order.request("r");
        assert_eq!((plain.lock_timeout_ms, plain.index_wait), (crate::run::LOCK_TIMEOUT_MS, Duration::ZERO));
        order.patience.index_wait = Some(7);
        order.patience.table_lock_timeout = Some(20);
        let request = Order::read(&order.json().to_string()).expect("kept").request("r");
        assert_eq!((request.lock_timeout_ms, request.index_wait), (20, Duration::from_secs(7)));
        assert_eq!(request.run.as_deref(), Some("r"));
    }

    #[test]
    fn refuses_what_the_pack_does_not_have() {
        for (target, phase, part) in
            [(Some(9), None, "no version 9"), (None, Some(7), "no phase 7"), (Some(1), Some(1), "both given")]
        {
            let err = Order::new(&pack(), &[], target, phase).expect_err("refused");
            assert!(err.to_string().contains(part) && err.kind() == Kind::BadArgument, "{err}");
        }
    }

    #[test]
    fn values_are_texts_and_numbers() {
        let given = values(&json!({"n": 3, "t": "x"})).expect("scalars");
        assert_eq!((given["n"].as_str(), given["t"].as_str()), ("3", "x"));
        assert!(values(&json!([1])).is_err() && values(&json!({"a": {}})).is_err());
    }
}
