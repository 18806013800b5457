//! A tenant's own index on a store: whose index is one, that it is used for that tenant alone, and that no answer is short for it.

use super::{ANN, BOB, fill, found, library, sign_in, truth};
use postgres::Client;
use strata_tests::Database;
use strata_tests::database::refusal;
use strata_tests::role::Role;
use uuid::Uuid;

/// How one source was searched: way, rows found, reason.
fn way(session: &mut Client, entity_type: &str, count: i32) -> (String, i64, String) {
    let sql = "select way, rows_found, reason from strata.search_explain('[1,2,3,4,5,6,7,8]', null, $2) where entity_type = $1";
    let row = session.query_one(sql, &[&entity_type, &count]).expect("an explanation");
    (row.get(0), row.get(1), row.get(2))
}

/// What `vector_indexes` says of a tenant: state, and the statement.
fn index_of(database: &Database, crossover: i64, tenant: &str) -> Vec<(String, Option<String>)> {
    let sql = "select state, statement from strata.vector_indexes($1) where tenant = $2::text::uuid";
    let rows = database.connect().query(sql, &[&crossover, &tenant]).expect("a list");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// Creates or drops what `vector_indexes` says.
fn follow(database: &Database, crossover: i64) -> String {
    let (state, statement) = index_of(database, crossover, ANN).remove(0);
    database.run(&statement.expect("something to do"));
    state
}

/// How often the index was scanned.
fn scans(database: &Database, sessions: &mut [&mut Client]) -> i64 {
    for session in sessions {
        session.batch_execute("select pg_stat_force_next_flush()").expect("its counts are told");
    }
    database.value("select pg_stat_get_numscans('strata_vectors.mini_embedding_idx'::regclass)")
}

/// An answer has as many rows as there are, and all but one of the nearest.
#[track_caller]
fn near(answer: &[Uuid], truth: &[Uuid], count: usize) {
    let nearest = &truth[..count.min(truth.len())];
    let among = answer.iter().filter(|id| nearest.contains(id)).count();
    assert_eq!(answer.len(), nearest.len());
    assert!(among + 1 >= nearest.len(), "{among} of {}", nearest.len());
}

#[test]
fn a_large_tenant_is_searched_by_an_index_of_their_own_and_no_answer_is_short() {
    for store in ["halfvec", "vector"] {
        let database = library(store);
        fill(&database, "note", ANN, 500);
        fill(&database, "task", ANN, 100);
        fill(&database, "note", BOB, 30);
        let mut session = sign_in(&database, "authenticated", ANN);
        let mut service = sign_in(&database, "service_role", ANN);
        assert_eq!(way(&mut session, "note", 10).0, "exact");
        assert_eq!(index_of(&database, 601, ANN), []);
        assert_eq!(index_of(&database, 600, BOB), []);
        assert_eq!(follow(&database, 600), "missing");
        assert_eq!(index_of(&database, 600, ANN), [("ready".to_owned(), None)]);

        // Sessions that have remembered the registry hear of the index. What is written from then on is in it.
        let (name, rows, reason) = way(&mut session, "note", 10);
        let told = "the tenant has an index of their own on strata_vectors.mini";
        assert_eq!((name.as_str(), rows, reason.as_str()), ("hnsw", 10, told));
        fill(&database, "task", ANN, 50);
        database.run(&format!("delete from note where title = 'note 7' and user_id = '{ANN}'"));
        let before = scans(&database, &mut [&mut session, &mut service]);
        let truth = truth(&database, ANN);
        for session in [&mut session, &mut service] {
            for call in 1..=7 {
                let count = 10 * call;
                near(&found(session, Some(ANN), count), &truth, count as usize);
            }
            assert_eq!(found(session, Some(ANN), 1000).len(), 649, "more than an index leads to");
        }
        let by_text = "select entity_id::uuid from strata.search('[1,2,3,4,5,6,7,8]', $1, 10)";
        let named = service.query(by_text, &[&ANN.to_uppercase()]).expect("an answer");
        near(&named.iter().map(|row| row.get(0)).collect::<Vec<_>>(), &truth, 10);
        let after = scans(&database, &mut [&mut session, &mut service]);
        assert_eq!(after - before, 15, "{store}: each but those for a thousand");
        let mut other = sign_in(&database, "authenticated", BOB);
        assert_eq!(
            (found(&mut other, None, 100).len(), way(&mut other, "note", 10).0.as_str()),
            (30, "exact")
        );

        session.batch_execute("set strata.ef_search = 0").expect("a setting");
        let exact = found(&mut session, None, 10);
        assert_eq!(way(&mut session, "note", 10).0, "exact");
        assert_eq!(scans(&database, &mut [&mut session]), after, "{store}: no index is used");
        near(&exact, &truth, 10);
        session.batch_execute("reset strata.ef_search").expect("a setting");

        // Of what is nearest nothing may be seen, and the index leads to nothing else.
        database.run(&format!(
            "update note set archived = true where id in (select entity_id from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}', 400));
             update task set archived = true where id in (select entity_id from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}', 400))"
        ));
        let truth = self::truth(&database, ANN);
        for session in [&mut session, &mut service] {
            near(&found(session, Some(ANN), 10), &truth, 10);
        }
        let (name, rows, reason) = way(&mut session, "note", 10);
        assert_eq!((name.as_str(), rows), ("exact", 10));
        assert!(reason.ends_with("so all of them were looked up"), "{reason}");
        let sql = "select way, reason from strata.search_explain('[1,2,3,4,5,6,7,8]', null, 300, minimum_similarity => 0.2)";
        let row =
            session.query_one(&format!("{sql} where entity_type = 'note'"), &[]).expect("an explanation");
        assert_eq!(row.get::<_, String>(0), "exact");
        assert!(row.get::<_, String>(1).contains("led to fewer rows than are wanted"), "{row:?}");

        assert_eq!(follow(&database, 1299), "needless");
        let (name, _, reason) = way(&mut session, "note", 10);
        assert_eq!(name, "exact");
        assert!(reason.starts_with("every vector of the tenant"), "{reason}");
    }
}

#[test]
fn a_search_that_an_index_cannot_order_does_without_it() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 200);
    fill(&database, "task", ANN, 60);
    follow(&database, 100);
    let mut session = sign_in(&database, "authenticated", ANN);
    let ways = |session: &mut Client, further: &str| -> Vec<String> {
        let sql = format!(
            "select way from strata.search_explain('[1,2,3,4,5,6,7,8]', null, 10{further}) order by 1"
        );
        session.query(&sql, &[]).expect("an explanation").iter().map(|row| row.get(0)).collect()
    };
    assert_eq!(ways(&mut session, ""), ["hnsw", "hnsw"]);
    assert_eq!(ways(&mut session, ", entity_types => '{note,task}'"), ["hnsw", "hnsw"]);
    let before = scans(&database, &mut [&mut session]);
    assert_eq!(ways(&mut session, ", entity_types => '{task}'"), ["exact", "left out"]);
    let of_one = "select from strata.rag_search('[1,2,3,4,5,6,7,8]', null, entity_types => '{task}')";
    assert_eq!(session.query(of_one, &[]).expect("an answer").len(), 10);
    assert_eq!(scans(&database, &mut [&mut session]), before, "notes are in the index, too");
    assert_eq!(ways(&mut session, ", source_weights => '{\"task\": 2}'"), ["exact", "exact"]);
    assert_eq!(ways(&mut session, ", diversity => 0.5"), ["exact", "exact"]);
    for count in
        ["set hnsw.ef_search = 1", "set enable_indexscan = off", "set plan_cache_mode = force_custom_plan"]
    {
        session.batch_execute(count).expect("a setting");
        near(&found(&mut session, None, 10), &truth(&database, ANN), 10);
        assert_eq!(
            session.query_one("show hnsw.ef_search", &[]).expect("a setting").get::<_, String>(0),
            "1"
        );
    }
    for (value, shown) in [("-1", "-1"), ("1001", "1001")] {
        let refused = database.refusal(&format!("set strata.ef_search = {value}"));
        assert_eq!(refused.0, "22023");
        assert!(refused.1.starts_with(&format!("{shown} is outside the valid range")), "{}", refused.1);
    }
}

