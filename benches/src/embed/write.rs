//! Vectors on their way into their rows: `complete_jobs`, beside a statement a row with the vector as JSON, and beside COPY.

use super::notes::{create, fill, register};
use crate::figure::{Figure, Limit};
use crate::say;
use pgvector::Vector;
use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{Kind, Type};
use std::time::Instant;
use strata_tests::Database;
use strata_tests::provider_server::vector_of;
use uuid::Uuid;

/// Rows a round.
const ROWS: u32 = 2_000;

/// Jobs a call.
const BATCH: usize = 100;

/// The three in turn.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let database = Database::installed();
    for table in ["ours", "plain"] {
        create(&database, table);
        fill(&database, table, ROWS);
    }
    register(&database, "ours");
    database.run("create table copied (id uuid primary key, embedding vector(384) not null)");
    let mut session = database.connect();
    let (mut json, mut copy) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (ours, theirs, copied) =
            (complete(&mut session), one_by_one(&mut session), copy_in(&mut session));
        say(&format!(
            "{ROWS} vectors: complete_jobs {ours:.3} s, JSON a row {theirs:.3} s, COPY BINARY {copied:.3} s"
        ));
        json.push(theirs / ours);
        copy.push(ours / copied);
    }
    vec![
        Figure::new("a JSON vector a row / complete_jobs", "ratio", json, Limit::AtLeast(10.0)),
        Figure::new("complete_jobs / COPY BINARY", "ratio", copy, Limit::AtMost(1.5)),
    ]
}

/// Seconds in `complete_jobs`; what was claimed and the vectors are there before.
fn complete(session: &mut Client) -> f64 {
    session
        .batch_execute(
            "update ours set embedding = null; delete from strata.job;
                        select strata.enqueue_missing('ours', null, 100000)",
        )
        .expect("a queue");
    for table in ["ours", "strata.job"] {
        session.batch_execute(&format!("vacuum {table}")).expect("a vacuum");
    }
    let store = session
        .prepare("select c.stored from strata.complete_jobs($1, $2, $3, $4, $5) c")
        .expect("a statement");
    let mut took = 0.0;
    loop {
        let claimed = session
            .query("select j.entity_type, j.entity_id, j.fence, j.content_hash, j.content from strata.claim_jobs('bench', $1) j", &[&(BATCH as i32)])
            .expect("a claim");
        if claimed.is_empty() {
            return took;
        }
        let types: Vec<String> = claimed.iter().map(|row| row.get(0)).collect();
        let ids: Vec<Uuid> = claimed.iter().map(|row| row.get(1)).collect();
        let fences: Vec<i64> = claimed.iter().map(|row| row.get(2)).collect();
        let hashes: Vec<Vec<u8>> = claimed.iter().map(|row| row.get(3)).collect();
        let vectors: Vec<Vector> =
            claimed.iter().map(|row| Vector::from(vector_of(row.get(4), 384))).collect();
        let since = Instant::now();
        let stored: i32 =
            session.query_one(&store, &[&types, &ids, &fences, &hashes, &vectors]).expect("stored").get(0);
        took += since.elapsed().as_secs_f64();
        assert_eq!(stored as usize, claimed.len());
    }
}

/// As the documents write them: a row a statement, the vector as text in JSON, each its own transaction.
fn one_by_one(session: &mut Client) -> f64 {
    session.batch_execute("update plain set embedding = null").expect("a table");
    session.batch_execute("vacuum plain").expect("a vacuum");
    let ids = session.query("select id from plain", &[]).expect("ids");
    let bodies: Vec<(Uuid, serde_json::Value)> = ids
        .iter()
        .map(|row| {
            (row.get(0), serde_json::json!({"embedding": vector_of(&row.get::<_, Uuid>(0).to_string(), 384)}))
        })
        .collect();
    let save = session
        .prepare("update plain set embedding = ($2::json ->> 'embedding')::vector where id = $1")
        .expect("a statement");
    let since = Instant::now();
    for (id, body) in &bodies {
        session.execute(&save, &[id, body]).expect("a row");
    }
    since.elapsed().as_secs_f64()
}

/// As fast as rows come into a table: a key and a vector, no text, no old row.
fn copy_in(session: &mut Client) -> f64 {
    session.batch_execute("truncate copied").expect("a table");
    let oid: u32 = session.query_one("select 'vector'::regtype::oid", &[]).expect("a type").get(0);
    let vector = Type::new("vector".into(), oid, Kind::Simple, "public".into());
    let rows: Vec<(Uuid, Vector)> =
        (0..ROWS).map(|n| (Uuid::new_v4(), Vector::from(vector_of(&n.to_string(), 384)))).collect();
    let since = Instant::now();
    for part in rows.chunks(BATCH) {
        let into = session.copy_in("copy copied (id, embedding) from stdin binary").expect("a copy");
        let mut writer = BinaryCopyInWriter::new(into, &[Type::UUID, vector.clone()]);
        for (id, vector) in part {
            writer.write(&[id, vector]).expect("a row");
        }
        writer.finish().expect("the end of a copy");
    }
    since.elapsed().as_secs_f64()
}
