//! Vectors on their way to where they are kept: `complete_jobs`, as a worker calls it, beside a statement a row with the vector
//! as JSON, and beside COPY.

use super::notes::{create, fill};
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

/// What a worker sends; its commit does not wait for the disk.
const COMPLETE: &str = include_str!("../../../sql/query/complete_jobs.sql");

/// Where vectors are kept.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In a column of their rows, beside the text.
    Column,
    /// In a store.
    Store,
}

/// Both places, for the dimensions of the local model and for those of a large one.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let cases = [384, 1536].into_iter().flat_map(|dims| [(dims, Place::Column), (dims, Place::Store)]);
    cases.flat_map(|(dims, place)| Case::new(dims, place).measure(rounds)).collect()
}

/// One of them, with its tables.
struct Case {
    dims: usize,
    place: Place,
    database: Database,
}

impl Case {
    /// `ours` has the text of `plain`, and is embedded; `copied` has room for the same vectors and nothing else.
    fn new(dims: usize, place: Place) -> Case {
        let database = Database::installed();
        for table in ["ours", "plain"] {
            create(&database, table);
            database.run(&format!("alter table {table} alter embedding type vector({dims})"));
            fill(&database, table, ROWS);
        }
        database.run(&format!("select strata.add_model('bench', 'openai', {dims})"));
        let kept = match place {
            Place::Column => "vector_column => 'embedding'",
            Place::Store => "vector_column => null, embedded_at_column => 'embedded_at', store => 'vector'",
        };
        database.run(&format!(
            "alter table ours add embedded_at timestamptz;
             select strata.add_source('ours', 'ours', 'id', 'user_id', 'title', array['body'], model => 'bench', {kept})"
        ));
        database.run(&match place {
            Place::Column => {
                format!("create table copied (id uuid primary key, embedding vector({dims}) not null)")
            }
            Place::Store => "create table copied (like strata_vectors.bench including all)".to_owned(),
        });
        Case { dims, place, database }
    }

