//! The model of a source is changed while it is searched and written to: every search answers from exactly one model, and
//! nobody waits.

use pgvector::Vector;
use postgres::Client;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use strata_tests::notes;
use strata_tests::provider_server::vector_of;
use strata_tests::{Database, ProviderServer, Strata};
use uuid::Uuid;

const ANN: &str = "a0000000-0000-4000-8000-000000000001";
const BOB: &str = "b0000000-0000-4000-8000-000000000002";

/// Models that are told their dimensions, as the provider of the tests has it.
const OLD: (&str, usize) = ("text-embedding-3-small", 384);
const NEW: (&str, usize) = ("text-embedding-3-large", 1536);

/// What every probe asks.
const QUESTION: &str = "the question";

/// Rows wanted.
const K: usize = 10;

/// Longest that something is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Notes of two tenants, and both models.
fn library(rows: u32) -> Database {
    let database = Database::installed();
    database.run(&format!(
        "create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null default '{BOB}', title text, body text,
             embedding vector({}), created_at timestamptz not null default now());
         create index on note (user_id);
         select strata.add_model('{}', 'openai', {}), strata.add_model('{}', 'openai', {});
         select strata.add_source('note', 'note', 'id', 'user_id', 'title', array['body'], 'embedding', '{}');
         insert into note (user_id, title, body) select '{ANN}', 'ann ' || g, 'text ' || g from generate_series(1, {rows}) g",
        OLD.1, OLD.0, OLD.1, NEW.0, NEW.1, OLD.0
    ));
    notes::write(&database, rows);
    database
}

