//! How claimed jobs become calls of a provider: as many texts as it takes, fewer where some of them have failed before.

use crate::drain::queue::Job;
use crate::provider::{self, Limits};

/// Parts jobs of one model into calls. A job that has failed goes with half as many others for each time, so that one that
/// makes its call fail stands alone in the end, and the others are long done.
pub fn calls(mut jobs: Vec<Job>, limits: Limits) -> Vec<Vec<Job>> {
    jobs.sort_by_key(|job| job.attempts);
    let whole = jobs.len().min(limits.texts).max(1);
    let mut calls: Vec<Vec<Job>> = Vec::new();
    let mut tokens = 0;
    for job in jobs {
        let size = provider::tokens(&job.content);
        let room = limits.call_tokens.is_none_or(|most| tokens + size <= most);
        let most = (whole >> job.attempts.clamp(0, 30)).max(1);
        match calls.last_mut() {
            Some(call) if call.len() < most && room && call[0].attempts == job.attempts => {
                tokens += size;
                call.push(job);
            }
            _ => {
                tokens = size;
                calls.push(vec![job]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(content: &str, attempts: i32) -> Job {
        let (entity_type, model) = ("note".into(), "m".into());
        Job {
            entity_type,
            id: uuid::Uuid::new_v4(),
            model,
            fence: 1,
            content: content.into(),
            hash: vec![],
            attempts,
        }
    }

    fn sizes(jobs: Vec<Job>, texts: usize, call_tokens: Option<usize>) -> Vec<usize> {
        calls(jobs, Limits { texts, tokens: None, call_tokens }).iter().map(Vec::len).collect()
    }

    #[test]
    fn a_call_has_as_many_texts_as_the_provider_takes() {
        let jobs = |count| (0..count).map(|_| job("text", 0)).collect::<Vec<_>>();
        assert_eq!(sizes(jobs(0), 10, None), [0; 0]);
        assert_eq!(sizes(jobs(25), 10, None), [10, 10, 5]);
        assert_eq!(sizes(jobs(5), 10, Some(4)), [2, 2, 1], "two tokens a text");
        assert_eq!(
            sizes(vec![job(&"x".repeat(900), 0), job("y", 0)], 10, Some(9)),
            [1, 1],
            "longer than a call"
        );
    }

    #[test]
    fn what_has_failed_goes_with_fewer_each_time() {
        let jobs = |attempts| (0..16).map(|_| job("text", attempts)).collect::<Vec<_>>();
        assert_eq!(sizes(jobs(1), 100, None), [8, 8]);
        assert_eq!(sizes(jobs(3), 100, None), [2; 8]);
        assert_eq!(sizes(jobs(7), 100, None), [1; 16]);
        let mixed = [jobs(0), vec![job("poison", 2)]].concat();
        assert_eq!(sizes(mixed, 100, None), [16, 1], "and not with those that have not");
    }
}
