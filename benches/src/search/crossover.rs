//! What an HNSW index over one tenant's vectors alone gains on comparing all of them, and what it misses, for tenants of
//! several sizes: whether and from where on such an index is worth having (docs/decisions).

use super::asked::{K, median};
use super::library::SIZES;
use super::random::Random;
use super::world::{self, World};
use crate::figure::{Figure, Limit};
use crate::say;
use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;
use std::time::Instant;
use strata_tests::Database;

/// Vectors of a tenant.
const TENANTS: [usize; 3] = [5_000, 10_000, 20_000];

/// hnsw.ef_search.
const BREADTHS: [i32; 3] = [100, 200, 400];

/// Questions of a round, half of them about what the tenant writes about.
const QUESTIONS: usize = 40;

/// For each tenant, with m = 32 and ef_construction = 256, the better of those that were tried: what all vectors take over what the index takes at each breadth, and the recall there. The statements are
/// those of a search without its rows: what both ways have in common is left out.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let dimensions = SIZES[0].dimensions;
    let (database, world) = (Database::empty(), World::of(dimensions));
    database.run(&format!(
        "create extension vector; create table v (tenant uuid not null, id int not null, embedding halfvec({dimensions}) not null);
         create index on v (tenant); alter table v alter embedding set storage plain"
    ));
    for (number, rows) in TENANTS.into_iter().enumerate() {
        fill(&database, &world, number, rows);
    }
    database.run("cluster v using v_tenant_idx");
    database.run("vacuum analyze v");
    let mut figures = Vec::new();
    for (number, rows) in TENANTS.into_iter().enumerate() {
        say(&format!("an index for {rows} vectors"));
        database.run(&format!(
            "set maintenance_work_mem = '512MB';
             create index on v using hnsw (embedding halfvec_cosine_ops) with (m = 32, ef_construction = 256) where tenant = '{}'",
            world::tenant(number)
        ));
        figures.extend(
            BREADTHS.into_iter().flat_map(|breadth| of(&database, &world, (number, rows), breadth, rounds)),
        );
    }
    figures
}

fn fill(database: &Database, world: &World, number: usize, rows: usize) {
    let mut session = database.connect();
    session
        .batch_execute("create temporary table raw (tenant uuid, id int, embedding vector)")
        .expect("a table");
    let vector =
        session.prepare("select null::vector").expect("pgvector is here").columns()[0].type_().clone();
    let sink = session.copy_in("copy raw from stdin (format binary)").expect("a copy");
    let mut writer = BinaryCopyInWriter::new(sink, &[Type::UUID, Type::INT4, vector]);
    let mut random = Random::of(number as u64 + 500);
    for id in 0..rows as i32 {
        let embedding = pgvector::Vector::from(world.about(world::topic(number, id as usize), &mut random));
        writer.write(&[&world::tenant(number), &id, &embedding]).expect("a row");
    }
    writer.finish().expect("the end of a copy");
    session
        .batch_execute("insert into v select tenant, id, l2_normalize(embedding)::halfvec from raw")
        .expect("rows");
}

fn of(
    database: &Database,
    world: &World,
    tenant: (usize, usize),
    breadth: i32,
    rounds: usize,
) -> Vec<Figure> {
    let (number, rows) = tenant;
    let mut session = database.connect();
    let ready = format!(
        "set plan_cache_mode = force_generic_plan; set enable_seqscan = off; set jit = off;
         set hnsw.ef_search = {breadth}; set hnsw.iterative_scan = strict_order"
    );
    session.batch_execute(&ready).expect("settings");
    let whose = world::tenant(number);
    let all = session
        .prepare(&format!(
            "select id from v where tenant = '{whose}' order by (embedding <=> (select l2_normalize($1::vector)::halfvec)) + 0::float8, id limit {K}"
        ))
        .expect("a statement");
    session.batch_execute("set enable_sort = off").expect("a setting");
    let index = session
        .prepare(&format!(
            "select id from v where tenant = '{whose}' order by embedding <=> (select l2_normalize($1::vector)::halfvec) limit {K}"
        ))
        .expect("a statement");
    let (mut ratios, mut recalls) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (mut a, mut b, mut right) = (Vec::new(), Vec::new(), 0);
        for question in 0..QUESTIONS {
            let topic = match question.is_multiple_of(2) {
                true => world::topic(number, question / 2),
                false => world::foreign_topic(number, question / 2),
            };
            let mut random = Random::of((round * QUESTIONS + question) as u64 + 9_000);
            let question = pgvector::Vector::from(world.about(topic, &mut random));
            let (took, truth) = ask(&mut session, &all, &question);
            a.push(took);
            let (took, found) = ask(&mut session, &index, &question);
            b.push(took);
            right += found.iter().filter(|id| truth.contains(id)).count();
        }
        let recall = right as f64 / (QUESTIONS * K as usize) as f64;
        let (a, b) = (median(a), median(b));
        say(&format!(
            "{rows} vectors, ef_search {breadth}: all {a:.3} ms, index {b:.3} ms, recall {recall:.4}"
        ));
        ratios.push(a / b);
        recalls.push(recall);
    }
    vec![
        Figure::new(
            format!("{rows} vectors: all / index, ef_search {breadth}"),
            "ratio",
            ratios,
            Limit::None,
        ),
        Figure::new(format!("{rows} vectors: recall@10, ef_search {breadth}"), "share", recalls, Limit::None),
    ]
}

fn ask(
    session: &mut Client,
    statement: &postgres::Statement,
    question: &pgvector::Vector,
) -> (f64, Vec<i32>) {
    let since = Instant::now();
    let rows = session.query(statement, &[question]).expect("an answer");
    (since.elapsed().as_secs_f64() * 1000.0, rows.iter().map(|row| row.get(0)).collect())
}
