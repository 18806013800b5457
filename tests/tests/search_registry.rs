//! A session remembers the registry. Whatever changes it, from whichever session, is seen by the next call.

use postgres::{Client, GenericClient};
use strata_tests::Database;
use strata_tests::database::refusal;
use uuid::Uuid;

const ANN: Uuid = Uuid::from_u128(0xa);

const SEARCH: &str = "select r.title from strata.rag_search('[1,0,0]'::vector, $1, 10) r order by r.title";

/// Two tables of two rows each; the first is a source.
fn library() -> Database {
    let database = Database::installed();
    database.run("select strata.add_model('mini', 'local', 3)");
    for table in ["note", "task"] {
        database.run(&format!(
            "create table {table} (id uuid primary key default gen_random_uuid(), user_id uuid not null, title text,
                 embedding vector(3), created_at timestamptz not null default now());
             create index on {table} (user_id);
             insert into {table} (user_id, title, embedding) select '{ANN}', '{table}' || g, '[1,1,0]' from generate_series(1, 2) g"
        ));
    }
    add(&database, "note");
    database
}

fn add(database: &Database, table: &str) {
    database.run(&format!(
        "select strata.add_source('{table}', '{table}', 'id', 'user_id', 'title', '{{}}', 'embedding', 'mini')"
    ));
}

fn found(session: &mut impl GenericClient) -> String {
    let rows = session.query(SEARCH, &[&ANN]).expect("an answer");
    rows.iter().map(|row| row.get::<_, String>(0)).collect::<Vec<_>>().join(" ")
}

fn refused(session: &mut Client) -> (String, String) {
    refusal(session.query(SEARCH, &[&ANN]), SEARCH)
}

/// A session that has searched often enough to remember everything.
fn knowing(database: &Database) -> Client {
    let mut session = database.connect();
    for _ in 0..7 {
        assert_eq!(found(&mut session), "note1 note2");
    }
    session
}

#[test]
fn a_source_that_another_session_adds_or_drops_is_seen_by_the_next_call() {
    let database = library();
    let mut session = knowing(&database);
    for _ in 0..3 {
        add(&database, "task");
        assert_eq!(found(&mut session), "note1 note2 task1 task2");
        database.run("select strata.drop_source('task')");
        assert_eq!(found(&mut session), "note1 note2");
    }
    database.run("truncate strata.source cascade");
    assert_eq!(refused(&mut session).0, "55000");
}

/// What the second of two sessions is told that do this at the same time.
fn told_second(database: &Database, first: &str, second: &str) -> Result<(), (String, String)> {
    let mut session = database.connect();
    session.batch_execute(&format!("begin; {first}")).expect("the first");
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let told = database.connect().batch_execute(second);
            told.map_err(|error| refusal(Err::<(), _>(error), second))
        });
        database.until("select count(*) > 0 from pg_locks where not granted");
        session.batch_execute("commit").expect("the first");
        other.join().expect("no panic")
    })
}

#[test]
fn two_sessions_that_register_the_same_are_told_so() {
    let database = library();
    let refused = |sqlstate: &str, message: &str| Err((sqlstate.to_owned(), message.to_owned()));
    let drop = "select strata.drop_source('note')";
    assert_eq!(told_second(&database, drop, drop), refused("42704", "source \"note\" does not exist"));
    let add = "select strata.add_source('note', 'note', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')";
    assert_eq!(
        told_second(&database, add, add),
        refused("42710", "source \"note\" was registered meanwhile")
    );
    let store = |table: &str| {
        format!(
            "alter table {table} add embedded_at timestamptz;
             select strata.add_source('{table}s', '{table}', 'id', 'user_id', 'title', '{{}}', null, 'mini',
                 embedded_at_column => 'embedded_at', store => 'halfvec')"
        )
    };
    assert_eq!(told_second(&database, &store("note"), &store("task")), Ok(()), "one store for both");
    assert_eq!(database.value::<i64>("select count(*) from strata.source"), 3);
}

#[test]
fn it_is_seen_inside_of_a_transaction_too_whatever_its_snapshot_is() {
    let database = library();
    for level in ["read committed", "repeatable read", "serializable"] {
        let mut session = knowing(&database);
        session
            .batch_execute(&format!("begin isolation level {level}; select count(*) from note"))
            .expect("a snapshot");
        add(&database, "task");
        found(&mut session);
        session.batch_execute("commit").expect("commit");
        assert_eq!(found(&mut session), "note1 note2 task1 task2", "nothing old is remembered after {level}");
        database.run("select strata.drop_source('task')");
        assert_eq!(found(&mut session), "note1 note2", "{level}");
    }
}

#[test]
fn one_call_of_a_statement_may_come_before_a_change_and_the_next_behind_it() {
    let database = library();
    let mut session = knowing(&database);
    // The snapshot of the statement is older than the change that it waits for.
    database.run("create table gate (x int); insert into gate values (1)");
    let mut other = database.connect();
    let mut change = other.transaction().expect("a transaction");
    change.batch_execute("lock gate in access exclusive mode").expect("locked");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let sql = "create or replace function pg_temp.wait() returns int language plpgsql as
                       'begin lock gate in access share mode; return 1; end';
                       do $$ declare n int; begin
                           select count(*) into n from (select pg_temp.wait()) w,
                               lateral strata.rag_search('[1,0,0]', '00000000-0000-0000-0000-00000000000a', 10 * w.wait) r;
                       end $$";
            session.batch_execute(sql).expect("waited");
            found(&mut session)
        });
        database
            .until("select exists (select from pg_locks where relation = 'gate'::regclass and not granted)");
        change
            .batch_execute(
                "select strata.add_source('task', 'task', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')",
            )
            .expect("added");
        change.commit().expect("commit");
        assert_eq!(waiting.join().expect("an answer"), "note1 note2 task1 task2");
    });
}

