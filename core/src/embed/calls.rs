//! How claimed jobs become calls of a provider: as many texts as it takes, fewer where some of them have failed before.

use super::{Limits, tokens};

/// A job as far as this is concerned.
pub trait Claimed {
    /// Its text.
    fn content(&self) -> &str;
    /// Failures so far.
    fn attempts(&self) -> i32;
    /// Texts that it is sent as.
    fn texts(&self) -> usize {
        1
    }
}

/// Parts jobs of one model into calls. A job that has failed goes with half as many others for each time, so that one that
/// makes its call fail stands alone in the end, and the others are long done.
pub fn calls<J: Claimed>(mut jobs: Vec<J>, limits: Limits) -> Vec<Vec<J>> {
    jobs.sort_by_key(J::attempts);
    let whole = jobs.iter().map(J::texts).sum::<usize>().min(limits.texts).max(1);
    let mut calls: Vec<Vec<J>> = Vec::new();
    let (mut sum, mut texts) = (0, 0);
    for job in jobs {
        let size = tokens(job.content());
        let room = limits.call_tokens.is_none_or(|most| sum + size <= most);
        let most = (whole >> job.attempts().clamp(0, 30)).max(1);
        match calls.last_mut() {
            Some(call) if texts + job.texts() <= most && room && call[0].attempts() == job.attempts() => {
                sum += size;
                texts += job.texts();
                call.push(job);
            }
            _ => {
                (sum, texts) = (size, job.texts());
                calls.push(vec![job]);
            }
        }
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone)]
    struct Job(String, i32);

    /// A text in so many parts.
    struct Parted(usize);

    impl Claimed for Parted {
        fn content(&self) -> &str {
            "text"
        }
        fn attempts(&self) -> i32 {
            0
        }
        fn texts(&self) -> usize {
            self.0
        }
    }

    impl Claimed for Job {
        fn content(&self) -> &str {
            &self.0
        }
        fn attempts(&self) -> i32 {
            self.1
        }
    }

    fn job(content: &str, attempts: i32) -> Job {
        Job(content.into(), attempts)
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
    fn the_parts_of_a_text_are_not_torn_apart() {
        let limits = Limits { texts: 4, tokens: None, call_tokens: None };
        let calls = calls([2, 2, 3, 9, 1].map(Parted).into(), limits);
        let texts: Vec<Vec<usize>> =
            calls.iter().map(|call| call.iter().map(|job| job.0).collect()).collect();
        assert_eq!(texts, [vec![2, 2], vec![3], vec![9], vec![1]]);
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
