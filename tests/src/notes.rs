//! A table of notes that a provider over HTTP embeds: what the tests of workers and providers work on.

use crate::provider_server::{DIMENSIONS, ProviderServer, vector_of};
use crate::{Database, Strata};
use pgvector::Vector;

/// The model of the notes, as the database and the provider call it.
pub const MODEL: &str = "tiny";

/// The key that the provider is given.
pub const KEY: &str = "sk-a-key-that-nobody-may-see";

/// An empty table of notes, registered with a model of `provider`.
pub fn database(provider: &str) -> Database {
    let database = Database::installed();
    tables(&database, provider);
    database
}

/// The same in a database that has strata.
pub fn tables(database: &Database, provider: &str) {
    database.run(&format!(
        "create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             title text, body text, status text, embedding vector({DIMENSIONS}), created_at timestamptz not null default now());
         select strata.add_model('{MODEL}', '{provider}', {DIMENSIONS});
         select strata.add_source('note', 'note', 'id', 'user_id', 'title', array['body'], 'embedding', '{MODEL}')"
    ));
}

/// So many more notes, each with a text of its own.
pub fn write(database: &Database, count: u32) {
    database.run(&format!(
        "insert into note (title, body) select 'note ' || g, 'text ' || g from generate_series(1, {count}) g"
    ));
}

/// The command line with this provider behind it.
pub fn strata(database: &Database, server: &ProviderServer) -> Strata {
    Strata::on(database)
        .env("OPENAI_BASE_URL", &server.url())
        .env("OPENAI_API_KEY", KEY)
        .env("OLLAMA_HOST", &server.url())
}

/// How many notes have the vector of their own text, and how many have another one.
pub fn right_and_wrong(database: &Database) -> (usize, usize) {
    let rows = database
        .rows("select concat_ws(E'\n', title, body), embedding from note where embedding is not null", &[]);
    let right = rows.iter().filter(|row| {
        let (text, vector): (String, Vector) = (row.get(0), row.get(1));
        vector.to_vec() == vector_of(&text, DIMENSIONS)
    });
    let right = right.count();
    (right, rows.len() - right)
}

/// Jobs by state and number of failures: `dead 1: 3, queued 0: 2`.
pub fn jobs(database: &Database) -> String {
    database.value(
        "select coalesce(string_agg(format('%s %s: %s', state, attempts, n), ', ' order by state, attempts), 'none')
         from (select state, attempts, count(*) as n from strata.job group by 1, 2) j",
    )
}
