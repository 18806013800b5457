//! `strata eval`: the measures of a labelled set through the real chain, and nothing left of it.

use std::path::Path;
use strata_tests::aurum::{self, MAYA};
use strata_tests::{Database, Folder, Strata};

fn kitchen() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sets/kitchen").display().to_string()
}

#[test]
fn the_figures_are_those_computed_by_hand() {
    let database = Database::installed();
    let json = Strata::on(&database).run(&["eval", &kitchen(), "--modes", "text", "--json"]).ok().json();
    let (counts, text) = ((&json["documents"], &json["queries"], &json["depth"]), &json["modes"][0]);
    assert_eq!(counts, (&7.into(), &3.into(), &10.into()), "the fourth question has no judgements");
    let near = |name: &str, should: f64| {
        let is = text[name].as_f64().expect("a number");
        assert!((is - should).abs() < 1e-9, "{name} is {is}, not {should}: {json}");
    };
    // Found by words: 1 risotto, mushrooms: 1. 2 printer (grade 0), paper: 1/log2(3). 3 a document that is in no corpus: 0.
    near("ndcg", (1.0 + 1.0 / 3f64.log2() + 0.0) / 3.0);
    near("recall", 2.0 / 3.0);
    near("mrr", (1.0 + 0.5) / 3.0);
}

#[test]
fn every_way_and_every_share_has_its_line() {
    let database = Database::installed();
    let strata = Strata::on(&database);
    let outcome = strata.run(&["eval", &kitchen(), "--text-weight", "0.3,0.7", "-k", "3"]).ok();
    let first: Vec<&str> = outcome.stdout.lines().filter_map(|line| line.trim().split("  ").next()).collect();
    assert_eq!(first, ["MODE", "vector", "text", "hybrid 0.3", "hybrid 0.7"], "{}", outcome.stdout);
    assert!(outcome.stdout.contains("NDCG@3"), "{}", outcome.stdout);
    let json = strata.run(&["eval", &kitchen(), "--text-weight", "0,1", "--json"]).ok().json();
    let figures = |n: usize| {
        ["ndcg", "recall", "mrr"].map(|name| json["modes"][n][name].as_f64().expect("a number").to_string())
    };
    assert_eq!((figures(2), figures(3)), (figures(0), figures(1)), "the ends of the scale are the two ways");
}

#[test]
fn nothing_is_left_and_two_do_not_meet() {
    let database = aurum::migrated();
    let state = "select (select count(*) from pg_namespace) || '/' || (select count(*) from pg_class) || '/' ||
                        (select count(*) from strata.source) || '/' || (select count(*) from strata.model) || '/' ||
                        (select count(*) from strata.job)";
    let before: String = database.value(state);
    let strata = Strata::on(&database);
    let runs = [(); 2].map(|()| strata.start(&["eval", &kitchen(), "--json"]));
    let [one, other] = runs.map(|run| run.end().ok().json());
    assert_eq!(one, other);
    assert_eq!(database.value::<String>(state), before);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let database = Database::installed();
    let strata = Strata::on(&database);
    strata
        .run(&["eval", "/nowhere"])
        .exits(2)
        .says(&["/nowhere/corpus.jsonl cannot be read", "qrels/test.tsv"]);
    let set = Folder::of(&[
        ("corpus.jsonl", "{\"_id\": \"a\", \"text\": \"x\"}\n{\"_id\": \"b\"}\n"),
        ("queries.jsonl", "{\"_id\": \"1\", \"text\": \"x\"}"),
        ("judged.tsv", "2\ta\t1\n"),
    ]);
    let folder = set.path().display().to_string();
    let qrels = set.path().join("judged.tsv").display().to_string();
    let eval = |more: &[&str]| strata.run(&[&["eval", &folder, "--qrels", &qrels], more].concat());
    let missing = eval(&[]).says(&["line 2 of", "corpus.jsonl has no \"text\""]);
    assert!(missing.stdout.is_empty());
    set.write("corpus.jsonl", "{\"_id\": \"a\", \"text\": \"x\"}");
    eval(&[]).says(&["no question has judgements"]);
    set.write("judged.tsv", "1\ta\t1\n");
    set.write("queries.jsonl", "{\"_id\": \"1\", \"text\": \" \"}");
    eval(&[]).says(&["question 1 has no text"]);
    set.write("queries.jsonl", "{\"_id\": \"1\", \"text\": \"x\"}");
    eval(&["--text-search-config", "klingon"]).exits(24).says(&["klingon"]);
    eval(&["--model", "none"]).exits(24).says(&["model \"none\" does not exist", "strata.add_model"]);
    eval(&[]).ok();
    Strata::on(&Database::empty()).run(&["eval", &kitchen()]).says(&["strata is not installed"]);
}