    /// The four in turn.
    fn measure(&self, rounds: usize) -> Vec<Figure> {
        let (mut json, mut copy, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        let mut session = self.database.connect();
        for _ in 0..rounds {
            let (ours, theirs) = (self.complete(&mut session), self.one_by_one(&mut session));
            let (copied, alone) = (self.copy_in(&mut session), self.alone(&mut session));
            say(&format!(
                "{} dimensions, {:?}, {ROWS} vectors: complete_jobs {ours:.3} s, of which to write them {alone:.3} s, JSON a row {theirs:.3} s, \
                 COPY BINARY {copied:.3} s",
                self.dims, self.place
            ));
            json.push(theirs / ours);
            copy.push(ours / copied);
            bare.push(alone / copied);
        }
        let name = |what: &str| format!("{} {:?}: {what}", self.dims, self.place).to_lowercase();
        vec![
            Figure::new(name("a JSON row each / ours"), "ratio", json, Limit::AtLeast(10.0)),
            Figure::new(name("ours / COPY BINARY"), "ratio", copy, Limit::AtMost(1.5)),
            Figure::new(name("writing alone / COPY BINARY"), "ratio", bare, Limit::AtMost(1.5)),
        ]
    }

    /// Every row without a vector, and no jobs.
    fn empty(&self, session: &mut Client) {
        session
            .batch_execute(match self.place {
                Place::Column => "update ours set embedding = null",
                Place::Store => "update ours set embedded_at = null; truncate strata_vectors.bench",
            })
            .expect("no vectors");
        session.batch_execute("delete from strata.job").expect("no jobs");
        for table in ["ours", "strata.job"] {
            session.batch_execute(&format!("vacuum (analyze) {table}")).expect("a vacuum");
        }
    }

    /// Seconds in the part of `complete_jobs` that writes, without locks, texts and jobs: what COPY does.
    fn alone(&self, session: &mut Client) -> f64 {
        self.empty(session);
        let ids: Vec<Uuid> =
            session.query("select id from ours", &[]).expect("ids").iter().map(|row| row.get(0)).collect();
        let vector = |id: &Uuid| Vector::from(vector_of(&id.to_string(), self.dims));
        let vectors: Vec<Vector> = ids.iter().map(vector).collect();
        session.batch_execute("set synchronous_commit = off").expect("a setting");
        let store = session
            .prepare("select strata.store_vectors(strata.source_as('ours', null), $1, $2)")
            .expect("a statement");
        let since = Instant::now();
        for (ids, vectors) in ids.chunks(BATCH).zip(vectors.chunks(BATCH)) {
            session.query_one(&store, &[&ids, &vectors]).expect("stored");
        }
        let took = since.elapsed().as_secs_f64();
        session.batch_execute("reset synchronous_commit").expect("a setting");
        took
    }

    /// Seconds in `complete_jobs`; what was claimed and the vectors are there before.
    fn complete(&self, session: &mut Client) -> f64 {
        self.empty(session);
        session
            .batch_execute("select strata.enqueue_missing('ours', null, 100000); analyze strata.job")
            .expect("a queue");
        let store = session.prepare(COMPLETE).expect("a statement");
        let mut took = 0.0;
        while let Some(claimed) = self.claim(session) {
            let (model, chunks) = (Some("bench"), None::<Vec<i32>>);
            let since = Instant::now();
            let told = session.query_one(
                &store,
                &[
                    &claimed.types,
                    &claimed.ids,
                    &claimed.fences,
                    &claimed.hashes,
                    &claimed.vectors,
                    &model,
                    &chunks,
                ],
            );
            took += since.elapsed().as_secs_f64();
            assert_eq!(told.expect("stored").get::<_, i32>(0) as usize, claimed.ids.len());
        }
        took
    }

    /// None: the queue is empty.
    fn claim(&self, session: &mut Client) -> Option<Claimed> {
        let sql = "select j.entity_type, j.entity_id, j.fence, j.content_hash, j.content from strata.claim_jobs('bench', $1) j";
        let rows = session.query(sql, &[&(BATCH as i32)]).expect("a claim");
        (!rows.is_empty()).then(|| Claimed {
            types: rows.iter().map(|row| row.get(0)).collect(),
            ids: rows.iter().map(|row| row.get(1)).collect(),
            fences: rows.iter().map(|row| row.get(2)).collect(),
            hashes: rows.iter().map(|row| row.get(3)).collect(),
            vectors: rows.iter().map(|row| Vector::from(vector_of(row.get(4), self.dims))).collect(),
        })
    }

    /// As the documents write them: a row a statement, the vector as text in JSON, each its own transaction.
    fn one_by_one(&self, session: &mut Client) -> f64 {
        session.batch_execute("update plain set embedding = null").expect("a table");
        session.batch_execute("vacuum plain").expect("a vacuum");
        let ids = session.query("select id from plain", &[]).expect("ids");
        let body = |id: Uuid| (id, serde_json::json!({"embedding": vector_of(&id.to_string(), self.dims)}));
        let bodies: Vec<(Uuid, serde_json::Value)> = ids.iter().map(|row| body(row.get(0))).collect();
        let save = session
            .prepare("update plain set embedding = ($2::json ->> 'embedding')::vector where id = $1")
            .expect("a statement");
        let since = Instant::now();
        for (id, body) in &bodies {
            session.execute(&save, &[id, body]).expect("a row");
        }
        since.elapsed().as_secs_f64()
    }

    /// As fast as rows come into a table: a key and a vector, no text, no old row; waits for the disk no more than ours.
    fn copy_in(&self, session: &mut Client) -> f64 {
        session.batch_execute("truncate copied; set synchronous_commit = off").expect("a table");
        let oid: u32 = session.query_one("select 'vector'::regtype::oid", &[]).expect("a type").get(0);
        let vector = Type::new("vector".into(), oid, Kind::Simple, "public".into());
        let rows: Vec<(Uuid, Vector)> =
            (0..ROWS).map(|n| (Uuid::new_v4(), Vector::from(vector_of(&n.to_string(), self.dims)))).collect();
        let since = Instant::now();
        for part in rows.chunks(BATCH) {
            match self.place {
                Place::Column => {
                    let mut into = self.copy(session, "id, embedding", &[Type::UUID, vector.clone()]);
                    for (id, vector) in part {
                        into.write(&[id, vector]).expect("a row");
                    }
                    into.finish().expect("the end of a copy");
                }
                Place::Store => {
                    let types = [Type::UUID, Type::TEXT, Type::UUID, vector.clone()];
                    let mut into = self.copy(session, "tenant, entity_type, entity_id, embedding", &types);
                    for (id, vector) in part {
                        into.write(&[id, &"ours", id, vector]).expect("a row");
                    }
                    into.finish().expect("the end of a copy");
                }
            }
        }
        let took = since.elapsed().as_secs_f64();
        session.batch_execute("reset synchronous_commit").expect("a setting");
        took
    }

    fn copy<'s>(&self, session: &'s mut Client, columns: &str, types: &[Type]) -> BinaryCopyInWriter<'s> {
        let into = session.copy_in(&format!("copy copied ({columns}) from stdin binary")).expect("a copy");
        BinaryCopyInWriter::new(into, types)
    }
}

/// Jobs that are ours, with the vectors that a provider would have made.
struct Claimed {
    types: Vec<String>,
    ids: Vec<Uuid>,
    fences: Vec<i64>,
    hashes: Vec<Vec<u8>>,
    vectors: Vec<Vector>,
}
