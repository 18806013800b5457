//! The queue of embeddings as the function sees it: jobs on their way out, vectors and failures on their way back.

use crate::rpc::Rpc;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;
use strata_core::embed::{self, Blame, Chunking, Claimed};

/// How jobs are leased: without a session that a lease could end with, its time alone ends it. Longer than what one call and
/// the storing of its vectors may take. Unit: seconds.
pub const LEASE: u32 = 120;

/// Who holds them, as `strata.job` shows it.
const WORKER: &str = "edge function";

/// A claimed job: a row of `strata.claim_jobs`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Job {
    /// Entity type.
    pub entity_type: String,
    /// Key of its row.
    pub entity_id: String,
    /// Model that is to embed it.
    pub model: String,
    /// Worthless when it has moved.
    pub fence: i64,
    /// Text.
    pub content: String,
    /// Of the text, as Postgres writes bytes; only ever handed back.
    pub content_hash: String,
    /// Failures so far.
    pub attempts: i32,
    /// Tokens of a part of the text; none: it is embedded as a whole.
    #[serde(default)]
    pub chunk_tokens: Option<usize>,
    /// Tokens of a part that the next one begins with.
    #[serde(default)]
    pub chunk_overlap: usize,
    /// The parts, where it is cut.
    #[serde(skip)]
    pub parts: Vec<String>,
}

impl Job {
    /// Cuts its text, where it is to be cut. The tokenizers of models are not at hand here: tokens are estimated.
    pub fn cut(mut self) -> Job {
        if let Some(tokens) = self.chunk_tokens {
            let chunking = Chunking { tokens: tokens.max(1), overlap: self.chunk_overlap };
            let parts = embed::chunks(&self.content, chunking, &embed::tokens);
            self.parts = parts.into_iter().map(|part| self.content[part].to_owned()).collect();
        }
        self
    }

    /// What the provider is sent.
    pub fn sent(&self) -> &[String] {
        match self.parts.is_empty() {
            true => std::slice::from_ref(&self.content),
            false => &self.parts,
        }
    }
}

impl Claimed for Job {
    fn content(&self) -> &str {
        &self.content
    }

    fn attempts(&self) -> i32 {
        self.attempts
    }

    fn texts(&self) -> usize {
        self.sent().len()
    }
}

/// What `strata.complete_jobs` answers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Completed {
    /// Vectors stored.
    pub stored: u32,
    /// Vectors of a text that had changed meanwhile.
    pub stale: u32,
}

/// What `strata.fail_jobs` answers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Failed {
    /// Jobs that were set aside.
    pub dead: u32,
}

/// Why jobs go back.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure<'f> {
    /// Whom it is blamed on.
    pub blame: Blame,
    /// What the provider said.
    pub reason: &'f str,
    /// How long to leave them alone at least.
    pub wait: Option<Duration>,
}

/// Claims up to so many jobs of these models.
pub fn claim(models: &[&str], max: i32) -> Rpc {
    let arguments =
        json!({"worker": WORKER, "max": max, "lease": format!("{LEASE} seconds"), "models": models});
    Rpc { function: "claim_jobs", arguments }
}

/// Hands vectors back.
pub fn complete(jobs: &[Job], vectors: &[Vec<f32>]) -> Rpc {
    let parts = || jobs.iter().flat_map(|job| job.sent().iter().map(move |_| job));
    let mut arguments = keys(parts());
    arguments["hashes"] = parts().map(|job| job.content_hash.as_str()).collect();
    if jobs.iter().any(|job| job.chunk_tokens.is_some()) {
        arguments["chunks"] = jobs.iter().flat_map(|job| 0..job.sent().len()).collect();
    }
    // As texts: an array of arrays would be taken for an array of two dimensions.
    arguments["vectors"] = vectors.iter().map(|vector| written(vector)).collect();
    Rpc { function: "complete_jobs", arguments }
}

