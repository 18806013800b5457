//! What callers ask for: the bodies of requests. A field that is not here is refused.

use crate::route::PackName;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};

/// `POST migrate`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// A pack that was pushed.
    pub pack: PackName,
    /// The version to reach, up or down; without it and `to_phase`: everything up.
    pub target: Option<i64>,
    /// The phase to end with.
    pub to_phase: Option<i32>,
    /// Values of the pack's variables.
    #[serde(default)]
    pub variables: Map<String, Value>,
}

/// `POST verify`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// A pack that was pushed.
    pub pack: PackName,
}

/// `POST sign-off`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// A pack that was pushed.
    pub pack: PackName,
    /// As its checklist names it.
    pub item: String,
    /// What makes the signer sure of it.
    pub reason: String,
    /// What was restored, where a backup is signed.
    #[serde(default)]
    pub evidence: Map<String, Value>,
}

impl<'de> Deserialize<'de> for PackName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PackName, D::Error> {
        PackName::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
