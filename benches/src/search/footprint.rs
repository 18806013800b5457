//! What vectors take on disk: in a narrow table, beside a column of each table with an HNSW index over it.

use super::Libraries;
use super::library::{Library, TABLES};
use crate::figure::{Figure, Limit};
use crate::say;

/// All bytes that search adds to the tables. Both hold the same rows.
pub fn measure(libraries: &Libraries, _: usize) -> Vec<Figure> {
    for table in TABLES {
        libraries.inline.database.run(&format!(
            "set maintenance_work_mem = '1GB'; create index {table}_hnsw on {table} using hnsw (embedding vector_cosine_ops)"
        ));
    }
    let bare = tables(&libraries.store);
    let inline = tables(&libraries.inline) - bare;
    let store: i64 = libraries.store.database.value("select pg_total_relation_size('strata_vectors.mini')");
    let store = store as f64;
    for table in TABLES {
        libraries.inline.database.run(&format!("drop index {table}_hnsw"));
    }
    say(&format!("store {:.1} MB, column and HNSW {:.1} MB", store / 1e6, inline / 1e6));
    let limit = if libraries.inline.size.dimensions == 1536 { Limit::AtMost(0.55) } else { Limit::None };
    let name = format!("{}: bytes of the store / column and HNSW", libraries.inline.size.dimensions);
    vec![Figure::new(name, "ratio", vec![store / inline], limit)]
}

fn tables(library: &Library) -> f64 {
    let each = TABLES.map(|table| format!("pg_total_relation_size('{table}')")).join(" + ");
    library.database.value::<i64>(&format!("select {each}")) as f64
}
