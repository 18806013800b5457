//! The queue of embeddings as it is reached through PostgREST: functions of schema `strata` by name, jobs on their way out,
//! vectors and failures on their way back.

use super::{Blame, Chunking, Claimed, chunks, tokens};
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

/// One call of PostgREST's `/rpc`.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// Its name; never a caller's word.
    pub function: &'static str,
    /// Its arguments.
    pub arguments: Value,
}

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
    pub chunk_overlap: Option<usize>,
    /// The parts, where it is cut.
    #[serde(skip)]
    pub parts: Vec<String>,
}

impl Job {
    /// How its text is to be cut, where it is.
    pub fn chunking(&self) -> Option<Chunking> {
        let overlap = self.chunk_overlap.unwrap_or_default();
        self.chunk_tokens.map(|tokens| Chunking { tokens: tokens.max(1), overlap })
    }

    /// Cuts its text, where it is to be cut, and the model's tokenizer is not at hand: tokens are estimated.
    pub fn cut(mut self) -> Job {
        if let Some(chunking) = self.chunking() {
            let parts = chunks(&self.content, chunking, &tokens);
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

    /// What it is known by when it goes back.
    pub fn mark(&self) -> Mark<'_> {
        Mark {
            entity_type: &self.entity_type,
            entity_id: self.entity_id.clone(),
            fence: self.fence,
            hash: &self.content_hash,
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

/// What a job is known by when it goes back.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark<'j> {
    /// Entity type.
    pub entity_type: &'j str,
    /// Key of its row.
    pub entity_id: String,
    /// As it was claimed.
    pub fence: i64,
    /// Of its text, as it was claimed.
    pub hash: &'j str,
}

/// What `strata.complete_jobs` answers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Completed {
    /// Vectors stored.
    pub stored: u32,
    /// Vectors of a text that had changed meanwhile.
    pub stale: u32,
}

/// What `strata.continue_model_changes` answers.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Walked {
    /// Jobs that are new.
    pub enqueued: i64,
    /// Whether every walk is at its end.
    pub done: bool,
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

/// Claims up to so many jobs of these models. Without a session that a lease could end with, its time alone ends it. Unit of the
/// lease: seconds.
pub fn claim(worker: &str, lease: u32, models: &[&str], max: i32) -> Call {
    let arguments =
        json!({"worker": worker, "max": max, "lease": format!("{lease} seconds"), "models": models});
    Call { function: "claim_jobs", arguments }
}

/// Hands vectors back: `texts` says of how many texts each job is, one vector a text. All of one model; `cut`: some of them are
/// in parts.
pub fn complete(model: &str, jobs: &[(Mark<'_>, usize)], cut: bool, vectors: &[Vec<f32>]) -> Call {
    let parts = || jobs.iter().flat_map(|(mark, texts)| (0..*texts).map(move |chunk| (mark, chunk)));
    let mut arguments = keys(model, parts().map(|(mark, _)| mark));
    arguments["hashes"] = parts().map(|(mark, _)| mark.hash).collect();
    if cut {
        arguments["chunks"] = parts().map(|(_, chunk)| chunk).collect();
    }
    // As texts: an array of arrays would be taken for an array of two dimensions.
    arguments["vectors"] = vectors.iter().map(|vector| written(vector)).collect();
    Call { function: "complete_jobs", arguments }
}

/// Hands jobs back without. All of one model.
pub fn fail(model: &str, jobs: &[Mark<'_>], failure: &Failure<'_>) -> Call {
    let mut arguments = keys(model, jobs.iter());
    arguments["error"] = failure.reason.into();
    arguments["kind"] = failure.blame.name().into();
    arguments["retry_after"] = failure.wait.map(|wait| format!("{} seconds", wait.as_secs_f64())).into();
    Call { function: "fail_jobs", arguments }
}

/// Asks to call a model once, with about so many tokens; answers the seconds to wait.
pub fn turn(model: &str, tokens: usize) -> Call {
    Call { function: "seconds_to_turn", arguments: json!({"model": model, "tokens": tokens}) }
}

/// What is left of these models.
pub fn left(models: &[&str]) -> Call {
    Call { function: "jobs_left", arguments: json!({"models": models}) }
}

/// Goes on with the walks of all changes of models, a page of so many rows each.
pub fn continue_changes(rows: i64) -> Call {
    Call { function: "continue_model_changes", arguments: json!({"max": rows}) }
}

/// The models that rows are embedded with; while a model is changed, the one that takes its place too.
pub fn embedded_models() -> Call {
    Call { function: "embedded_models", arguments: json!({}) }
}

fn keys<'j>(model: &str, marks: impl Iterator<Item = &'j Mark<'j>> + Clone) -> Value {
    let of = |field: fn(&Mark<'_>) -> Value| -> Value { marks.clone().map(field).collect() };
    json!({
        "model": model,
        "entity_types": of(|mark| mark.entity_type.into()),
        "entity_ids": of(|mark| mark.entity_id.as_str().into()),
        "fences": of(|mark| mark.fence.into()),
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
            "content": "text", "content_hash": "\\x00ff", "attempts": 1, "chunk_tokens": null, "chunk_overlap": null,
        });
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_vector_goes_back_under_the_fence_and_the_hash_of_its_job() {
        let job = job();
        let call = complete("m", &[(job.mark(), 1)], false, &[vec![1.0, -0.5]]);
        assert_eq!(call.function, "complete_jobs");
        let expected = json!({
            "model": "m", "entity_types": ["note"], "entity_ids": ["0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10"], "fences": [2],
            "hashes": ["\\x00ff"], "vectors": ["[1,-0.5]"],
        });
        assert_eq!(call.arguments, expected);
    }

    #[test]
    fn the_parts_of_a_text_go_back_together_and_numbered() {
        let cut = |chunk_tokens| Job { content: "one two. three four.".into(), chunk_tokens, ..job() }.cut();
        let jobs = [cut(Some(5)), cut(None)];
        assert_eq!(jobs[0].sent(), ["one two.", "three four."]);
        let marks: Vec<_> = jobs.iter().map(|job| (job.mark(), job.sent().len())).collect();
        let call = complete("m", &marks, true, &[vec![1.0], vec![2.0], vec![3.0]]);
        assert_eq!(
            (&call.arguments["chunks"], &call.arguments["fences"]),
            (&json!([0, 1, 0]), &json!([2, 2, 2]))
        );
    }

    #[test]
    fn a_failure_says_whom_it_is_blamed_on_and_how_long_to_wait() {
        let wait = Some(Duration::from_millis(1500));
        let job = job();
        let call = fail("m", &[job.mark()], &Failure { blame: Blame::Busy, reason: "no", wait });
        assert_eq!(call.arguments["kind"], "busy");
        assert_eq!(call.arguments["retry_after"], "1.5 seconds");
        assert_eq!(call.arguments["error"], "no");
        let call = fail("m", &[], &Failure { blame: Blame::Returned, reason: "no", wait: None });
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
