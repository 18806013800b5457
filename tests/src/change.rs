//! A model is changed while somebody searches every ten milliseconds and somebody else writes: what the probes found, and for
//! how long each turn held something. Judged by a test and by a benchmark.

use crate::provider_server::{ProviderServer, vector_of};
use crate::{Database, Strata, notes};
use pgvector::Vector;
use postgres::Client;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Who searches.
pub const ANN: &str = "a0000000-0000-4000-8000-000000000001";
/// Who writes.
pub const BOB: &str = "b0000000-0000-4000-8000-000000000002";

/// The model before, which is told its dimensions, as the provider of the tests has it.
pub const OLD: (&str, usize) = ("text-embedding-3-small", 384);
/// The model after.
pub const NEW: (&str, usize) = ("text-embedding-3-large", 1536);

/// What every probe asks.
pub const QUESTION: &str = "the question";

/// Rows wanted.
const K: usize = 10;

/// Longest that something is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Notes of two tenants, and both models.
pub fn library(rows: u32) -> Database {
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

/// How alike two vectors are.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// What probes found.
#[derive(Debug, Default)]
pub struct Probed {
    /// Answers by model.
    pub answers: BTreeMap<String, usize>,
    /// Probes whose model was no longer the one: they asked again at once.
    pub refused: usize,
    /// Answers that were not the nearest rows under their model.
    pub wrong: Vec<String>,
    /// Between two answers.
    pub longest: Duration,
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
fn turn(strata: &Strata, verb: &str) -> Value {
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

/// What came of it.
pub struct Turned {
    /// The library, with a change that is not ended, and no jobs.
    pub database: Database,
    /// What probes found.
    pub probed: Probed,
    /// Bob's edits.
    pub edits: i64,
    /// What each turn told.
    pub told: Vec<Value>,
}

/// Changes the model of so many notes of each tenant, and turns as often as there are verbs (`switch`, `revert`).
pub fn live(rows: u32, verbs: &[&str]) -> Turned {
    let server = ProviderServer::good();
    let database = library(rows);
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let truths = BTreeMap::from([OLD, NEW].map(|(name, dimensions)| (name, truth(&database, dimensions))));
    assert_ne!(truths[OLD.0], truths[NEW.0], "or nothing is shown");
    let worker = strata.start(&["worker", "--only", "embeddings", "--batch", "20"]);
    let done = AtomicBool::new(false);
    let (probed, edits, told) = std::thread::scope(|scope| {
        let prober = scope.spawn(|| probe(&mut database.connect(), &truths, &done));
        let editor = scope.spawn(|| edit(&mut database.connect(), &done));
        for_a_while();
        strata.run(&["model", "change", OLD.0, NEW.0, "--store", "vector"]).ok();
        let turned = |verb: &&str| {
            let told = turn(&strata, verb);
            for_a_while();
            told
        };
        let told = verbs.iter().map(turned).collect();
        done.store(true, Relaxed);
        (prober.join().unwrap(), editor.join().unwrap(), told)
    });
    database.until("select not exists (select from strata.job)");
    worker.signal("TERM");
    worker.end().ok();
    Turned { database, probed, edits, told }
}
