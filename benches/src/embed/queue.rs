//! The queue alone: what a job costs from claim to end, and what becomes of its table when many pass through.

use super::notes::{create, fill, register};
use crate::figure::{Figure, Limit};
use crate::say;
use postgres::Client;
use std::time::Instant;
use strata_tests::Database;

/// Jobs that lie in the queue.
const DEPTH: u32 = 10_000;

/// Jobs a claim.
const BATCH: i32 = 100;

/// Claims a round.
const CLAIMS: usize = 50;

/// Leases a batch and ends it: what `claim_jobs` and `complete_jobs` do to the queue, without reading texts and writing
/// vectors.
const TURN: &str = "
    with leased as materialized (select strata.lease_jobs('bench', 100, '1 minute', true, null) as jobs),
    flat as materialized (select array_agg(j.entity_id) as ids, array_agg(j.fence) as fences from leased l, unnest(l.jobs) j),
    held as materialized (select f.*, strata.lock_jobs('ours', 'bench', f.ids, f.fences) as held from flat f)
    select cardinality(h.held), strata.end_jobs('ours', 'bench', h.held, h.held, h.ids, h.fences) from held h";

/// Time a job, whole and the queue's part; growth of the table.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let database = Database::installed();
    create(&database, "ours");
    register(&database, "ours");
    fill(&database, "ours", DEPTH);
    let mut session = database.connect();
    let (mut queue, mut size) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        refill(&mut session);
        let since = Instant::now();
        for _ in 0..CLAIMS {
            let ended: i32 = session.query_one(TURN, &[]).expect("a turn").get(0);
            assert_eq!(ended, BATCH);
        }
        let each = since.elapsed().as_secs_f64() * 1e6 / (CLAIMS * BATCH as usize) as f64;
        say(&format!("claim and end: {each:.1} us a job"));
        queue.push(each);
    }
    size.push(growth(&mut session));
    vec![
        Figure::new("claim and end of a job, 100 at once", "us", queue, Limit::AtMost(30.0)),
        Figure::new("queue after 200,000 jobs / before", "ratio", size, Limit::AtMost(2.0)),
    ]
}

fn refill(session: &mut Client) {
    session
        .batch_execute(
            "update ours set embedding = null where embedding is not null; select strata.enqueue_missing('ours', null, 100000);
             analyze strata.job",
        )
        .expect("a queue");
}

/// Twenty times what is in the queue goes through it, while autovacuum does what it does by itself.
fn growth(session: &mut Client) -> f64 {
    refill(session);
    let bytes = "select pg_total_relation_size('strata.job')";
    let before: i64 = session.query_one(bytes, &[]).expect("a size").get(0);
    for _ in 0..2_000 {
        session.query_one(TURN, &[]).expect("a turn");
        session
            .batch_execute(
                "insert into strata.job (entity_type, entity_id, model)
                 select 'ours', gen_random_uuid(), 'bench' from generate_series(1, 100)",
            )
            .expect("more jobs");
    }
    let after: i64 = session.query_one(bytes, &[]).expect("a size").get(0);
    say(&format!("the queue takes {} kB before and {} kB after", before / 1024, after / 1024));
    after as f64 / before as f64
}
