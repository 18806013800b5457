//! A table of notes of 384 dimensions, and the means to measure statements on it.

use postgres::Client;
use std::time::Instant;
use strata_tests::Database;

/// Dimensions of every vector.
pub const DIMENSIONS: u32 = 384;

/// A vector of one number for each row of `g`, another for every `g`.
pub const VECTOR: &str =
    "(select array_agg(sin(g.g * 7 + i))::real[]::vector(384) from generate_series(1, 384) i)";

/// An empty table of that name, with room on its pages for a row to change.
pub fn create(database: &Database, table: &str) {
    database.run(&format!(
        "create table {table} (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             title text not null, body text not null, status text, embedding vector({DIMENSIONS}),
             created_at timestamptz not null default now()) with (fillfactor = 50)"
    ));
}

/// So many rows of it, each with a text of half a kilobyte and no vector.
pub fn fill(database: &Database, table: &str, rows: u32) {
    database.run(&format!(
        "insert into {table} (title, body, status)
         select 'note ' || g, repeat(md5(g::text), 16), 'new' from generate_series(1, {rows}) g"
    ));
}

/// Registers it under its own name.
pub fn register(database: &Database, table: &str) {
    database.run(&format!(
        "do $$ begin if not exists (select from strata.model) then perform strata.add_model('bench', 'openai', {DIMENSIONS}); end if; end $$;
         select strata.add_source('{table}', '{table}', 'id', 'user_id', 'title', array['body'], 'embedding', 'bench')"
    ));
}

/// Seconds that a statement takes.
pub fn timed(session: &mut Client, sql: &str) -> f64 {
    let since = Instant::now();
    session.batch_execute(sql).expect("a statement of the benchmark works");
    since.elapsed().as_secs_f64()
}
