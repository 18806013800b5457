//! The cell that the tests leave out: a tenant of a hundred thousand rows. A row that is missing fails the benchmark.

use super::asked::K;
use super::random::Random;
use super::world::{self, World};
use crate::figure::{Figure, Limit};
use crate::say;
use postgres::Client;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::Type;
use strata_tests::{Database, aurum};
use uuid::Uuid;

/// Rows of the tenant, and of a small one beside it.
const ROWS: [usize; 2] = [100_000, 50];

/// Few, so that the matrix is done in a minute: what may be left out does not depend on it.
const DIMENSIONS: usize = 32;

/// Of a session: the sixth is the first that a cached plan of plpgsql would answer.
const CALLS: usize = 10;

/// Whoever asks, however plans are cached: as many rows as there are, and how many of the nearest ten they are.
pub fn measure() -> Vec<Figure> {
    let (database, world) = library();
    let mut owner = database.connect();
    let mut recalls = Vec::new();
    for policy in ["auth.uid() = user_id", "(select auth.uid()) = user_id"] {
        database.run(&format!(
            "drop policy if exists own on note; create policy own on note to authenticated using ({policy})"
        ));
        for who in ["owner", "authenticated", "service_role"] {
            for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
                let mut session = session(&database, who, mode);
                for number in 0..ROWS.len() {
                    recalls.extend(cell(&mut session, &mut owner, &world, who, number));
                }
            }
        }
        say(&format!("no row is missing under {policy}"));
    }
    vec![Figure::new("recall@10, tenant of 100k rows", "share", recalls, Limit::AtLeast(0.99))]
}

/// Ten calls on its topic and ten off it.
fn cell(asking: &mut Client, owner: &mut Client, world: &World, who: &str, number: usize) -> Vec<f64> {
    let tenant = world::tenant(number);
    let claims = format!("set request.jwt.claims = '{{\"sub\": \"{tenant}\"}}'");
    asking.batch_execute(&claims).expect("signed in");
    let filter = (who != "authenticated").then_some(tenant);
    let mut recalls = Vec::new();
    for topic in [world::topic(number, 0), world::foreign_topic(number, 0)] {
        let question = pgvector::Vector::from(world.about(topic, &mut Random::of(topic as u64)));
        let exact =
            "select id from note where user_id = $2 order by (embedding <=> $1) - 1::float8, id limit $3";
        let truth = ids(owner, exact, &[&question, &tenant, &K]);
        for call in 1..=CALLS {
            let found =
                ids(asking, "select entity_id from strata.rag_search($1, $2, 10)", &[&question, &filter]);
            assert_eq!(found.len(), truth.len(), "{who}, {} rows, topic {topic}, call {call}", ROWS[number]);
            let among = truth.iter().filter(|id| found.contains(id)).count();
            recalls.push(among as f64 / truth.len() as f64);
        }
    }
    recalls
}

fn ids(session: &mut Client, sql: &str, values: &[&(dyn postgres::types::ToSql + Sync)]) -> Vec<Uuid> {
    session.query(sql, values).expect("an answer").iter().map(|row| row.get(0)).collect()
}

fn session(database: &Database, who: &str, mode: &str) -> Client {
    let mut session = database.connect();
    session.batch_execute(&format!("set plan_cache_mode = {mode}")).expect("set");
    if who != "owner" {
        session.batch_execute(&format!("set role {who}")).expect("a role");
    }
    session
}

fn library() -> (Database, World) {
    let database = Database::empty();
    aurum::load(&database, &["supabase"]);
    database.run(&format!(
        "create extension strata cascade; select strata.add_model('mini', 'local', {DIMENSIONS});
         create table note (id uuid primary key, user_id uuid not null, title text, created_at timestamptz not null default now(),
             embedding vector({DIMENSIONS}));
         alter table note enable row level security; grant select on note to authenticated, service_role"
    ));
    let world = World::of(DIMENSIONS);
    say(&format!("filling {} rows of {DIMENSIONS} dimensions", ROWS[0]));
    fill(&database, &world);
    database.run(
        "create index on note (user_id); set maintenance_work_mem = '512MB';
         create index on note using hnsw (embedding vector_cosine_ops);
         select strata.add_source('note', 'note', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')",
    );
    database.run("vacuum analyze note");
    (database, world)
}

fn fill(database: &Database, world: &World) {
    let mut session = database.connect();
    let vector = session.prepare("select null::vector").expect("pgvector").columns()[0].type_().clone();
    let sink = session.copy_in("copy note (id, user_id, title, embedding) from stdin (format binary)");
    let mut writer =
        BinaryCopyInWriter::new(sink.expect("a copy"), &[Type::UUID, Type::UUID, Type::TEXT, vector]);
    let mut random = Random::of(11);
    for (number, rows) in ROWS.into_iter().enumerate() {
        for row in 0..rows {
            let embedding = pgvector::Vector::from(world.about(world::topic(number, row), &mut random));
            writer
                .write(&[&random.id(), &world::tenant(number), &format!("n{row}"), &embedding])
                .expect("a row");
        }
    }
    writer.finish().expect("the end of a copy");
}
