//! What callers ask for: the bodies of requests. A field that is not here is refused.

use crate::route::PackName;
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};
use strata_core::{Error, Kind};

/// `POST migrate`
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct Migrate {
    /// A pack that was pushed.
    #[cfg_attr(
        feature = "describe",
        schemars(with = "String", regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,62}$")),
        ts(type = "string")
    )]
    pub pack: PackName,
    /// The version to reach, up or down; without it and `to_phase`: everything up.
    pub target: Option<i64>,
    /// The phase to end with.
    pub to_phase: Option<i32>,
    /// Try everything and undo it.
    pub dry_run: Option<bool>,
    /// Values of the pack's variables.
    #[serde(default)]
    #[cfg_attr(feature = "describe", ts(optional, as = "Option<Map<String, Value>>"))]
    pub variables: Map<String, Value>,
}

/// `POST verify`
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// A pack that was pushed.
    #[cfg_attr(
        feature = "describe",
        schemars(with = "String", regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,62}$")),
        ts(type = "string")
    )]
    pub pack: PackName,
}

/// `POST sign-off`
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct SignOff {
    /// A pack that was pushed.
    #[cfg_attr(
        feature = "describe",
        schemars(with = "String", regex(pattern = r"^[a-z0-9][a-z0-9_-]{0,62}$")),
        ts(type = "string")
    )]
    pub pack: PackName,
    /// As its checklist names it.
    pub item: String,
    /// What makes the signer sure of it.
    pub reason: String,
    /// What was restored, where a backup is signed.
    #[serde(default)]
    #[cfg_attr(feature = "describe", ts(optional, as = "Option<Map<String, Value>>"))]
    pub evidence: Map<String, Value>,
    /// Take the sign-off back; the reason says why.
    #[serde(default)]
    #[cfg_attr(feature = "describe", ts(optional, as = "Option<bool>"))]
    pub withdraw: bool,
}

/// `POST search`
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// What is asked, as a text: it is embedded.
    pub query: Option<String>,
    /// What is asked, as a vector of the sources' model; with it, nothing is embedded here.
    pub embedding: Option<Vec<f64>>,
    /// The model that made `embedding`: refused where the sources are searched by another.
    pub embedding_model: Option<String>,
    /// Whose rows, where a service asks; a user asks for their own. As Postgres writes it: a uuid, a number, a name.
    pub user: Option<String>,
    /// In this organisation alone.
    pub organisation: Option<String>,
    /// Rows wanted, 10 without it.
    pub match_count: Option<i32>,
    /// How old a row may be, in days.
    pub date_range_days: Option<i32>,
    /// These sources and no others.
    pub entity_types: Option<Vec<String>>,
    /// From -1 to 1.
    pub minimum_similarity: Option<f64>,
    /// What the metadata must contain.
    pub metadata_filter: Option<Map<String, Value>>,
    /// A number above 0 for each entity type.
    pub source_weights: Option<Map<String, Value>>,
    /// From 0 to 1.
    pub diversity: Option<f64>,
    /// The share of the words of `query`, from 0 to 1; without it they are not looked for.
    pub text_weight: Option<f64>,
}

/// `POST embed`
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "describe", derive(schemars::JsonSchema, ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct Embed {
    /// Seconds that the answer is waited for, 0 to 100, 10 without it; the work goes on behind the answer.
    #[cfg_attr(feature = "describe", schemars(range(min = 0, max = 100)))]
    pub wait: Option<i32>,
    /// Seconds in which calls of providers are begun, 1 to 360, 100 without it; a call takes 30 at most.
    #[cfg_attr(feature = "describe", schemars(range(min = 1, max = 360)))]
    pub seconds: Option<i32>,
    /// Milliseconds that the function may compute, 10 to 10000, 600 without it.
    #[cfg_attr(feature = "describe", schemars(range(min = 10, max = 10_000)))]
    pub cpu_ms: Option<i32>,
    /// Rows a claim of the queue, 1 to 1000, 100 without it.
    #[cfg_attr(feature = "describe", schemars(range(min = 1, max = 1000)))]
    pub batch: Option<i32>,
}

/// Longest text that is embedded. Unit: bytes. Models read a few hundred words of it.
const TEXT: usize = 16_384;

impl Search {
    /// The text that is to be embedded; none where a vector is given. Refuses a search for nothing, or in nothing.
    pub fn text(&self) -> Result<Option<&str>, Error> {
        let wrong = |message: &str| Err(Error::new(Kind::BadArgument, message));
        if self.entity_types.as_ref().is_some_and(Vec::is_empty) {
            return wrong("entity_types must not be empty");
        }
        if self.embedding.is_none() && self.embedding_model.is_some() {
            return wrong(
                "embedding_model is missing its embedding: a query is embedded with the model of the sources",
            );
        }
        match (self.query.as_deref().map(str::trim), &self.embedding) {
            (_, Some(_)) => Ok(None),
            (None, None) => wrong("query or embedding is missing"),
            (Some(""), None) => wrong("query must not be empty"),
            (Some(text), None) if text.len() > TEXT => wrong("query must not be longer than 16384 bytes"),
            (Some(text), None) => Ok(Some(text)),
        }
    }
}

impl<'de> Deserialize<'de> for PackName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PackName, D::Error> {
        PackName::read(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(search: &Search) -> Result<Option<&str>, String> {
        search.text().map_err(|error| error.to_string())
    }

    #[test]
    fn a_text_is_embedded_unless_there_is_a_vector() {
        let query = || Some(" what made me happy? ".to_owned());
        assert_eq!(text(&Search { query: query(), ..Default::default() }), Ok(Some("what made me happy?")));
        let both = Search { query: query(), embedding: Some(vec![1.0]), ..Default::default() };
        assert_eq!(text(&both), Ok(None));
    }

    #[test]
    fn a_search_for_nothing_is_refused() {
        for (query, part) in
            [(None, "missing"), (Some(" ".to_owned()), "empty"), (Some("a".repeat(16_385)), "longer")]
        {
            assert!(text(&Search { query, ..Default::default() }).unwrap_err().contains(part), "{part}");
        }
        let query = || Some("x".to_owned());
        let nowhere = Search { query: query(), entity_types: Some(Vec::new()), ..Default::default() };
        assert!(text(&nowhere).unwrap_err().contains("entity_types"));
        let modelled = Search { query: query(), embedding_model: Some("m".to_owned()), ..Default::default() };
        assert!(text(&modelled).unwrap_err().contains("embedding_model"));
    }
}