#[test]
fn what_is_rolled_back_is_forgotten() {
    let database = library();
    let mut session = knowing(&database);
    let add_task =
        "select strata.add_source('task', 'task', 'id', 'user_id', 'title', '{}', 'embedding', 'mini')";
    session.batch_execute(&format!("begin; savepoint s; {add_task}")).expect("added");
    assert_eq!(found(&mut session), "note1 note2 task1 task2");
    session.batch_execute("rollback to s").expect("rolled back");
    assert_eq!(found(&mut session), "note1 note2");
    session.batch_execute(add_task).expect("added");
    assert_eq!(found(&mut session), "note1 note2 task1 task2");
    session.batch_execute("rollback").expect("rolled back");
    assert_eq!(found(&mut session), "note1 note2");
}

#[test]
fn a_change_of_the_table_is_seen_by_the_next_call() {
    let database = library();
    let mut session = knowing(&database);
    let changes = [
        ("alter table note rename title to heading", "42703", "alter table note rename heading to title"),
        (
            "alter table note alter embedding type vector(4) using null",
            "42804",
            "alter table note alter embedding type vector(3) using '[1,1,0]'",
        ),
        ("alter table note rename to old_note", "42P01", "alter table old_note rename to note"),
        ("alter table note set schema strata", "42P01", "alter table strata.note set schema public"),
    ];
    for (change, sqlstate, back) in changes {
        database.run(change);
        assert_eq!(refused(&mut session).0, sqlstate, "{change}");
        database.run(back);
        assert_eq!(found(&mut session), "note1 note2", "{back}");
    }
    database.run("alter table note rename to old_note; alter table task rename to note");
    assert_eq!(found(&mut session), "task1 task2", "another table of the same name");
    database.run("drop table note");
    assert_eq!(refused(&mut session).0, "42P01");
}

#[test]
fn rights_and_row_security_are_those_of_now() {
    let database = library();
    let role = strata_tests::database::unique("reader");
    database.run(&format!(
        "create role {role}; grant usage on schema strata to {role}; grant select on strata.source, strata.model, note to {role};
         grant execute on function strata.rag_search to {role}"
    ));
    let mut session = database.connect();
    session.batch_execute(&format!("set role {role}")).expect("a role");
    assert_eq!(found(&mut session), "note1 note2");
    database.run("alter table note enable row level security");
    assert_eq!(refused(&mut session).0, "42501", "nobody has said that the caller is Ann");
    let claims = format!("set request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'");
    session.batch_execute(&claims).expect("claims");
    assert_eq!(found(&mut session), "", "no policy lets the role see a row");
    database.run("create policy own on note using (user_id = '00000000-0000-0000-0000-00000000000a')");
    assert_eq!(found(&mut session), "note1 note2");
    database.run("drop policy own on note");
    assert_eq!(found(&mut session), "");
    database.run(&format!("alter role {role} bypassrls"));
    assert_eq!(found(&mut session), "note1 note2");
    database.run(&format!("alter role {role} nobypassrls; alter table note disable row level security; revoke select on note from {role}"));
    assert_eq!(refused(&mut session).0, "42501", "the only source may not be read");
    database.run(&format!("grant select (id, user_id, title, embedding, created_at) on note to {role}"));
    assert_eq!(found(&mut session), "note1 note2");
    session.batch_execute("reset role").expect("the owner again");
    assert_eq!(found(&mut session), "note1 note2");
    drop(session);
    database.run(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn who_calls_is_asked_of_the_function_that_is_there_now() {
    let database = library();
    let role = strata_tests::database::unique("reader");
    database.run(&format!(
        "create role {role}; grant usage on schema strata to {role}; grant select on strata.source, strata.model, note to {role};
         grant execute on function strata.rag_search to {role};
         alter table note enable row level security; create policy own on note using (user_id = '{ANN}')"
    ));
    let mut session = database.connect();
    session.batch_execute(&format!("set role {role}")).expect("a role");
    assert_eq!(refused(&mut session).0, "42501");
    database.run(&format!(
        "create schema auth; grant usage on schema auth to {role};
         create function auth.uid() returns uuid language sql stable as $$ select '{ANN}'::uuid $$"
    ));
    assert_eq!(found(&mut session), "note1 note2");
    database.run("drop function auth.uid()");
    assert_eq!(refused(&mut session).0, "42501");
    drop(session);
    database.run(&format!("drop owned by {role}; drop role {role}"));
}

#[test]
fn the_model_may_change_under_a_session() {
    let database = library();
    let mut session = knowing(&database);
    database.run("update strata.model set dimensions = 4");
    assert_eq!(refused(&mut session).0, "42804");
    database.run("update strata.model set dimensions = 3");
    assert_eq!(found(&mut session), "note1 note2");
}
