//! What two bytes a number change of an answer: `rag_search` on a store, beside the exact order of the same rows by their vectors
//! of four bytes a number.

use super::Libraries;
use super::asked::{Asker, K, RAG_SEARCH};
use super::by_hand::KINDS;
use super::library::TABLES;
use crate::figure::{Figure, Limit};
use crate::say;

/// Questions of each tenant in a round, half of them about what the tenant writes about. None is asked twice.
const QUESTIONS: usize = 100;

/// The share of the nearest ten that are found, over all questions of a round.
pub fn measure(libraries: &Libraries, rounds: usize) -> Vec<Figure> {
    let mut ours = Asker::signed_in(&libraries.store, RAG_SEARCH);
    let mut truth = Asker::above(&libraries.inline, &exact());
    let samples = (0..rounds).map(|round| {
        let (mut among, mut all) = (0, 0);
        for (tenant, ..) in KINDS {
            ours.is(tenant);
            for number in round * QUESTIONS..(round + 1) * QUESTIONS {
                let question = libraries.store.question(tenant, number);
                let (found, nearest) = (ours.ask(&question, tenant).1, truth.ask(&question, tenant).1);
                assert_eq!(found.len(), nearest.len(), "tenant {tenant}, question {number}");
                among += nearest.iter().filter(|id| found.contains(id)).count();
                all += nearest.len();
            }
        }
        say(&format!("{among} of {all} of the nearest are found"));
        among as f64 / all as f64
    });
    let samples = samples.collect();
    let name = format!("{}: recall@{K} against four bytes a number", libraries.store.name());
    vec![Figure::new(name, "share", samples, Limit::AtLeast(0.99))]
}

/// All rows of the tenant in their order, by no index.
fn exact() -> String {
    let branch = |table: &str| {
        format!(
            "select '{table}' as entity_type, id as entity_id, embedding <=> $1 as distance from {table} where user_id = $2"
        )
    };
    let all = TABLES.map(branch).join(" union all ");
    format!(
        "select r.entity_id from ({all}) r order by r.distance - 1::float8, r.entity_type, r.entity_id limit {K}"
    )
}