#[test]
fn a_search_takes_every_argument_and_finds_by_words() {
    let database = aurum::embedded();
    let strata = Strata::on(&database);
    let search = |words: &[&str]| {
        let all = [&["search", "zeppelin", "--user", MAYA, "--json"], words].concat();
        strata.run(&all).ok().json()["hits"].as_array().expect("hits").clone()
    };
    let plain = search(&["-k", "1000"]);
    database.run(&format!(
        "insert into tasks (user_id, name, status) values ('{MAYA}', 'Write to the zeppelin museum', 'todo')"
    ));
    assert_eq!(search(&["-k", "1000"]), plain, "no source is searched by its words");
    database.run("select strata.set_text_search('task', 'english')");
    let hit = &search(&["-k", "1", "--text-weight", "1"])[0];
    assert_eq!(
        (hit["title"].as_str(), &hit["similarity"]),
        (Some("Write to the zeppelin museum"), &serde_json::Value::Null),
        "it is not embedded yet"
    );
    assert_eq!(search(&["-k", "1000"]).len(), plain.len() + 1, "with words by default");
    assert_eq!(search(&["-k", "1000", "--text-weight", "0"]), plain);
    let types = |hits: &[serde_json::Value]| {
        let mut types: Vec<String> =
            hits.iter().map(|hit| hit["entity_type"].as_str().unwrap_or_default().to_owned()).collect();
        types.dedup();
        types
    };
    assert_eq!(types(&search(&["--types", "task"])), ["task"]);
    assert_eq!(types(&search(&["-k", "3", "--weights", "{\"task\": 50}"])), ["task"]);
    let todo = search(&["-k", "1000", "--filter", "{\"status\": \"todo\"}"]);
    assert!(!todo.is_empty() && todo.iter().all(|hit| hit["metadata"]["status"] == "todo"), "{todo:?}");
    let near = search(&["-k", "1000", "--minimum", "0.1"]);
    assert!(near.len() < plain.len() && near.iter().all(|hit| hit["similarity"].as_f64() >= Some(0.1)));
    assert_eq!(search(&["-k", "5", "--diversity", "0.9"]).len(), 5);
    strata
        .run(&["search", "x", "--user", MAYA, "--types", "goal"])
        .exits(24)
        .says(&["\"goal\" is not a source"]);
    strata
        .run(&["search", "x", "--user", MAYA, "--minimum", "3"])
        .exits(2)
        .says(&["minimum_similarity", "not 3"]);
    strata
        .run(&["search", "x", "--user", MAYA, "--weights", "{\"task\": 0}"])
        .exits(2)
        .says(&["the weight of \"task\""]);
    strata.run(&["search", "x", "--user", "maya"]).exits(2).says(&["user_id_filter \"maya\" is no uuid"]);
    strata.run(&["search", "x"]).exits(2).says(&["user_id_filter must not be null", "--user ID"]);
    for (option, message) in [
        ("--days", "date_range_days must not be negative, not -3"),
        ("--count", "match_count must be between 1 and 1000, not -3"),
        ("--diversity", "a number from 0 to 1 is expected"),
        ("--text-weight", "a number from 0 to 1 is expected"),
    ] {
        strata.run(&["search", "x", "--user", MAYA, option, "-3"]).exits(2).says(&[message]);
    }
    let none = strata.run(&["search", "x", "--user", MAYA, "--filter", "{\"status\": \"lost\"}"]).ok();
    assert_eq!(none.stdout.trim(), "no hits: no row of this tenant is left by the options");
}
