//! What an HNSW index over one tenant's vectors alone gains on comparing all of them, and what it misses, for tenants of
//! several sizes: whether and from where on such an index is worth having (docs/decisions). Both answer with rows, under row
//! level security.

use super::asked::{Asker, K, RAG_SEARCH, median};
use super::library::{Keep, Library, SIZES, Size, TABLES};
use super::world;
use crate::figure::{Figure, Limit};
use crate::say;

/// Vectors of a tenant.
const TENANTS: [usize; 3] = [20_000, 50_000, 100_000];

/// hnsw.ef_search; pgvector allows 1000.
const BREADTHS: [i32; 4] = [100, 200, 400, 800];

/// Questions of a round, half of them about what the tenant writes about.
const QUESTIONS: usize = 40;

/// For each tenant: what `rag_search` takes over what the same answer takes by an index, at each breadth, and the recall there.
pub fn measure(rounds: usize) -> Vec<Figure> {
    let size = Size { rows: 0, ..SIZES[0] };
    let library = Library::among(size, Keep::Store, |library| {
        for (number, rows) in TENANTS.into_iter().enumerate() {
            let topics = (0..rows).map(|row| (number, world::topic(number, row)));
            library.fill(TABLES[0], topics, 500 + number);
        }
    });
    (0..TENANTS.len()).flat_map(|number| of(&library, number, rounds)).collect()
}

fn of(library: &Library, number: usize, rounds: usize) -> Vec<Figure> {
    let rows = TENANTS[number];
    let control = beside(library, number, &mut by_index(library, number, BREADTHS[0]), 0).2;
    assert!(control >= 0.99, "{rows} vectors: without an index the same statement finds {control}");
    say(&format!("an index for {rows} vectors"));
    library.database.run(&format!(
        "set maintenance_work_mem = '1GB';
         create index on strata_vectors.mini using hnsw (embedding halfvec_cosine_ops) with (m = 32, ef_construction = 256)
         where tenant = '{}'",
        world::tenant(number)
    ));
    BREADTHS.into_iter().flat_map(|breadth| at(library, number, breadth, rounds)).collect()
}

fn at(library: &Library, number: usize, breadth: i32, rounds: usize) -> [Figure; 2] {
    let mut index = by_index(library, number, breadth);
    let (mut ratios, mut recalls) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (a, b, recall) = beside(library, number, &mut index, round);
        say(&format!(
            "{} vectors, ef_search {breadth}: all {a:.3} ms, index {b:.3} ms, recall {recall:.4}",
            TENANTS[number]
        ));
        ratios.push(a / b);
        recalls.push(recall);
    }
    let name = |what| format!("{} vectors: {what}, ef_search {breadth}", TENANTS[number]);
    [
        Figure::new(name("all / index"), "ratio", ratios, Limit::None),
        Figure::new(name("recall@10"), "share", recalls, Limit::None),
    ]
}

/// The middle of what `rag_search` and the other take for the same questions, asked in turn, in milliseconds; and which share
/// of the one's answers the other gives.
fn beside(library: &Library, number: usize, other: &mut Asker, round: usize) -> (f64, f64, f64) {
    let mut all = Asker::signed_in(library, RAG_SEARCH);
    all.is(number);
    other.is(number);
    let (mut a, mut b, mut right) = (Vec::new(), Vec::new(), 0);
    for question in 0..QUESTIONS {
        let question = library.question(number, round * QUESTIONS + question);
        let (took, truth) = all.ask(&question, number);
        a.push(took);
        let (took, found) = other.ask(&question, number);
        b.push(took);
        right += found.iter().filter(|id| truth.contains(id)).count();
    }
    (median(a), median(b), right as f64 / (QUESTIONS * K as usize) as f64)
}

/// The nearest by the index of one tenant, and their rows; by a sort where there is none.
fn by_index(library: &Library, number: usize, breadth: i32) -> Asker {
    let table = TABLES[0];
    let sql = format!(
        "with best as materialized (
             select v.entity_id, v.embedding <=> (select l2_normalize($1::vector)::halfvec) as distance
             from strata_vectors.mini v where v.tenant = '{}'
             order by v.embedding <=> (select l2_normalize($1::vector)::halfvec) limit {K})
         select '{table}'::text as entity_type, t.id as entity_id, t.title, t.content,
                1 - b.distance as similarity, t.created_at, jsonb_build_object('status', t.status) as metadata
         from best b join {table} t on t.id = b.entity_id where t.user_id = $2 order by similarity desc",
        world::tenant(number)
    );
    // Nothing is left to the planner but the index.
    let ready = format!(
        "set role authenticated; set plan_cache_mode = force_generic_plan; set hnsw.ef_search = {breadth};
         set enable_sort = off; set enable_seqscan = off; set enable_bitmapscan = off; set jit = off"
    );
    Asker::prepared(library, &ready, &sql)
}
