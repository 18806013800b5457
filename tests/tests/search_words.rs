//! Questions in plain language: what a person would expect is among the first hits, on the command line as in SQL.

use serde_json::Value;
use strata_tests::aurum::{self, DANIEL, MAYA, RUTH};
use strata_tests::brute_force::{TOLERANCE, rag_search};
use strata_tests::{Database, Strata};

fn search(database: &Database, question: &str, user: &str, count: &str) -> Vec<Value> {
    let outcome = Strata::on(database).run(&["search", question, "--user", user, "-k", count, "--json"]).ok();
    outcome.json()["hits"].as_array().expect("hits").clone()
}

#[test]
fn a_plain_question_finds_what_a_person_would_expect() {
    let app = aurum::embedded();
    let expected = [
        (MAYA, "What helps me to fall asleep after working at night?", "After the third night"),
        (DANIEL, "Am I drowning in debt?", "The card"),
        (RUTH, "What must be done before I move house?", "Ask the estate agent what the house is worth"),
    ];
    for (user, question, title) in expected {
        let hits = search(&app, question, user, "3");
        let titles: Vec<&str> = hits.iter().map(|hit| hit["title"].as_str().unwrap_or_default()).collect();
        assert_eq!(hits.len(), 3);
        assert!(titles.contains(&title), "{question} found {titles:?}");
    }
}

#[test]
fn the_command_line_and_sql_agree() {
    let database = aurum::embedded();
    let question = "How is my mother's memory?";
    // A task that says nothing but the question has the vector of the question.
    database.run(&format!(
        "insert into tasks (user_id, name) values ('{DANIEL}', '{}')",
        question.replace('\'', "''")
    ));
    let strata = Strata::on(&database);
    strata.run(&["embed"]).ok();
    let vector: Vec<f32> = database.value(&format!(
        "select description_embedding::real[] from tasks where name = '{}'",
        question.replace('\'', "''")
    ));
    let hits = strata.run(&["search", question, "--user", MAYA, "-k", "12", "--json"]).ok().json();
    let hits = hits["hits"].as_array().expect("hits");
    let sql = rag_search(&mut database.connect(), &vector, Some(MAYA.parse().expect("a uuid")), 12);
    assert_eq!(hits.len(), sql.len());
    for (shown, hit) in hits.iter().zip(&sql) {
        assert_eq!(
            (shown["entity_type"].as_str(), shown["entity_id"].as_str()),
            (Some(hit.entity_type.as_str()), Some(hit.id.to_string().as_str()))
        );
        let off = shown["similarity"].as_f64().expect("a number") - hit.similarity;
        assert!(off.abs() < TOLERANCE, "{shown} differs from {hit:?}");
    }
}

#[test]
fn a_hit_has_the_documented_fields() {
    let app = aurum::embedded();
    let hits = search(&app, "football", DANIEL, "1");
    let fields: Vec<&str> = hits[0].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        ["entity_type", "entity_id", "title", "content", "similarity", "created_at", "metadata"]
    );
    let text = Strata::on(&app).run(&["search", "football", "--user", DANIEL, "-k", "2"]).ok().stdout;
    assert_eq!(text.lines().count(), 3, "a heading and two hits: {text}");
}

#[test]
fn a_search_that_cannot_be_is_refused_with_its_own_exit_code() {
    let app = aurum::embedded();
    let strata = Strata::on(&app);
    strata.run(&["search", "  ", "--user", MAYA]).exits(2).says(&["the text to search for is empty"]);
    strata.run(&["search", "x", "--user", "maya"]).says(&["user_id_filter \"maya\" is no uuid"]);
    strata.run(&["search", "x", "--user", MAYA, "-k", "0"]).exits(2).says(&["match_count", "not 0"]);
    strata.run(&["search", "x"]).exits(2).says(&["user_id_filter must not be null"]);
    let nobody = strata.run(&["search", "x", "--user", "00000000-0000-4000-8000-000000000000"]).ok();
    assert!(nobody.stdout.starts_with("no hits"), "{}", nobody.stdout);
    let bare = Database::installed();
    Strata::on(&bare).run(&["search", "x"]).exits(24).says(&["no source is registered", "strata.add_source"]);
}

#[test]
fn a_column_of_another_dimension_than_the_model_is_named() {
    let database = Database::installed();
    database.run(
        "create table note (id uuid primary key, owner uuid not null, body text, made timestamptz default now(), v vector(384));
         select strata.add_model('wide', 'local', 1536)",
    );
    let (sqlstate, message) = database.refusal(
        "select strata.add_source('note', 'note', 'id', 'owner', null, '{body}', 'v', 'wide', 'made')",
    );
    assert_eq!(sqlstate, "22000");
    assert!(message.contains("1536") && message.contains("384"), "{message}");
    database.run("alter table note alter v type vector(1536)");
    database
        .run("select strata.add_source('note', 'note', 'id', 'owner', null, '{body}', 'v', 'wide', 'made')");
    // No such local model: the command line says so instead of storing vectors that fit nowhere.
    Strata::on(&database).run(&["search", "x", "--user", MAYA]).exits(23).says(&["wide"]);
}

#[test]
fn a_database_that_expects_another_dimension_is_refused_before_anything_is_stored() {
    let database = aurum::application();
    let strata = aurum::strata(&database, aurum::Vectors::Documented)
        .set("embedding_provider", "local")
        .set("embedding_model", "all-MiniLM-L6-v2");
    strata.run(&["up", "6"]).ok();
    Strata::on(&database).run(&["embed"]).exits(18).says(&["1536", "384"]);
    assert_eq!(
        database.value::<i64>("select count(*) from tasks where description_embedding is not null"),
        0
    );
}
