//! A long search ends when it is told to, and the session goes on as if nothing had been.

use strata_tests::Database;
use strata_tests::database::refusal;

const ANN: &str = "00000000-0000-0000-0000-00000000000a";

const SEARCH: &str =
    "select count(*) from strata.rag_search('[1,0,0]', '00000000-0000-0000-0000-00000000000a', 10)";

fn library(rows: i32) -> Database {
    let database = Database::installed();
    database.run(&format!(
        "select strata.add_model('mini', 'local', 3);
         create table note (id uuid primary key default gen_random_uuid(), user_id uuid not null, title text, embedding vector(3),
             created_at timestamptz not null default now());
         insert into note (user_id, title, embedding) select '{ANN}', 'n', format('[1,%s,0]', g)::vector from generate_series(1, {rows}) g;
         create index on note (user_id);
         select strata.add_source('note', 'note', 'id', 'user_id', 'title', '{{}}', 'embedding', 'mini')"
    ));
    database
}

#[test]
fn a_statement_timeout_ends_it_while_it_compares() {
    let database = library(100_000);
    let mut session = database.connect();
    let found =
        |session: &mut postgres::Client| -> i64 { session.query_one(SEARCH, &[]).expect("an answer").get(0) };
    assert_eq!(found(&mut session), 10);
    for _ in 0..3 {
        session.batch_execute("set statement_timeout = '1ms'").expect("set");
        assert_eq!(refusal(session.query(SEARCH, &[]), SEARCH).0, "57014");
        session.batch_execute("reset statement_timeout").expect("reset");
        assert_eq!(found(&mut session), 10, "nothing is left of what was cut short");
    }
}

#[test]
fn a_cancel_ends_it_inside_of_a_policy() {
    let database = library(5);
    let role = strata_tests::database::unique("reader");
    database.run(&format!(
        "create role {role}; grant usage on schema strata to {role}; grant select on strata.source, strata.model, note to {role};
         grant execute on function strata.rag_search to {role};
         create function slow() returns boolean language plpgsql as 'begin perform pg_sleep(600); return true; end';
         create policy slow on note using (slow()); alter table note enable row level security"
    ));
    let mut session = database.connect();
    let claims = format!("set role {role}; set request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'");
    session.batch_execute(&claims).expect("signed in");
    let pid: i32 = session.query_one("select pg_backend_pid()", &[]).expect("a process").get(0);
    std::thread::scope(|scope| {
        let search = scope.spawn(|| refusal(session.query(SEARCH, &[]), SEARCH));
        database.until(&format!(
            "select coalesce(wait_event = 'PgSleep', false) from pg_stat_activity where pid = {pid}"
        ));
        database.run(&format!("select pg_cancel_backend({pid})"));
        assert_eq!(search.join().expect("an end").0, "57014");
    });
    database.run("create or replace function slow() returns boolean language sql as 'select true'");
    assert_eq!(session.query_one(SEARCH, &[]).expect("an answer").get::<_, i64>(0), 5);
    drop(session);
    database.run(&format!("drop owned by {role}; drop role {role}"));
}
