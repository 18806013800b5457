//! The measures against values computed by hand, and the files with what can be wrong in them.

use super::*;
use crate::error::Error;

fn judged(grades: &[(&str, &str, i32)]) -> Judgements {
    let mut judgements = Judgements::new();
    for (query, document, grade) in grades {
        judgements.entry((*query).to_owned()).or_default().insert((*document).to_owned(), *grade);
    }
    judgements
}

fn ranked(rankings: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
    let split = |documents: &str| documents.split_whitespace().map(str::to_owned).collect();
    rankings.iter().map(|(query, documents)| ((*query).to_owned(), split(documents))).collect()
}

fn assert_near(is: f64, should: f64) {
    assert!((is - should).abs() < 1e-9, "{is}, not {should}");
}

#[test]
fn graded_gain_is_discounted_by_the_place_and_divided_by_the_best_order() {
    // Järvelin and Kekäläinen's example, as Wikipedia computes it for trec_eval's formula: grades 3 2 3 0 1 2 of six that
    // are judged, with 3 and 2 more that were not found. DCG 6.861, ideal 8.740, nDCG 0.785.
    let judgements = judged(&[
        ("q", "a", 3),
        ("q", "b", 2),
        ("q", "c", 3),
        ("q", "d", 0),
        ("q", "e", 1),
        ("q", "f", 2),
        ("q", "g", 3),
        ("q", "h", 2),
    ]);
    let quality = quality(&judgements, &ranked(&[("q", "a b c d e f")]), 6);
    let dcg = 3.0 + 2.0 / 3f64.log2() + 3.0 / 2.0 + 0.0 + 1.0 / 6f64.log2() + 2.0 / 7f64.log2();
    let ideal =
        3.0 + 3.0 / 3f64.log2() + 3.0 / 2.0 + 2.0 / 5f64.log2() + 2.0 / 6f64.log2() + 2.0 / 7f64.log2();
    assert!((dcg - 6.861).abs() < 1e-3 && (ideal - 8.740).abs() < 1e-3);
    assert_near(quality.ndcg, dcg / ideal);
    assert!((quality.ndcg - 0.785).abs() < 1e-3);
    assert_near(quality.recall, 5.0 / 7.0);
    assert_near(quality.mrr, 1.0);
}

#[test]
fn places_beyond_the_depth_do_not_count() {
    let judgements = judged(&[("q", "a", 1), ("q", "b", 1)]);
    let at = |depth| quality(&judgements, &ranked(&[("q", "x y a b")]), depth);
    assert_eq!(at(2), Quality { queries: 1, ..Quality::default() });
    assert_near(at(3).recall, 0.5);
    assert_near(at(3).mrr, 1.0 / 3.0);
    // 1/log2(4) over 1/log2(2) + 1/log2(3).
    assert_near(at(3).ndcg, 0.5 / (1.0 + 1.0 / 3f64.log2()));
    assert_near(at(4).recall, 1.0);
    let best = quality(&judgements, &ranked(&[("q", "b a")]), 1);
    assert_eq!((best.ndcg, best.recall, best.mrr), (1.0, 0.5, 1.0), "the ideal is cut, the relevant are not");
}

#[test]
fn the_mean_is_over_the_queries_that_have_an_answer() {
    let judgements = judged(&[("1", "a", 2), ("2", "b", 1), ("3", "c", 0), ("4", "d", -1)]);
    let quality = quality(&judgements, &ranked(&[("1", "a"), ("3", "c"), ("5", "a")]), 10);
    assert_eq!(quality, Quality { ndcg: 0.5, recall: 0.5, mrr: 0.5, queries: 2 });
    assert_eq!(super::quality(&Judgements::new(), &ranked(&[]), 10), Quality::default());
}

#[test]
fn a_document_that_is_found_twice_counts_once() {
    let judgements = judged(&[("q", "a", 1), ("q", "b", 1)]);
    let quality = quality(&judgements, &ranked(&[("q", "a a b")]), 2);
    assert_eq!((quality.ndcg, quality.recall), (1.0, 1.0));
}

#[test]
fn reads_the_files_of_beir() {
    let documents = corpus(
        "c",
        "{\"_id\": \"1\", \"title\": \"T\", \"text\": \"a\\nb\"}\n\n{\"_id\": 2, \"text\": \"\"}\n",
    );
    let document = |id: &str, title: &str, text: &str| Document {
        id: id.into(),
        title: title.into(),
        text: text.into(),
    };
    assert_eq!(documents, Ok(vec![document("1", "T", "a\nb"), document("2", "", "")]));
    assert_eq!(
        queries("q", "{\"_id\":\"7\",\"text\":\"why\"}"),
        Ok(vec![Query { id: "7".into(), text: "why".into() }])
    );
    let should = Ok(judged(&[("7", "1", 2), ("8", "2", 0)]));
    assert_eq!(judgements("j", "query-id\tcorpus-id\tscore\n7\t1\t2\n8\t2\t0\n"), should);
    assert_eq!(judgements("j", "7 0 1 2\n8 Q0 2 0"), should, "trec_eval's own");
}

#[test]
fn names_the_line_that_cannot_be_read() {
    let of = |error: Error| (error.sqlstate().to_owned(), error.message().to_owned());
    let wrong = |message: &str| ("22000".to_owned(), message.to_owned());
    let corpus = |file| corpus("corpus.jsonl", file).map_err(of);
    assert_eq!(
        corpus("{\"_id\": \"1\", \"text\": \"a\"}\n[1]"),
        Err(wrong("line 2 of corpus.jsonl is no JSON object"))
    );
    assert_eq!(corpus("{\"_id\": \"1\"}"), Err(wrong("line 1 of corpus.jsonl has no \"text\"")));
    assert_eq!(queries("q", "{\"text\": \"a\"}").map_err(of), Err(wrong("line 1 of q has no \"_id\"")));
    let judgements = |file| judgements("test.tsv", file).map_err(of);
    assert_eq!(judgements("1 2"), Err(wrong("line 1 of test.tsv has not three or four columns")));
    assert_eq!(
        judgements("q d s\n1 2 x"),
        Err(wrong("line 2 of test.tsv has the grade \"x\", which is no number"))
    );
}