#[test]
fn an_index_that_is_not_finished_is_not_used_and_is_named() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 60);
    follow(&database, 50);
    database.run(
        "update pg_index set indisvalid = false where indexrelid = 'strata_vectors.mini_embedding_idx'::regclass",
    );
    let mut session = sign_in(&database, "authenticated", ANN);
    assert_eq!(way(&mut session, "note", 10).0, "exact");
    assert_eq!(found(&mut session, None, 10).len(), 10);
    let mut holder = database.connect();
    let mut at_it = holder.transaction().expect("a transaction");
    at_it
        .batch_execute("lock table strata_vectors.mini in share update exclusive mode")
        .expect("as who builds an index");
    assert_eq!(index_of(&database, 50, ANN), [("building".to_owned(), None)]);
    at_it.rollback().expect("the end of it");
    assert_eq!(follow(&database, 50), "invalid");
    assert_eq!(follow(&database, 50), "missing");
    assert_eq!(way(&mut session, "note", 10).0, "hnsw");

    for crossover in ["0", "null"] {
        let refused = database.refusal(&format!("select * from strata.vector_indexes({crossover})"));
        let message = format!("crossover must be at least 1 vector, not {crossover}");
        assert_eq!(refused, ("22023".to_owned(), message));
    }
    let asked = "select * from strata.vector_indexes()";
    assert_eq!(refusal(session.query(asked, &[]), asked).0, "42501");
}