/// The rows of Ann that are nearest to the question under a model, best first.
fn truth(database: &Database, dimensions: usize) -> Vec<Uuid> {
    let question = vector_of(QUESTION, dimensions);
    let mut rows: Vec<(f64, Uuid)> = database
        .rows(&format!("select concat_ws(E'\\n', title, body), id from note where user_id = '{ANN}'"), &[])
        .iter()
        .map(|row| (cosine(&vector_of(row.get::<_, &str>(0), dimensions), &question), row.get(1)))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter().take(K).map(|(_, id)| id).collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// What probes found.
#[derive(Default)]
struct Probed {
    /// Answers by model.
    answers: BTreeMap<String, usize>,
    /// Probes whose model was no longer the one: they asked again at once.
    refused: usize,
    /// Answers that were not the nearest rows under their model.
    wrong: Vec<String>,
    /// Between two answers.
    longest: Duration,
}

/// Asks for the model, and searches with a vector of it, every ten milliseconds.
fn probe(session: &mut Client, truths: &BTreeMap<&str, Vec<Uuid>>, done: &AtomicBool) -> Probed {
    let sql =
        format!("select entity_id from strata.rag_search($1, '{ANN}', {K}, embedding_model => $2::text)");
    let (mut probed, mut last) = (Probed::default(), Instant::now());
    while !done.load(Relaxed) {
        let row =
            session.query_one("select model, dimensions from strata.search_model()", &[]).expect("one model");
        let (model, dimensions): (String, i32) = (row.get(0), row.get(1));
        let question = Vector::from(vector_of(QUESTION, dimensions as usize));
        match session.query(&sql, &[&question, &model]) {
            Ok(rows) => {
                let found: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
                if found != truths[model.as_str()] {
                    probed.wrong.push(format!("{model}: {found:?}"));
                }
                *probed.answers.entry(model).or_default() += 1;
                probed.longest = probed.longest.max(last.elapsed());
                last = Instant::now();
            }
            Err(error) => {
                assert_eq!(error.code().map(|code| code.code()), Some("22000"), "{error}");
                probed.refused += 1;
                continue;
            }
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    probed
}

/// Bob writes and edits until it is over.
fn edit(session: &mut Client, done: &AtomicBool) -> i64 {
    let mut edits = 0;
    while !done.load(Relaxed) {
        let sql = "update note set body = 'edited ' || $1::text where user_id = $2::text::uuid
                   and id = (select id from note where user_id = $2::text::uuid order by md5(id::text || $1::text) limit 1)";
        session.execute(sql, &[&edits.to_string(), &BOB]).expect("a write");
        if edits % 10 == 0 {
            session
                .execute("insert into note (title) values ('new ' || $1::text)", &[&edits.to_string()])
                .expect("a write");
        }
        edits += 1;
        std::thread::sleep(Duration::from_millis(20));
    }
    edits
}

/// Turns as soon as the vectors are there; what it told.
fn turn(strata: &Strata, verb: &str) -> serde_json::Value {
    let began = Instant::now();
    loop {
        let outcome = strata.run(&["model", verb, NEW.0, "--json"]);
        if outcome.code == Some(0) {
            return outcome.json();
        }
        let told = outcome.error();
        assert!(told.contains("not all queued") || told.contains("no vector of model"), "{outcome:?}");
        assert!(began.elapsed() < PATIENCE, "{outcome:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// So many more answers under a model.
fn for_a_while() {
    std::thread::sleep(Duration::from_millis(700));
}

#[test]
fn every_search_answers_from_one_model_while_it_is_changed_and_changed_back() {
    let server = ProviderServer::good();
    let database = library(150);
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let truths = BTreeMap::from([OLD, NEW].map(|(name, dimensions)| (name, truth(&database, dimensions))));
    assert_ne!(truths[OLD.0], truths[NEW.0], "or nothing is shown");
    let worker = strata.start(&["worker", "--only", "embeddings", "--batch", "20"]);
    let done = AtomicBool::new(false);
    let (probed, edits) = std::thread::scope(|scope| {
        let prober = scope.spawn(|| probe(&mut database.connect(), &truths, &done));
        let editor = scope.spawn(|| edit(&mut database.connect(), &done));
        for_a_while();
        strata.run(&["model", "change", OLD.0, NEW.0, "--store", "vector"]).ok();
        for (verb, switched) in [("switch", true), ("revert", false), ("switch", true)] {
            let told = turn(&strata, verb);
            eprintln!("{verb} held {} ms", told["held_ms"]);
            assert_eq!((&told["switched"], &told["sources"]), (&switched.into(), &1.into()));
            for_a_while();
        }
        done.store(true, Relaxed);
        (prober.join().unwrap(), editor.join().unwrap())
    });
    eprintln!(
        "{:?}, refused {}, longest {:?}, {edits} edits",
        probed.answers, probed.refused, probed.longest
    );
    assert_eq!(probed.wrong, [""; 0]);
    assert!(probed.answers.len() == 2 && probed.answers.values().all(|n| *n > 20), "{:?}", probed.answers);
    assert!(probed.refused <= 3, "once a turn at most: {}", probed.refused);
    assert!(edits > 20);
    database.until("select not exists (select from strata.job)");
    worker.signal("TERM");
    worker.end().ok();
    assert_eq!(right(&database), database.value::<i64>("select count(*) from note"), "both are current");
    strata.run(&["model", "end", NEW.0, "--yes"]).ok();
    let json = strata.run(&["model", "status", "--json"]).ok().json();
    assert_eq!(json["changes"], serde_json::json!([]));
}

/// Notes whose vectors of both models are those of their text.
fn right(database: &Database) -> i64 {
    let rows = database.rows(
        "select concat_ws(E'\\n', n.title, n.body), n.embedding, v.embedding
         from note n join strata_vectors.text_embedding_3_large v on v.entity_id = n.id",
        &[],
    );
    let rows = rows.iter().filter(|row| {
        let text: &str = row.get(0);
        let alike = |at: usize, dimensions| {
            cosine(&row.get::<_, Vector>(at).to_vec(), &vector_of(text, dimensions)) > 0.9999
        };
        alike(1, OLD.1) && alike(2, NEW.1)
    });
    i64::try_from(rows.count()).expect("a few")
}

/// Embedded with both models, not switched.
fn filled(rows: u32) -> (Database, ProviderServer) {
    let (database, server) = (library(rows), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["model", "change", OLD.0, NEW.0]).ok();
    strata.run(&["embed"]).ok();
    (database, server)
}

#[test]
fn a_switch_holds_nothing_that_the_application_needs() {
    let (database, _server) = filled(20);
    let mut switcher = database.connect();
    switcher.batch_execute(&format!("begin; select strata.switch_model('{}')", NEW.0)).unwrap();
    let pid: i32 = switcher.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let held: i64 = database.value(&format!(
        "select count(*) from pg_locks where pid = {pid} and locktype = 'relation'
         and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')"
    ));
    assert_eq!(held, 0);
    // Meanwhile: writers write, searches search as before, workers claim.
    database.run("set lock_timeout = '5s'; insert into note (title) values ('meanwhile'); update note set body = 'x' where title = 'ann 1'");
    let question = Vector::from(vector_of(QUESTION, OLD.1));
    let sql =
        format!("select count(*) from strata.rag_search($1, '{ANN}', 5, embedding_model => '{}')", OLD.0);
    let found: i64 = database.rows(&sql, &[&question])[0].get(0);
    assert_eq!(found, 5, "until the commit the old model answers");
    assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 100)"), 4);
    switcher.batch_execute("commit").unwrap();
    assert_eq!(
        database
            .refusal(
                &sql.replace("$1", &format!("'{}'::vector", serde_json::json!(vector_of(QUESTION, OLD.1))))
            )
            .0,
        "22000"
    );
}

#[test]
fn of_two_who_switch_at_once_the_second_is_refused() {
    let (database, _server) = filled(5);
    let (mut first, mut second) = (database.connect(), database.connect());
    let switch = format!("select strata.switch_model('{}')", NEW.0);
    first.batch_execute(&format!("begin; {switch}")).unwrap();
    let pid: i32 = second.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let late = std::thread::spawn(move || {
        second.batch_execute(&switch).map_err(|e| e.code().unwrap().code().to_owned())
    });
    database.until(&format!("select exists (select from pg_locks where pid = {pid} and not granted)"));
    first.batch_execute("commit").unwrap();
    assert_eq!(late.join().unwrap(), Err("55000".to_owned()));
    assert_eq!(database.value::<String>("select model from strata.source"), NEW.0);
}

#[test]
fn a_change_waits_for_a_writer_and_hears_of_what_it_wrote() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let mut writer = database.connect();
    writer.batch_execute("begin; insert into note (title) values ('late')").unwrap();
    let change = ["model", "change", OLD.0, NEW.0];
    strata.clone().arg("--lock-timeout").arg("1").run(&change).exits(6);
    let changing = strata.start(&change);
    database
        .until("select exists (select from pg_locks where mode = 'ShareRowExclusiveLock' and not granted)");
    writer.batch_execute("commit").unwrap();
    changing.end().ok();
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    strata.run(&["model", "switch", NEW.0]).ok();
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.text_embedding_3_large"), 11);
}

#[test]
fn a_budget_is_kept_and_said() {
    let (database, server) = (library(30), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let estimate =
        strata.run(&["model", "change", OLD.0, NEW.0, "--estimate", "--price", "0.13", "--json"]).ok().json();
    let tokens = estimate["tokens"].as_i64().unwrap();
    assert_eq!((&estimate["rows"], &estimate["started"]), (&60.into(), &false.into()));
    assert_eq!(estimate["price"], estimate["sources"][0]["price"]);
    assert_eq!(
        database.value::<i64>("select count(*) from strata.model_change"),
        0,
        "an estimate changes nothing"
    );
    let asked = server.asked().len();
    let budget = (tokens / 2).to_string();
    strata.run(&["model", "change", OLD.0, NEW.0, "--budget", &budget]).ok();
    let embedded = strata.run(&["embed", "--batch", "10", "--json"]).ok();
    assert!(embedded.stderr.contains("the budget of their model is used up"), "{embedded:?}");
    let left = embedded.json()["left"].as_i64().unwrap();
    assert!(left > 0 && left < 60, "{embedded:?}");
    let sent: usize =
        server.asked()[asked..].iter().flat_map(|a| &a.texts).map(|text| text.len() / 3 + 1).sum();
    assert!(sent as i64 <= tokens / 2, "{sent} of {budget}");
    let status = strata.run(&["model", "status", "--json"]).ok().json();
    assert_eq!(
        (&status["changes"][0]["stopped"], &status["changes"][0]["spent_tokens"]),
        (&true.into(), &sent.into())
    );
    assert!(
        strata
            .run(&["model", "status"])
            .ok()
            .stdout
            .contains("the budget is used up, nothing more is claimed")
    );
    strata.run(&["model", "switch", NEW.0]).exits(2).says(&["rows have no vector of model"]);
    strata.run(&["model", "budget", NEW.0]).ok();
    database.run("update strata.job set not_before = clock_timestamp()");
    assert_eq!(strata.run(&["embed", "--json"]).ok().json()["left"], 0);
    strata.run(&["model", "switch", NEW.0]).ok();
}

#[test]
fn the_verbs_of_models_tell_and_refuse() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata
        .run(&["model", "add", "third", "--provider", "ollama", "--dimensions", "8", "--max-tokens", "256"])
        .ok();
    strata
        .run(&["model", "add", "third", "--provider", "ollama", "--dimensions", "8"])
        .exits(1)
        .says(&["is known already"]);
    strata
        .run(&["model", "add", "x", "--provider", "nobody", "--dimensions", "8"])
        .exits(2)
        .says(&["\"nobody\" is not known"]);
    strata.run(&["model", "change", OLD.0, "nope"]).exits(24).says(&["model \"nope\" does not exist"]);
    strata
        .run(&["model", "change", OLD.0, NEW.0, "--column", "note=embedding"])
        .exits(18)
        .says(&["expected 1536 dimensions"]);
    strata.run(&["model", "switch", NEW.0]).exits(24).says(&["no model is being changed"]);
    strata.run(&["model", "change", OLD.0, NEW.0]).ok();
    strata.run(&["model", "end", NEW.0]).exits(11).says(&["the change goes on"]);
    strata.run(&["embed"]).ok();
    let status = strata.run(&["model", "status", "--tenants", "--json"]).ok().json();
    let tenants = status["changes"][0]["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 2);
    assert!(tenants.iter().all(|tenant| tenant["embedded"] == 5 && tenant["rows"] == 5), "{tenants:?}");
    let text = strata.run(&["model", "status", "--tenants"]).ok().stdout;
    assert!(text.contains("MODEL") && text.contains("1 of 1 sources walked") && text.contains(ANN), "{text}");
    strata.run(&["model", "switch", NEW.0]).ok();
    let hits = strata.run(&["search", QUESTION, "--user", ANN, "--json"]).ok().json();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 5, "{hits}");
    strata.run(&["model", "revert", NEW.0]).ok();
    strata.run(&["search", QUESTION, "--user", ANN]).ok();
    assert_eq!(strata.run(&["model", "end", NEW.0, "--yes", "--json"]).ok().json()["model"], OLD.0);
}
