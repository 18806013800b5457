//! What the tests stand on: two searchable tables of three-dimensional vectors, and short ways to ask.

use pgrx::prelude::*;

/// The tenant of most rows.
pub const ANN: &str = "a0000000-0000-0000-0000-000000000001";
/// Another tenant.
pub const BOB: &str = "b0000000-0000-0000-0000-000000000002";

/// Runs statements that must succeed.
pub fn run(sql: &str) {
    Spi::run(sql).unwrap_or_else(|err| panic!("{err}: {sql}"));
}

/// The first column of the only row, as text; "null" for null.
pub fn ask(sql: &str) -> String {
    let wrapped = format!("select coalesce(r::text, 'null') from ({sql}) s(r)");
    let answer = Spi::get_one::<String>(&wrapped).unwrap_or_else(|err| panic!("{err}: {sql}"));
    answer.unwrap_or_else(|| panic!("no row: {sql}"))
}

/// All rows of one text column, in order, joined by a blank.
pub fn list(sql: &str) -> String {
    ask(&format!(
        "select string_agg(l.v::text, ' ' order by l.n) from (select s.v, row_number() over () as n from ({sql}) s(v)) l"
    ))
}

/// What a statement that must fail says: "SQLSTATE message".
pub fn refusal(sql: &str) -> String {
    let answer = ask(&format!("select public.attempt($s${sql}$s$)"));
    assert!(!answer.starts_with("00000"), "must be refused: {sql}");
    answer
}

/// A key that ends in this number.
pub fn id(number: u32) -> String {
    format!("00000000-0000-0000-0000-{number:012}")
}

/// Waits for its turn: tests create tables of the same names, and some drop the extension under the others' feet.
pub fn alone() {
    run("select pg_advisory_xact_lock(815)");
}

/// `attempt`, the model, and the tables `note` and `task`, not yet registered.
pub fn tables() {
    alone();
    run("create function public.attempt(statement text) returns text language plpgsql as $$
         begin
             execute statement;
             return '00000';
         exception when others then
             return sqlstate || ' ' || sqlerrm;
         end $$;
         create table public.note (
             id uuid primary key default gen_random_uuid(), user_id uuid not null, title text, body text, mood text,
             embedding vector(3), embedding_model text, embedded_at timestamptz,
             created_at timestamptz not null default now());
         create table public.task (
             id uuid primary key default gen_random_uuid(), user_id uuid not null, name text not null,
             description text, notes text, status text, weight numeric, v vector(3),
             created_at timestamptz not null default now());
         select strata.add_model('mini', 'local', 3, 256)");
}

/// The tables, registered.
pub fn sources() {
    tables();
    run("select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini',
             metadata_columns => array['mood'], model_column => 'embedding_model', embedded_at_column => 'embedded_at');
         select strata.add_source('task', 'public.task', 'id', 'user_id', 'name', array['description', 'notes'], 'v', 'mini',
             metadata_columns => array['status', 'weight'])");
}

/// A note of Ann's with text.
pub fn note(number: u32, title: &str, body: &str) {
    run(&format!(
        "insert into public.note (id, user_id, title, body) values ('{}', '{ANN}', '{title}', '{body}')",
        id(number)
    ));
}

/// Every job: entity, state, fence, attempts.
pub fn jobs() -> String {
    list(
        "select format('%s/%s/f%s/a%s', right(j.entity_id::text, 1), j.state, j.fence, j.attempts)
          from strata.job j order by j.entity_id",
    )
}

/// Claims everything for worker w and answers the entities.
pub fn claim() -> String {
    list(
        "select right(c.entity_id::text, 1) || ':' || replace(c.content, chr(10), '|')
          from strata.claim_jobs('w') c order by c.entity_id",
    )
}

/// Completes one job of a note whose text is this.
pub fn complete(number: u32, fence: u32, text: &str, vector: &str) -> String {
    ask(&format!(
        "select c.stored || ' stored, ' || c.stale || ' stale' from strata.complete_jobs(
             array['note'], array['{}']::uuid[], array[{fence}]::bigint[],
             array[sha256(convert_to('{text}', 'UTF8'))], array['{vector}']::vector[]) c",
        id(number)
    ))
}
