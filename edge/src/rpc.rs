//! What the database is asked: a function of schema `strata` by name, with arguments by name.

use crate::request::{Migrate, Search, SignOff};
use crate::route::{PackName, RunId};
use serde_json::{Map, Value, json};

pub use strata_core::embed::rpc::Call as Rpc;

fn rpc(function: &'static str, arguments: Value) -> Rpc {
    Rpc { function, arguments }
}

/// Starts a run, once for each key.
pub fn start_run(asked: &Migrate, key: Option<&str>) -> Rpc {
    let mut arguments = Map::new();
    arguments.insert("key".into(), json!(key));
    arguments.insert("pack".into(), json!(asked.pack.as_str()));
    arguments.insert("target".into(), json!(asked.target));
    arguments.insert("to_phase".into(), json!(asked.to_phase));
    arguments.insert("variables".into(), Value::Object(asked.variables.clone()));
    arguments.insert("dry_run".into(), json!(asked.dry_run.unwrap_or(false)));
    rpc("start_run_once", Value::Object(arguments))
}

/// Where a run is.
pub fn run_progress(run: &RunId) -> Rpc {
    rpc("run_progress", json!({"run": run.as_str()}))
}

/// What a dry run has found.
pub fn dry_run_report(run: &RunId) -> Rpc {
    rpc("dry_run_report", json!({"run": run.as_str()}))
}

/// Stops a run.
pub fn cancel_run(run: &RunId) -> Rpc {
    rpc("cancel_run", json!({"run": run.as_str()}))
}

/// Lets a run go on.
pub fn resume_run(run: &RunId) -> Rpc {
    rpc("resume_run", json!({"run": run.as_str()}))
}

/// Its run that has not ended, or has left a version half-way.
pub fn unfinished_run(pack: &PackName) -> Rpc {
    about("unfinished_run", pack)
}

/// Every version of a pack.
pub fn migration_status(pack: &PackName) -> Rpc {
    about("migration_status", pack)
}

/// Every phase of a pack.
pub fn phase_status(pack: &PackName) -> Rpc {
    about("phase_status", pack)
}

/// What would run now.
pub fn plan(pack: &PackName) -> Rpc {
    about("plan", pack)
}

/// What must hold before each phase.
pub fn checklist(pack: &PackName) -> Rpc {
    about("checklist", pack)
}

/// Runs the verifications again.
pub fn verify(pack: &PackName) -> Rpc {
    about("verify", pack)
}

/// Signs an item of the checklist, or takes that back.
pub fn sign_off(asked: &SignOff) -> Rpc {
    if asked.withdraw {
        let arguments = json!({"pack": asked.pack.as_str(), "item": asked.item, "reason": asked.reason});
        return rpc("withdraw_sign_off", arguments);
    }
    rpc(
        "sign_off",
        json!({
            "pack": asked.pack.as_str(), "item": asked.item, "reason": asked.reason, "evidence": asked.evidence,
        }),
    )
}

/// Which model a text is to be embedded with that is searched for in these sources, or in all.
pub fn search_model(entity_types: Option<&[String]>) -> Rpc {
    rpc("search_model", json!({"entity_types": entity_types}))
}

/// The rows nearest to a vector of a model, as the caller may see them, whatever their keys are. What was not said keeps the
/// function's own default.
pub fn search(asked: &Search, embedding: &[f64], model: Option<&str>) -> Rpc {
    let mut arguments = Map::new();
    arguments.insert("query_embedding".into(), json!(embedding));
    arguments.insert("user_id_filter".into(), json!(asked.user));
    let said = [
        ("match_count", json!(asked.match_count)),
        ("date_range_days", json!(asked.date_range_days)),
        ("entity_types", json!(asked.entity_types)),
        ("minimum_similarity", json!(asked.minimum_similarity)),
        ("metadata_filter", json!(asked.metadata_filter)),
        ("source_weights", json!(asked.source_weights)),
        ("diversity", json!(asked.diversity)),
        ("query_text", json!(asked.text_weight.and(asked.query.as_ref()))),
        ("text_weight", json!(asked.text_weight)),
        ("embedding_model", json!(model)),
        ("organisation_filter", json!(asked.organisation)),
    ];
    arguments.extend(said.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.to_owned(), v)));
    rpc("search", Value::Object(arguments))
}

fn about(function: &'static str, pack: &PackName) -> Rpc {
    rpc(function, json!({"pack": pack.as_str()}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_asked_for_with_everything_that_the_caller_said() {
        let asked: Migrate =
            serde_json::from_str(r#"{"pack": "aurum", "to_phase": 3, "variables": {"n": 384}}"#).unwrap();
        let call = start_run(&asked, Some("k"));
        assert_eq!(call.function, "start_run_once");
        let expected = json!({"key": "k", "pack": "aurum", "target": null, "to_phase": 3, "variables": {"n": 384}, "dry_run": false});
        assert_eq!(call.arguments, expected);
    }

    #[test]
    fn a_signature_without_evidence_has_an_empty_one() {
        let asked: SignOff = serde_json::from_str(r#"{"pack": "p", "item": "2.x", "reason": "r"}"#).unwrap();
        assert_eq!(sign_off(&asked).arguments["evidence"], json!({}));
    }

    #[test]
    fn a_signature_is_taken_back_by_a_function_of_its_own() {
        let asked = r#"{"pack": "p", "item": "2.x", "reason": "r", "withdraw": true}"#;
        let call = sign_off(&serde_json::from_str(asked).unwrap());
        let expected = json!({"pack": "p", "item": "2.x", "reason": "r"});
        assert_eq!((call.function, call.arguments), ("withdraw_sign_off", expected));
    }

    #[test]
    fn a_search_says_what_was_said_and_keeps_the_other_defaults() {
        let asked = Search { match_count: Some(3), diversity: Some(0.5), ..Default::default() };
        let call = search(&asked, &[1.0, 0.5], Some("m"));
        let expected = json!({
            "query_embedding": [1.0, 0.5], "user_id_filter": null, "match_count": 3, "diversity": 0.5, "embedding_model": "m",
        });
        assert_eq!((call.function, call.arguments), ("search", expected));
        let text = Search { query: Some("a".into()), text_weight: Some(0.3), ..Default::default() };
        assert_eq!(search(&text, &[1.0], None).arguments["query_text"], "a");
        let text = Search { text_weight: None, ..text };
        assert_eq!(
            search(&text, &[1.0], None).arguments.get("query_text"),
            None,
            "no words without their share"
        );
    }
}
