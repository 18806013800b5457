//! A save that changes no text: beside an upsert of the vector, and beside the same table without us.

use super::notes::{VECTOR, create, fill, register, timed};
use crate::figure::{Figure, Limit};
use crate::say;
use postgres::Client;
use std::time::Instant;
use strata_tests::Database;

/// Rows of each table.
const ROWS: u32 = 10_000;

/// Rows that one statement saves.
const SAVED: u32 = 500;

/// Saves of one row, each a statement, in one transaction: what a statement costs, not what a disk costs.
const SINGLE: usize = 2_000;

/// Three tables: ours, its twin without us, and one with an HNSW index on its vectors.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let database = Database::installed();
    for table in ["ours", "twin", "indexed"] {
        create(&database, table);
        fill(&database, table, ROWS);
    }
    database.run(&format!(
        "update indexed set embedding = {} from generate_series(1, {ROWS}) g(g) where title = 'note ' || g.g",
        VECTOR
    ));
    database.run("create index on indexed using hnsw (embedding vector_cosine_ops)");
    register(&database, "ours");
    register(&database, "indexed");
    database.run("delete from strata.job");
    database.run("vacuum (analyze) ours");
    database.run("vacuum (analyze) twin");
    database.run("vacuum (analyze) indexed");
    let mut session = database.connect();
    let (mut unchanged, mut many, mut one) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        let from = SAVED * (round as u32 % (ROWS / SAVED));
        unchanged.push(upsert_over_save(&mut session, from));
        many.push(pairs(round, |table| status(&mut session, table, from)));
        one.push(pairs(round, |table| statuses(&mut session, table)));
        for table in ["ours", "twin", "indexed"] {
            session.batch_execute(&format!("vacuum {table}")).expect("a vacuum");
        }
    }
    let jobs: i64 = database.value("select count(*) from strata.job where entity_type = 'ours'");
    vec![
        Figure::new("upsert of a vector / save without change", "ratio", unchanged, Limit::AtLeast(30.0)),
        Figure::new("status, 500 rows / without strata", "ratio", many, Limit::AtMost(1.15)),
        Figure::new("status, a row each / without strata", "ratio", one, Limit::AtMost(1.15)),
        Figure::new("jobs of saves without change", "jobs", vec![jobs as f64], Limit::AtMost(0.0)),
    ]
}

/// Ours over the twin's; who comes first changes.
fn pairs(round: usize, mut seconds: impl FnMut(&str) -> f64) -> f64 {
    let order = if round.is_multiple_of(2) { ["ours", "twin"] } else { ["twin", "ours"] };
    let times = order.map(&mut seconds);
    if round.is_multiple_of(2) { times[0] / times[1] } else { times[1] / times[0] }
}

fn upsert_over_save(session: &mut Client, from: u32) -> f64 {
    let rows = format!("title in (select 'note ' || g from generate_series({from} + 1, {from} + {SAVED}) g)");
    let save = timed(session, &format!("update ours set title = title, body = body where {rows}"));
    let made = format!(
        "create temp table made as select 'note ' || g.g as title, {VECTOR} as v from generate_series({from} + 1, {from} + {SAVED}) g(g)"
    );
    session.batch_execute(&made.replace("g.g * 7", "g.g * 11")).expect("vectors");
    let upsert = timed(session, "update indexed i set embedding = m.v from made m where m.title = i.title");
    session.batch_execute("drop table made").expect("a table");
    say(&format!(
        "{SAVED} rows: saved unchanged in {:.1} ms, vectors upserted in {:.1} ms",
        save * 1e3,
        upsert * 1e3
    ));
    upsert / save
}

fn status(session: &mut Client, table: &str, from: u32) -> f64 {
    timed(
        session,
        &format!(
            "update {table} set status = md5(random()::text)
             where title in (select 'note ' || g from generate_series({from} + 1, {from} + {SAVED}) g)"
        ),
    )
}

fn statuses(session: &mut Client, table: &str) -> f64 {
    let ids: Vec<uuid::Uuid> = session
        .query(&format!("select id from {table} order by md5(id::text) limit {SINGLE}"), &[])
        .expect("ids")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut transaction = session.transaction().expect("a transaction");
    let save =
        transaction.prepare(&format!("update {table} set status = $2 where id = $1")).expect("a statement");
    let since = Instant::now();
    for id in &ids {
        transaction.execute(&save, &[id, &"done"]).expect("a save");
    }
    let took = since.elapsed().as_secs_f64();
    transaction.commit().expect("a commit");
    took
}
