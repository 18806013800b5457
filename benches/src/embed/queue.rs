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
/// vectors. Like those it does not wait for the disk.
const TURN: &str = "
    with leased as materialized (select strata.lease_jobs('bench', 100, '1 minute', true, null) as jobs),
    flat as materialized (select array_agg(j.entity_id) as ids, array_agg(j.fence) as fences from leased l, unnest(l.jobs) j),
    held as materialized (select h.* from flat f cross join lateral strata.lock_jobs('ours', 'bench', f.ids, f.fences) h)
    select cardinality(h.held), strata.end_jobs(h.held, h.places, h.held) from held h, set_config('synchronous_commit', 'off', true)";

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

/// What a worker asks, and what it sends: `cli/src/drain/broom.rs`.
const LITTER: &str = include_str!("../../../sql/query/queue_litter.sql");
const SWEEP: &str = include_str!("../../../sql/query/sweep_queue.sql");

/// Twenty times what is in the queue goes through it, swept as a worker does; autovacuum does what it does by itself.
fn growth(session: &mut Client) -> f64 {
    refill(session);
    let bytes = "select pg_total_relation_size('strata.job')";
    let before: i64 = session.query_one(bytes, &[]).expect("a size").get(0);
    let mut due = 20;
    for turn in 0..2_000 {
        session.query_one(TURN, &[]).expect("a turn");
        if turn >= due {
            session.batch_execute(SWEEP).expect("a vacuum");
            due = turn + session.query_one(LITTER, &[]).expect("a share").get::<_, i64>(1) / i64::from(BATCH);
        }
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