#[test]
fn an_index_over_anything_else_is_not_taken_for_the_tenants_own() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 60);
    let mut session = sign_in(&database, "service_role", ANN);
    for other in [
        format!("(embedding halfvec_cosine_ops) where tenant = '{ANN}' and entity_type = 'note'"),
        format!("(embedding halfvec_cosine_ops) where tenant in ('{ANN}', '{BOB}')"),
        format!("(embedding halfvec_cosine_ops) where tenant <> '{ANN}'"),
        format!("(embedding halfvec_cosine_ops) where entity_id = '{ANN}'"),
        "(embedding halfvec_cosine_ops)".to_owned(),
        format!("(embedding halfvec_l2_ops) where tenant = '{ANN}'"),
        format!("((subvector(embedding, 1, 4)::halfvec(4)) halfvec_cosine_ops) where tenant = '{ANN}'"),
        format!("((embedding::vector(8)) vector_cosine_ops) where tenant = '{ANN}'"),
    ] {
        database.run(&format!("create index other on strata_vectors.mini using hnsw {other}"));
        assert_eq!(index_of(&database, 50, ANN)[0].0, "missing", "{other}");
        assert_eq!(told(&mut session), "exact", "{other}");
        assert_eq!(found(&mut session, Some(ANN), 20).len(), 20, "{other}");
        database.run("drop index strata_vectors.other");
    }
}

/// How notes of Ann's are searched, whoever asks.
fn told(session: &mut Client) -> String {
    let sql = format!(
        "select way from strata.search_explain('[1,2,3,4,5,6,7,8]', '{ANN}', 10) where entity_type = 'note'"
    );
    session.query_one(&sql, &[]).expect("an explanation").get(0)
}

#[test]
fn an_index_is_known_and_used_whatever_a_session_has_set_or_somebody_has_put_before_equality() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 60);
    follow(&database, 50);
    database.run(
        "create function public.never(uuid, uuid) returns boolean language sql as 'select false';
         create operator public.= (leftarg = uuid, rightarg = uuid, function = public.never)",
    );
    for setting in
        ["search_path = public, pg_catalog", "quote_all_identifiers = on", "enable_indexscan = off"]
    {
        let mut session = sign_in(&database, "service_role", ANN);
        session.batch_execute(&format!("set {setting}")).expect("a setting");
        let before = scans(&database, &mut [&mut session]);
        assert_eq!(found(&mut session, Some(ANN), 10).len(), 10);
        assert_eq!(scans(&database, &mut [&mut session]) - before, 1, "{setting}");
        assert_eq!(told(&mut session), "hnsw", "{setting}");
        let sql = format!("set {setting}; select state from strata.vector_indexes(50)");
        let state = database.connect().simple_query(&sql).expect("a list");
        let is_ready = |m: &postgres::SimpleQueryMessage| matches!(m, postgres::SimpleQueryMessage::Row(row) if row.get(0) == Some("ready"));
        assert!(state.iter().any(is_ready), "{setting}");
    }
}

#[test]
fn a_search_that_does_not_read_the_store_does_not_wait_for_it() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 60);
    follow(&database, 50);
    database.run(
        "create table plain (id uuid primary key, user_id uuid, title text, embedding vector(8), created_at timestamptz default now());
         insert into plain values (gen_random_uuid(), 'a0000000-0000-4000-8000-000000000001', 'one', '[1,2,3,4,5,6,7,8]');
         select strata.add_source('plain', 'plain', 'id', 'user_id', 'title', '{}', 'embedding', 'mini');
         grant select on plain to service_role",
    );
    let mut holder = database.connect();
    let mut at_it = holder.transaction().expect("a transaction");
    at_it.batch_execute("lock table strata_vectors.mini").expect("as vacuum full");
    let mut session = sign_in(&database, "service_role", ANN);
    // Nobody gives it back before: a search that waits for it is cut off.
    session.batch_execute("set lock_timeout = '2s'").expect("a setting");
    let sql =
        format!("select from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}', entity_types => '{{plain}}')");
    assert_eq!(session.query(&sql, &[]).expect("an answer").len(), 1);
}

#[test]
fn of_two_indexes_of_a_tenant_the_older_is_needless() {
    let database = library("vector");
    fill(&database, "note", ANN, 60);
    let (_, statement) = index_of(&database, 50, ANN).remove(0);
    let statement = statement.expect("it is missing");
    database.run(&statement);
    database.run(&statement);
    let drop = |index: &str| Some(format!("drop index concurrently strata_vectors.{index}"));
    let states = [("needless".to_owned(), drop("mini_embedding_idx")), ("ready".to_owned(), None)];
    assert_eq!(index_of(&database, 50, ANN), states);
    assert_eq!(follow(&database, 50), "needless");
    assert_eq!(index_of(&database, 50, ANN), [("ready".to_owned(), None)]);
}

#[test]
fn who_may_not_read_all_vectors_is_not_told_that_indexes_are_needless() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 60);
    follow(&database, 50);
    let role = Role::new();
    database.run(&format!(
        "grant usage on schema strata, strata_vectors to {0}; grant select on strata_vectors.mini, strata.vector_store to {0};
         grant execute on function strata.vector_indexes to {0}",
        role.name()
    ));
    let asked = "select * from strata.vector_indexes(50)";
    let refused = refusal(role.connect(&database).query(asked, &[]), asked);
    let message = "query would be affected by row-level security policy for table \"mini\"";
    assert_eq!(refused, ("42501".to_owned(), message.to_owned()));
    role.leave(database);
}
