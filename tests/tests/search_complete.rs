//! No cell of the matrix comes up short: tenants of every size, questions on and off their topic, call after call, whoever
//! asks, however the policy is spelt, however plans are cached. There is an HNSW index to be tempted by.

use postgres::Client;
use strata_tests::{Database, aurum};
use uuid::Uuid;

/// Rows of each tenant. The number of a tenant is its place. `cargo xtask bench search complete` adds one of 100,000.
const TENANTS: [i32; 8] = [0, 1, 9, 10, 50, 800, 4000, 10_000];

/// Rows wanted.
const K: i64 = 10;

/// Calls in a session: the sixth is the first that a cached plan of plpgsql would answer.
const CALLS: usize = 10;

fn tenant(number: usize) -> Uuid {
    Uuid::from_u128(0xa000_0000_0000_4000_8000_0000_0000_0000 + number as u128)
}

/// Every tenant writes about a topic of its own; the index is built over all of them.
fn library() -> Database {
    let database = Database::empty();
    aurum::load(&database, &["supabase"]);
    database.run("create extension if not exists strata cascade; select strata.add_model('mini', 'local', 8);
        create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null, title text, embedding vector(8),
            created_at timestamptz not null default now());
        grant select on note to authenticated, service_role;
        select strata.add_source('note', 'note', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')");
    for (number, rows) in TENANTS.iter().enumerate() {
        let topic = topic(number);
        database.run(&format!(
            "insert into note (user_id, title, embedding)
             select '{}', 'n' || g, (select array_agg({topic} + 0.2 * sin(g * 7.1 + i * 3.3)) from generate_series(1, 8) i)::real[]::vector
             from generate_series(1, {rows}) g",
            tenant(number)
        ));
    }
    database.run(
        "create index on note using hnsw (embedding vector_cosine_ops); create index on note (user_id);
        alter table note enable row level security; analyze note",
    );
    database
}

/// The direction of a topic, as an expression of the number `i` of the dimension.
fn topic(number: usize) -> String {
    format!("cos(i * {}.7)", number + 1)
}

fn question(session: &mut Client, number: usize) -> pgvector::Vector {
    let sql =
        format!("select (select array_agg({}) from generate_series(1, 8) i)::real[]::vector", topic(number));
    session.query_one(&sql, &[]).expect("a vector").get(0)
}

/// What there is to find, by the owner, without any index on the vector.
fn truth(owner: &mut Client, question: &pgvector::Vector, tenant: Uuid) -> Vec<Uuid> {
    let sql = "select id from note where user_id = $2 order by (embedding <=> $1) - 1::float8, id limit $3";
    owner.query(sql, &[question, &tenant, &K]).expect("a brute force").iter().map(|row| row.get(0)).collect()
}

/// For each tenant a question about its topic and one that is not: the topic, the question, what there is to find.
fn truths(owner: &mut Client) -> Vec<[(usize, pgvector::Vector, Vec<Uuid>); 2]> {
    let mut about = |number: usize, topic: usize| {
        let question = question(owner, topic);
        let truth = truth(owner, &question, tenant(number));
        assert_eq!(truth.len() as i64, K.min(i64::from(TENANTS[number])));
        (topic, question, truth)
    };
    (0..TENANTS.len()).map(|n| [about(n, n), about(n, (n + 3) % TENANTS.len())]).collect()
}

fn found(session: &mut Client, question: &pgvector::Vector, filter: Option<Uuid>) -> Vec<Uuid> {
    let sql = "select entity_id from strata.rag_search($1, $2, 10)";
    session.query(sql, &[question, &filter]).expect("an answer").iter().map(|row| row.get(0)).collect()
}

/// A session of somebody, with plans cached in some way. `who`: owner, authenticated or service_role.
fn session(database: &Database, who: &str, mode: &str) -> Client {
    let mut session = database.connect();
    session.batch_execute(&format!("set plan_cache_mode = {mode}")).expect("set");
    if who != "owner" {
        session.batch_execute(&format!("set role {who}")).expect("a role");
    }
    session
}

#[test]
fn every_cell_has_as_many_rows_as_there_are_and_the_nearest() {
    let database = library();
    let truths = truths(&mut database.connect());
    let mut cells = 0;
    for policy in ["auth.uid() = user_id", "(select auth.uid()) = user_id"] {
        database.run(&format!(
            "drop policy if exists own on note; create policy own on note to authenticated using ({policy})"
        ));
        for who in ["owner", "authenticated", "service_role"] {
            for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
                let mut asking = session(&database, who, mode);
                for (number, rows) in TENANTS.iter().enumerate() {
                    let tenant = tenant(number);
                    let claims = format!("set request.jwt.claims = '{{\"sub\": \"{tenant}\"}}'");
                    asking.batch_execute(&claims).expect("signed in");
                    let filter = (who != "authenticated").then_some(tenant);
                    for (about, question, truth) in &truths[number] {
                        for call in 1..=CALLS {
                            let found = found(&mut asking, question, filter);
                            assert_eq!(
                                found, *truth,
                                "{policy}, {who}, {mode}, {rows} rows, topic {about}, call {call}"
                            );
                            cells += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(cells, 2 * 3 * 3 * TENANTS.len() * 2 * CALLS);
}
