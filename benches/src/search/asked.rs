//! Sessions that ask, and how long their answers take.

use super::library::{Keep, Library, TABLES};
use super::world;
use postgres::{Client, Statement};
use std::process::{Command, Stdio};
use std::time::Instant;
use uuid::Uuid;

/// Rows wanted.
pub const K: i64 = 10;

/// What users call.
pub const RAG_SEARCH: &str = "select entity_type, entity_id, title, content, similarity, created_at, metadata
    from strata.rag_search($1, $2, 10)";

/// A session with a prepared statement of a vector and a tenant.
pub struct Asker {
    session: Client,
    statement: Statement,
}

impl Asker {
    /// In the role that a signed-in user has.
    pub fn signed_in(library: &Library, sql: &str) -> Asker {
        Asker::prepared(library, "set role authenticated", sql)
    }

    /// In a role above row level security.
    pub fn above(library: &Library, sql: &str) -> Asker {
        Asker::prepared(library, "set role service_role", sql)
    }

    /// In a session that has been made ready somehow.
    pub fn prepared(library: &Library, ready: &str, sql: &str) -> Asker {
        let mut session = library.database.connect();
        session.batch_execute(ready).expect("a session made ready");
        let backend: i32 = session.query_one("select pg_backend_pid()", &[]).expect("a session").get(0);
        on_one_core(backend);
        let statement = session.prepare(sql).expect("a statement of a vector and a tenant");
        Asker { session, statement }
    }

    /// Says who asks from now on.
    pub fn is(&mut self, tenant: usize) {
        let claims = format!("set request.jwt.claims = '{{\"sub\": \"{}\"}}'", world::tenant(tenant));
        self.session.batch_execute(&claims).expect("claims");
    }

    /// Milliseconds until the answer is here, and its keys.
    pub fn ask(&mut self, question: &pgvector::Vector, tenant: usize) -> (f64, Vec<Uuid>) {
        let whose = world::tenant(tenant);
        let since = Instant::now();
        let rows = self.session.query(&self.statement, &[question, &whose]).expect("an answer");
        let took = since.elapsed().as_secs_f64() * 1000.0;
        (took, rows.iter().map(|row| row.get("entity_id")).collect())
    }
}

/// Keeps a session's process and this one on one core. Where they run otherwise is a matter of luck, and to wake another core up takes
/// as long as a tiny tenant's search.
fn on_one_core(backend: i32) {
    for process in [backend.to_string(), std::process::id().to_string()] {
        let pinned = Command::new("taskset").args(["-c", "-p", "0", &process]).stdout(Stdio::null()).status();
        assert!(pinned.is_ok_and(|status| status.success()), "taskset of util-linux is needed");
    }
}

/// The middle of what each of two takes for the same questions, asked in turn; who comes first changes. Milliseconds.
/// Both must find as many rows, and as good as always the same: numbers of two bytes may change the places of two rows.
pub fn in_turn(library: &Library, pair: (&mut Asker, &mut Asker), tenant: usize, calls: usize) -> (f64, f64) {
    let (one, other) = pair;
    one.is(tenant);
    other.is(tenant);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for call in 0..calls + WARM {
        let question = library.question(tenant, call);
        let (a, b) = if call.is_multiple_of(4) || call % 4 == 3 {
            let first = one.ask(&question, tenant);
            (first, other.ask(&question, tenant))
        } else {
            let first = other.ask(&question, tenant);
            (one.ask(&question, tenant), first)
        };
        assert_eq!(a.1.len(), b.1.len(), "tenant {tenant}, question {call}");
        let among = a.1.iter().filter(|id| b.1.contains(id)).count();
        assert!(among + 1 >= a.1.len(), "tenant {tenant}, question {call}: {among} of {}", a.1.len());
        if call >= WARM {
            ours.push(a.0);
            theirs.push(b.0);
        }
    }
    (median(ours), median(theirs))
}

/// The middle of what so many calls take that come one behind the other, with nobody in between. Milliseconds.
pub fn in_a_row(library: &Library, asker: &mut Asker, tenant: usize, calls: usize) -> f64 {
    asker.is(tenant);
    let took = |call| asker.ask(&library.question(tenant, call), tenant).0;
    median((0..calls + WARM).map(took).skip(WARM).collect())
}

/// Calls that are not counted: plans and caches are made.
const WARM: usize = 12;

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// What somebody writes who knows the tables, and that there is no vector index to be tempted by.
pub fn by_hand(keep: Keep) -> String {
    match keep {
        Keep::Inline => by_hand_inline(),
        Keep::Store => by_hand_stored(),
    }
}

/// Each table ranked by itself, the best of all of them.
fn by_hand_inline() -> String {
    let branch = |table: &str| {
        format!(
            "(select '{table}'::text as entity_type, t.id as entity_id, t.title, t.content,
                     1 - (t.embedding <=> $1) as similarity, t.created_at, jsonb_build_object('status', t.status) as metadata
              from {table} t where t.user_id = $2 and t.embedding is not null order by t.embedding <=> $1 limit {K})"
        )
    };
    format!(
        "select * from ({}) r order by r.similarity desc limit {K}",
        TABLES.map(branch).join(" union all ")
    )
}

/// The narrow table ranked, and the winners fetched.
fn by_hand_stored() -> String {
    let branch = |table: &str| {
        format!(
            "select '{table}'::text as entity_type, t.id as entity_id, t.title, t.content,
                    1 - b.distance as similarity, t.created_at, jsonb_build_object('status', t.status) as metadata
             from best b join {table} t on t.id = b.entity_id where b.entity_type = '{table}'"
        )
    };
    format!(
        "with best as materialized (
             select v.entity_type, v.entity_id, v.embedding <=> (select $1::vector::halfvec) as distance
             from strata_vectors.mini v where v.tenant = $2 order by 3 limit {K})
         select * from ({}) r order by r.similarity desc limit {K}",
        TABLES.map(branch).join(" union all ")
    )
}
