//! Long texts in parts: what a model would cut off is found, and a row is found once.

use strata_tests::notes::{self, KEY};
use strata_tests::{Database, ProviderServer, Strata};

const ANN: &str = "a0000000-0000-4000-8000-000000000001";

/// Sentences about nothing in particular, far more than the local model reads, and at their end one that matters.
fn long_text() -> String {
    let mut text: Vec<String> = (1..=60)
        .map(|n| format!("Paragraph {n} of the minutes says that the committee met, talked about the budget and went home."))
        .collect();
    text.push("The volcano on the island erupted at dawn and covered the harbour in ash.".to_owned());
    text.join("\n\n")
}

fn library(provider: &str, model: &str, dimensions: usize) -> Database {
    let database = Database::installed();
    database.run(&format!(
        "create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null default '{ANN}', title text, body text,
             embedded_at timestamptz, created_at timestamptz not null default now());
         select strata.add_model('{model}', '{provider}', {dimensions});
         select strata.add_source('note', 'note', 'id', 'user_id', 'title', array['body'], null, '{model}',
             embedded_at_column => 'embedded_at', store => 'halfvec')"
    ));
    database
}

#[test]
fn what_stands_at_the_end_of_a_long_text_is_found() {
    let database = library("local", "all-MiniLM-L6-v2", 384);
    database.rows("insert into note (title, body) values ('minutes', $1)", &[&long_text()]);
    database.run("insert into note (title, body) values ('recipe', 'Boil the pasta in salted water and stir in the butter.')");
    let strata = Strata::on(&database);
    let similarity = || {
        let hits = strata.run(&["search", "volcanic eruption", "--user", ANN, "--json"]).ok().json();
        let hits = hits["hits"].as_array().expect("hits").clone();
        assert_eq!(hits.len(), 2, "each row once: {hits:?}");
        let minutes = hits.iter().find(|hit| hit["title"] == "minutes").expect("the minutes");
        minutes["similarity"].as_f64().expect("a number")
    };
    strata.run(&["embed"]).ok();
    let whole = similarity();
    database.run("select strata.set_chunking('note', 100, 20)");
    strata.run(&["reindex", "--types", "note"]).ok();
    let vectors = database.value::<i64>("select count(*) from strata_vectors.all_minilm_l6_v2");
    assert!(vectors > 10, "{vectors}");
    let parts = similarity();
    eprintln!("as a whole {whole:.3}, in {vectors} parts {parts:.3}");
    assert!(parts > whole + 0.2, "{whole} as a whole, {parts} in parts");
    database.run("select strata.set_chunking('note', null)");
    let again = strata.run(&["reindex", "--json"]).ok().json();
    assert_eq!(again["embedded"], 2);
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.all_minilm_l6_v2"), 2);
}

#[test]
fn parts_go_to_a_provider_together_and_a_text_that_it_refuses_stands_alone() {
    let server = ProviderServer::start(std::time::Duration::ZERO, |_, texts| {
        match texts.iter().any(|text| text.contains("poison")) {
            true => strata_tests::Behaviour::Status(400, ""),
            false => strata_tests::Behaviour::Good,
        }
    });
    let database = library("openai", notes::MODEL, 8);
    database.run("select strata.set_chunking('note', 8)");
    database.run(
        "insert into note (title, body) select 'note ' || g, repeat('some words of it. ', 5) from generate_series(1, 6) g;
         insert into note (title, body) values ('bad', repeat('some words of it. ', 5) || 'poison')",
    );
    let strata = notes::strata(&database, &server).env("OPENAI_API_KEY", KEY);
    strata.run(&["embed"]).exits(23);
    assert_eq!(database.value::<i64>("select count(distinct entity_id) from strata_vectors.tiny"), 6);
    assert!(database.value::<i64>("select count(*) from strata_vectors.tiny") > 18);
    assert_eq!(notes::jobs(&database), "dead 1: 1");
    let longest =
        server.asked().iter().flat_map(|asked| asked.texts.clone()).map(|text| text.len() / 3 + 1).max();
    assert!(longest <= Some(8), "{longest:?} tokens");
    strata.run(&["reindex", "--types", "nope"]).exits(24).says(&["source \"nope\" does not exist"]);
    strata.run(&["reindex", "--other-models"]).exits(2).says(&["keeps no model beside its vectors"]);
}
