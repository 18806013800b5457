//! How good a ranking is, by judgements: the measures of `trec_eval`, and the files of a labelled set in BEIR's layout.
//!
//! A query without a relevant document measures nothing and is left out. Everything else counts, also a query that found
//! nothing. Where `trec_eval` would sort equal scores by name, the order stays that of the ranking.

mod beir;
pub use beir::{Document, Judgements, Query, corpus, judgements, queries};
use std::collections::{BTreeMap, HashSet};

/// The measures at a depth, each from 0 to 1, as means over the queries.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Normalized discounted cumulative gain: grades as they are, by log2 of the place plus one, over the best order of
    /// all that is judged. `ndcg_cut` of trec_eval.
    pub ndcg: f64,
    /// Share of the relevant documents that are found. `recall` of trec_eval.
    pub recall: f64,
    /// One over the place of the first relevant document; 0 where none is found. `recip_rank` of trec_eval, cut.
    pub mrr: f64,
    /// The queries that count.
    pub queries: usize,
}

/// The mean over some rankings: query to documents, best first. Only queries with a relevant document count; one without a
/// ranking has found nothing. `depth`: places that count, at least 1.
pub fn quality(judgements: &Judgements, rankings: &BTreeMap<String, Vec<String>>, depth: usize) -> Quality {
    let mut sum = Quality::default();
    for (query, grades) in judgements {
        let ranking = rankings.get(query).map_or(&[][..], Vec::as_slice);
        if let Some((ndcg, recall, mrr)) = one(grades, ranking, depth) {
            sum.ndcg += ndcg;
            sum.recall += recall;
            sum.mrr += mrr;
            sum.queries += 1;
        }
    }
    let n = sum.queries.max(1) as f64;
    Quality { ndcg: sum.ndcg / n, recall: sum.recall / n, mrr: sum.mrr / n, queries: sum.queries }
}

/// nDCG, recall and reciprocal rank of one query; none where nothing is relevant. A document counts once, at its first
/// place.
fn one(grades: &BTreeMap<String, i32>, ranking: &[String], depth: usize) -> Option<(f64, f64, f64)> {
    let mut ideal: Vec<i32> = grades.values().copied().filter(|grade| *grade > 0).collect();
    ideal.sort_unstable_by(|a, b| b.cmp(a));
    if ideal.is_empty() {
        return None;
    }
    let mut seen = HashSet::new();
    let found: Vec<i32> = ranking
        .iter()
        .filter(|document| seen.insert(document.as_str()))
        .take(depth)
        .map(|document| grades.get(document).copied().unwrap_or(0).max(0))
        .collect();
    let relevant = found.iter().filter(|grade| **grade > 0).count();
    let first = found.iter().position(|grade| *grade > 0);
    Some((
        gain(&found) / gain(&ideal[..ideal.len().min(depth)]),
        relevant as f64 / ideal.len() as f64,
        first.map_or(0.0, |place| 1.0 / (place + 1) as f64),
    ))
}

/// Discounted cumulative gain of grades in their order.
fn gain(grades: &[i32]) -> f64 {
    grades.iter().enumerate().map(|(place, grade)| f64::from(*grade) / ((place + 2) as f64).log2()).sum()
}

#[cfg(test)]
mod tests;
