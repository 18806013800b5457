//! Vectors that no model made: the same for the same row, pointing anywhere. For tests that need a queue to be empty and
//! not what is in it.

use crate::Database;

/// Queues every row that has no vector and completes every job.
pub fn complete_all(database: &Database, dimensions: i32) {
    let mut session = database.session();
    let queued = "select strata.enqueue_missing(entity_type, null, 100000) from strata.source";
    session.batch_execute(queued).unwrap();
    let claim = "create temp table claimed as select * from strata.claim_jobs('tests', 10000)";
    let complete = format!(
        "select sum(c.stored)::int4 from (
             select array_agg(j.entity_type) as types, array_agg(j.entity_id) as ids, array_agg(j.fence) as fences,
                    array_agg(j.content_hash) as hashes, array_agg(v.vector) as vectors
             from claimed j, lateral (
                 select array_agg(sin(i * (1 + hashtext(j.entity_id::text) / 65536.0)))::real[]::vector({dimensions}) as vector
                 from generate_series(1, {dimensions}) i
             ) v
         ) a, strata.complete_jobs(a.types, a.ids, a.fences, a.hashes, a.vectors) c"
    );
    loop {
        session.batch_execute(claim).unwrap();
        let claimed: i64 = session.query_one("select count(*) from claimed", &[]).unwrap().get(0);
        if claimed > 0 {
            let stored: i32 = session.query_one(&complete, &[]).unwrap().get(0);
            assert_eq!(i64::from(stored), claimed, "nobody else writes, so every vector is stored");
        }
        session.batch_execute("drop table claimed").unwrap();
        if claimed == 0 {
            return;
        }
    }
}
