//! What a queue of embeddings must never do to the application that writes: fail it, or keep it waiting.

use postgres::Client;
use std::time::Duration;
use strata_tests::notes::{self, jobs, right_and_wrong};
use strata_tests::own_server::OwnServer;
use strata_tests::{Behaviour, Database, ProviderServer};

/// Notes, and memos of the same model with a vector each in a store.
fn two_tables() -> Database {
    let database = notes::database("openai");
    database.run(
        "create table memo (id uuid unique deferrable not null default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             body text, embedded_at timestamptz, created_at timestamptz not null default now());
         select strata.add_source('memo', 'memo', 'id', 'user_id', null, array['body'], null, 'tiny', store => 'vector',
                                  embedded_at_column => 'embedded_at')",
    );
    database
}

/// A session that holds the memos, as one that alters the table does.
fn held(database: &Database) -> Client {
    let mut holder = database.connect();
    holder.batch_execute("begin; lock table memo in access exclusive mode").expect("a lock");
    holder
}

/// As an application that does not wait for long.
const EDIT: &str = "set lock_timeout = '10s'; update note set body = 'edited' where title = 'note 1'";

#[test]
fn a_claim_does_not_wait_for_a_table_while_it_holds_jobs_of_another() {
    let (database, server) = (two_tables(), ProviderServer::good());
    notes::write(&database, 3);
    database.run("insert into memo (body) select 'm' || g from generate_series(1, 30) g");
    let holder = held(&database);
    notes::strata(&database, &server).run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((3, 0), "queued 0: 30"));
    database.run(EDIT);
    drop(holder);
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!(jobs(&database), "none");
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.tiny"), 30);
}

#[test]
fn vectors_do_not_wait_for_a_table_while_they_hold_rows_of_another() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Stall,
        _ => Behaviour::Good,
    });
    let database = two_tables();
    notes::write(&database, 3);
    database.run("insert into memo (body) values ('one')");
    let running =
        notes::strata(&database, &server).start(&["worker", "--only", "embeddings", "--calls", "1"]);
    server.until(1);
    let holder = held(&database);
    server.release();
    database.until("select count(*) = 3 from note where embedding is not null");
    database.run(EDIT);
    assert_eq!(
        database.value::<i64>("select count(*) from strata.job where entity_type = 'memo' and attempts = 0"),
        1
    );
    drop(holder);
    database.until("select not exists (select from strata.job)");
    running.signal("TERM");
    running.end().ok();
    assert_eq!(right_and_wrong(&database), (3, 0));
}

#[test]
fn a_writer_in_repeatable_read_does_not_fail_where_a_worker_has_touched_the_job() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    for level in ["repeatable read", "serializable"] {
        for edit in [
            "update note set body = 'edited'",
            "update note set title = null, body = null",
            "delete from note",
        ] {
            database.run("delete from note");
            notes::write(&database, 3);
            let mut writer = database.connect();
            writer
                .batch_execute(&format!("begin isolation level {level}; select count(*) from note"))
                .unwrap();
            assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 2)"), 2);
            writer.batch_execute(edit).unwrap_or_else(|e| panic!("{level}, {edit}: {e:?}"));
            writer.batch_execute("commit").unwrap();
            database.run(
                "update strata.job set lease_until = now() - interval '1 second' where state = 'leased'",
            );
            notes::strata(&database, &server).run(&["embed"]).ok();
            let wanted = if edit.ends_with("'edited'") { 3 } else { 0 };
            assert_eq!(
                (right_and_wrong(&database), jobs(&database).as_str()),
                ((wanted, 0), "none"),
                "{edit}"
            );
        }
    }
}

#[test]
fn a_vector_of_before_an_edit_in_repeatable_read_is_not_kept() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Stall,
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 3);
    let mut writer = database.connect();
    writer.batch_execute("begin isolation level repeatable read; select count(*) from note").unwrap();
    let running = notes::strata(&database, &server).start(&["embed", "--calls", "1"]);
    server.until(1);
    writer.batch_execute("update note set body = 'edited'; commit").unwrap();
    server.release();
    running.end().ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((3, 0), "none"));
}

#[test]
fn a_writer_may_prepare_its_transaction_while_a_worker_rests() {
    let server = OwnServer::start("max_prepared_transactions = 4");
    let (database, provider) = (server.database(), ProviderServer::good());
    database.run("create extension strata cascade");
    notes::tables(&database, "openai");
    let running = notes::strata(&database, &provider).start(&["worker", "--only", "embeddings"]);
    database.until("select exists (select from pg_locks where locktype = 'advisory' and classid = 1937011297 and granted)");
    let mut writer = database.connect();
    writer.batch_execute("begin; insert into note (title) values ('one'); prepare transaction 'p'").unwrap();
    writer.batch_execute("commit prepared 'p'").unwrap();
    database.until("select exists (select from note where embedding is not null)");
    running.signal("TERM");
    running.end().ok();
}

#[test]
fn rows_may_change_keys_with_one_another_and_none_gets_the_vector_of_the_other() {
    let (database, server) = (two_tables(), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    database.run("insert into memo (id, body) select md5(b)::uuid, b from unnest(array['a', 'b', 'c']) b");
    strata.run(&["embed"]).ok();
    let kept = || {
        database.column::<String>(
        "select m.body || ' ' || coalesce((select v.embedding::text from strata_vectors.tiny v where v.entity_id = m.id), 'none')
         from memo m order by m.body")
    };
    let before = kept();
    database.run(
        "update memo set id = md5(case body when 'a' then 'b' else 'a' end)::uuid where body in ('a', 'b')",
    );
    for (now, then) in kept().iter().zip(&before) {
        assert!(now == then || now.ends_with("none"), "{now}, not {then}");
    }
    assert_eq!(jobs(&database), "queued 0: 2");
    // Keys are handed on, where the first has no vector yet.
    database.run(
        "update memo set id = md5(case body when 'a' then 'c' else 'd' end)::uuid where body in ('a', 'c')",
    );
    strata.run(&["embed"]).ok();
    assert_eq!((kept(), jobs(&database).as_str()), (before, "none"));
}

#[test]
fn a_text_that_the_server_cannot_put_together_is_dead_and_the_others_are_embedded() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 3);
    database.run("update note set body = repeat('x', 270000000) where title = 'note 2'");
    notes::strata(&database, &server).run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!(jobs(&database), "dead 0: 1");
    let error: String = database.value("select error from strata.job");
    assert!(error.starts_with("its text cannot be read: invalid memory alloc"), "{error}");
    database.run("update note set body = 'short' where title = 'note 2'");
    notes::strata(&database, &server).run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((3, 0), "none"));
}

#[test]
fn an_operator_of_somebody_elses_is_not_called_as_vectors_are_stored() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 2);
    database.run(&format!(
        "create function evil(uuid, uuid) returns boolean language plpgsql as $$ begin raise exception 'evil'; end $$;
         create operator public.= (leftarg = uuid, rightarg = uuid, function = evil);
         alter database {} set search_path = public, pg_catalog",
        database.name()
    ));
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((2, 0), "none"));
}