/// Hands jobs back without.
pub fn fail(jobs: &[Job], failure: &Failure<'_>) -> Rpc {
    let mut arguments = keys(jobs.iter());
    arguments["error"] = failure.reason.into();
    arguments["kind"] = failure.blame.name().into();
    arguments["retry_after"] = failure.wait.map(|wait| format!("{} seconds", wait.as_secs_f64())).into();
    Rpc { function: "fail_jobs", arguments }
}

/// Asks to call a model once, with about so many tokens; answers the seconds to wait.
pub fn turn(model: &str, tokens: usize) -> Rpc {
    Rpc { function: "seconds_to_turn", arguments: json!({"model": model, "tokens": tokens}) }
}

/// What is left of these models.
pub fn left(models: &[&str]) -> Rpc {
    Rpc { function: "jobs_left", arguments: json!({"models": models}) }
}

fn keys<'j>(jobs: impl Iterator<Item = &'j Job> + Clone) -> Value {
    let of = |field: fn(&Job) -> Value| -> Value { jobs.clone().map(field).collect() };
    json!({
        // The jobs of one call are of one model.
        "model": jobs.clone().next().map(|job| job.model.as_str()),
        "entity_types": of(|job| job.entity_type.as_str().into()),
        "entity_ids": of(|job| job.entity_id.as_str().into()),
        "fences": of(|job| job.fence.into()),
    })
}

/// As pgvector reads it.
fn written(vector: &[f32]) -> String {
    let numbers: Vec<String> = vector.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job() -> Job {
        let row = json!({
            "entity_type": "note", "entity_id": "0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10", "model": "m", "fence": 2,
            "content": "text", "content_hash": "\\x00ff", "attempts": 1,
        });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_vector_goes_back_under_the_fence_and_the_hash_of_its_job() {
        let call = complete(&[job()], &[vec![1.0, -0.5]]);
        assert_eq!(call.function, "complete_jobs");
        let expected = json!({
            "entity_types": ["note"], "entity_ids": ["0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10"], "fences": [2],
            "hashes": ["\\x00ff"], "vectors": ["[1,-0.5]"], "model": "m",
        });
        assert_eq!(call.arguments, expected);
    }

    #[test]
    fn the_parts_of_a_text_go_back_together_and_numbered() {
        let cut = |chunk_tokens| Job { content: "one two. three four.".into(), chunk_tokens, ..job() }.cut();
        let jobs = [cut(Some(5)), cut(None)];
        assert_eq!(jobs[0].sent(), ["one two.", "three four."]);
        let call = complete(&jobs, &[vec![1.0], vec![2.0], vec![3.0]]);
        assert_eq!(
            (&call.arguments["chunks"], &call.arguments["fences"]),
            (&json!([0, 1, 0]), &json!([2, 2, 2]))
        );
        assert_eq!(
            fail(&jobs, &Failure { blame: Blame::Busy, reason: "no", wait: None }).arguments["fences"],
            json!([2, 2])
        );
    }

    #[test]
    fn a_failure_says_whom_it_is_blamed_on_and_how_long_to_wait() {
        let wait = Some(Duration::from_millis(1500));
        let call = fail(&[job()], &Failure { blame: Blame::Busy, reason: "no", wait });
        assert_eq!(call.arguments["kind"], "busy");
        assert_eq!(call.arguments["retry_after"], "1.5 seconds");
        assert_eq!(call.arguments["error"], "no");
        let call = fail(&[], &Failure { blame: Blame::Returned, reason: "no", wait: None });
        assert_eq!((&call.arguments["fences"], &call.arguments["retry_after"]), (&json!([]), &Value::Null));
    }

    #[test]
    fn numbers_are_written_so_that_they_are_read_as_they_were() {
        for number in [f32::MIN_POSITIVE, 0.1, -3.402_823_5e38, 1e-7] {
            let text = written(&[number]);
            assert_eq!(text.trim_matches(['[', ']']).parse(), Ok(number), "{text}");
        }
    }
}
