//! `rag_search` answers what a brute-force computation answers: per tenant, in order, as many rows as exist.

use postgres::Client;
use strata_tests::aurum::{self, DANIEL, MAYA, RUTH, TOMASZ};
use strata_tests::brute_force::{self, Hit, assert_first, rag_search};
use strata_tests::database::refusal;
use strata_tests::{Database, data};
use uuid::Uuid;

fn id(text: &str) -> Uuid {
    text.parse().expect("a uuid")
}

/// Questions: the vectors of some rows, one that points nowhere near, and one far from unit length.
fn questions(database: &Database) -> Vec<Vec<f32>> {
    let rows = database.rows(
        "(select content_embedding::real[] from journal_entries order by md5(id::text) limit 3)
         union all (select description_embedding::real[] from tasks order by md5(id::text) limit 2)",
        &[],
    );
    let mut questions: Vec<Vec<f32>> = rows.iter().map(|row| row.get(0)).collect();
    questions.push((0..384).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect());
    questions.push(questions[0].iter().zip(&questions[3]).map(|(a, b)| (a + b) * 1e4).collect());
    questions
}

fn sign_in(session: &mut Client, user: &str) {
    let claims = format!(
        "set role authenticated; set request.jwt.claims = '{{\"sub\":\"{user}\",\"role\":\"authenticated\"}}'"
    );
    session.batch_execute(&claims).expect("signed in");
}

fn pgvector(values: &[f32]) -> pgvector::Vector {
    pgvector::Vector::from(values.to_vec())
}

#[test]
fn it_equals_brute_force_for_every_tenant_and_any_number_of_rows() {
    let app = aurum::embedded();
    let questions = questions(&app);
    let mut session = app.connect();
    for user in [MAYA, DANIEL, RUTH, TOMASZ] {
        for (number, question) in questions.iter().enumerate() {
            let all = brute_force::search(&app, question, id(user));
            for count in [1, 2, 3, 5, 10, 25, all.len() - 1, all.len(), all.len() + 1, 1000] {
                let found = rag_search(&mut session, question, Some(id(user)), count as i32);
                assert_first(&format!("{user}, question {number}, {count} rows"), &found, &all, count);
            }
        }
    }
    assert!(brute_force::search(&app, &questions[0], id(MAYA)).len() > 50, "there is something to rank");
}

#[test]
fn a_stranger_and_a_tenant_without_rows_find_nothing() {
    let app = aurum::embedded();
    let mut session = app.connect();
    assert_eq!(rag_search(&mut session, &questions(&app)[0], Some(Uuid::nil()), 10), []);
}

#[test]
fn rows_that_are_equally_near_stand_in_the_order_of_type_and_key() {
    let database = aurum::embedded();
    let question = &questions(&database)[0];
    let values = pgvector(question);
    let mut session = database.session();
    for (table, column) in [("tasks", "description_embedding"), ("journal_entries", "content_embedding")] {
        let sql = format!(
            "update {table} set {column} = $1, embedding_model = 'all-MiniLM-L6-v2'
             where id in (select id from {table} where user_id = $2 order by md5(id::text) limit 6)"
        );
        assert_eq!(session.execute(&sql, &[&values, &id(MAYA)]).expect("written"), 6);
    }
    drop(session);
    let all = brute_force::search(&database, question, id(MAYA));
    let tied = all.iter().filter(|hit| hit.similarity > 1.0 - 1e-9).count();
    assert!(tied >= 12, "{tied} ties");
    let mut session = database.connect();
    for count in [1, 4, 7, 11, 12, 20] {
        let found = rag_search(&mut session, question, Some(id(MAYA)), count);
        assert_first("ties", &found, &all, count as usize);
        let keys = |hits: &[Hit]| {
            hits.iter().take(tied).map(|hit| (hit.entity_type.clone(), hit.id)).collect::<Vec<_>>()
        };
        let wanted = keys(&all).into_iter().take(count as usize).collect::<Vec<_>>();
        assert_eq!(keys(&found), wanted, "{count} rows");
    }
}

#[test]
fn ten_calls_in_one_session_answer_the_same() {
    let app = aurum::embedded();
    let questions = questions(&app);
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        for user in [None, Some(DANIEL)] {
            let mut session = app.connect();
            session.batch_execute(&format!("set plan_cache_mode = {mode}")).expect("set");
            if let Some(user) = user {
                sign_in(&mut session, user);
            }
            let all = brute_force::search(&app, &questions[1], id(DANIEL));
            let first = rag_search(&mut session, &questions[1], Some(id(DANIEL)), 10);
            assert_first(mode, &first, &all, 10);
            for call in 2..=10 {
                let again = rag_search(&mut session, &questions[1], Some(id(DANIEL)), 10);
                assert_eq!(first, again, "call {call}, {mode}, as {user:?}");
            }
        }
    }
}

#[test]
fn a_signed_in_user_finds_their_own_rows_named_or_not() {
    let app = aurum::embedded();
    let questions = questions(&app);
    for user in [MAYA, DANIEL, RUTH, TOMASZ] {
        let mut session = app.connect();
        let mut transaction = session.transaction().expect("a transaction");
        let claims =
            format!("set local role authenticated; set local request.jwt.claims = '{{\"sub\":\"{user}\"}}'");
        transaction.batch_execute(&claims).expect("signed in");
        for question in &questions {
            let all = brute_force::search(&app, question, id(user));
            for count in [1, 10, all.len(), all.len() + 5] {
                for filter in [None, Some(id(user))] {
                    let found = rag_search(&mut transaction, question, filter, count as i32);
                    assert_first(&format!("{user} signed in, filter {filter:?}"), &found, &all, count);
                }
            }
        }
    }
}

#[test]
fn a_foreign_tenant_is_refused_and_so_is_a_caller_whom_nobody_names() {
    let app = aurum::embedded();
    let question = pgvector(&questions(&app)[0]);
    let sql = "select * from rag_search($1, $2)";
    let mut session = app.connect();
    sign_in(&mut session, MAYA);
    let (sqlstate, message) = refusal(session.query(sql, &[&question, &id(DANIEL)]), sql);
    assert_eq!((sqlstate.as_str(), message.contains(DANIEL)), ("42501", true), "{message}");
    session.batch_execute("reset request.jwt.claims").expect("reset");
    let (sqlstate, _) = refusal(session.query(sql, &[&question, &None::<Uuid>]), sql);
    assert_eq!(sqlstate, "22004");
    let (sqlstate, _) = refusal(session.query(sql, &[&question, &id(MAYA)]), sql);
    assert_eq!(sqlstate, "42501", "a tenant is no name of a caller");

    for role in ["anon", "public"] {
        let allowed: bool = app.value(&format!(
            "select has_function_privilege('{role}', 'public.rag_search'::regproc, 'execute')
                 or has_function_privilege('{role}', 'strata.rag_search'::regproc, 'execute')
                 or has_function_privilege('{role}', 'strata.find_similar_content'::regproc, 'execute')
                 or has_function_privilege('{role}', 'strata.search'::regproc, 'execute')
                 or has_function_privilege('{role}', 'strata.search_explain'::regproc, 'execute')"
        ));
        assert!(!allowed, "{role}");
    }
}

#[test]
fn the_service_role_searches_for_whom_it_names() {
    let app = aurum::embedded();
    let question = &questions(&app)[2];
    let mut session = app.connect();
    session.batch_execute("set role service_role").expect("a role that bypasses row level security");
    let all = brute_force::search(&app, question, id(RUTH));
    assert_first("service_role", &rag_search(&mut session, question, Some(id(RUTH)), 10), &all, 10);
    let sql = "select * from rag_search($1, null)";
    assert_eq!(refusal(session.query(sql, &[&pgvector(question)]), sql).0, "22004");
}

#[test]
fn a_limit_on_days_leaves_out_what_is_older() {
    let app = aurum::embedded();
    let question = &questions(&app)[0];
    let mut session = app.connect();
    for days in [1, 7, 30, 100_000] {
        let sql = "select entity_type, entity_id, similarity from rag_search($1, $2, 1000, $3)";
        let found = session.query(sql, &[&pgvector(question), &id(MAYA), &days]).expect(sql);
        let young = format!(
            "select id from journal_entries where created_at >= now() - make_interval(days => {days})
             union all select id from tasks where created_at >= now() - make_interval(days => {days})
             union all select id from insights where created_at >= now() - make_interval(days => {days})"
        );
        let young: Vec<Uuid> = app.column(&young);
        let mut all = brute_force::search(&app, question, id(MAYA));
        all.retain(|hit| young.contains(&hit.id));
        let found: Vec<Hit> = found
            .iter()
            .map(|row| Hit { entity_type: row.get(0), id: row.get(1), similarity: row.get(2) })
            .collect();
        assert_first(&format!("{days} days"), &found, &all, 1000);
    }
}

#[test]
fn an_argument_that_cannot_be_is_refused_by_name() {
    let app = aurum::embedded();
    let ok = format!("array_fill(0.5, array[384])::vector, '{MAYA}'");
    let cases = [
        (
            format!("array_fill(0.5, array[383])::vector, '{MAYA}'"),
            "22000",
            "expected 384 dimensions, not 383",
        ),
        (format!("array_fill(0, array[384])::vector, '{MAYA}'"), "22000", "query_embedding has no direction"),
        (format!("null, '{MAYA}'"), "22004", "query_embedding must not be null"),
        (format!("{ok}, 0"), "22023", "match_count must be between 1 and 1000, not 0"),
        (format!("{ok}, 1001"), "22023", "match_count must be between 1 and 1000, not 1001"),
        (format!("{ok}, null"), "22023", "match_count must be between 1 and 1000, not null"),
        (format!("{ok}, 10, -1"), "22023", "date_range_days must not be negative, not -1"),
    ];
    for (arguments, sqlstate, message) in cases {
        let refused = app.refusal(&format!("select * from rag_search({arguments})"));
        assert_eq!(refused, (sqlstate.to_owned(), message.to_owned()), "{arguments}");
    }
}

#[test]
fn its_signature_and_columns_are_those_of_the_document() {
    let app = aurum::embedded();
    let signature: String = app.value("select pg_get_function_arguments('public.rag_search'::regproc)");
    assert!(
        signature.starts_with(
            "query_embedding vector, user_id_filter uuid, match_count integer DEFAULT 10, date_range_days integer DEFAULT NULL::integer, entity_types"
        ),
        "{signature}"
    );
    let columns = "TABLE(entity_type text, entity_id uuid, title text, content text, similarity double precision, created_at timestamp with time zone, metadata jsonb)";
    for function in ["public.rag_search", "strata.rag_search"] {
        assert_eq!(
            app.value::<String>(&format!("select pg_get_function_result('{function}'::regproc)")),
            columns
        );
    }
    let named = format!(
        "select count(*) from rag_search(date_range_days => null, match_count => 3, user_id_filter => '{MAYA}',
         query_embedding => (select content_embedding from journal_entries where user_id = '{MAYA}' limit 1))"
    );
    assert_eq!(app.value::<i64>(&named), 3);
    let more =
        "entity_types => '{task}', minimum_similarity => -1, metadata_filter => '{}', diversity => 0.2,
                source_weights => '{\"task\": 2}', query_text => ' ', text_weight => 0.3, query_embedding";
    assert_eq!(
        app.value::<i64>(&named.replace("query_embedding", more)),
        3,
        "and every further argument by name"
    );
}

#[test]
fn the_roles_of_the_application_may_call_what_stands_beside_it() {
    let app = aurum::embedded();
    let entry: Uuid =
        app.value(&format!("select id from journal_entries where user_id = '{MAYA}' order by id limit 1"));
    let question = pgvector(&questions(&app)[0]);
    let mut session = app.connect();
    sign_in(&mut session, MAYA);
    let similar = "select * from strata.find_similar_content('journal_entry', $1, -1, 4)";
    assert_eq!(session.query(similar, &[&entry]).expect("allowed").len(), 4);
    let told =
        session.query("select way from strata.search_explain($1, null)", &[&question]).expect("allowed");
    assert!(told.iter().any(|row| row.get::<_, String>(0) == "exact"));
}

#[test]
fn a_policy_that_names_a_function_without_its_schema_decides_as_it_does_elsewhere() {
    let app = aurum::embedded();
    app.run(
        "create schema app; grant usage on schema app to authenticated;
         create function app.is_mine(uuid) returns boolean language sql stable as 'select $1 = auth.uid()';
         set search_path = public, app;
         create function public.is_open(owner uuid) returns boolean language plpgsql stable as 'begin return is_mine(owner); end';
         drop policy if exists own on tasks; create policy loose on tasks as restrictive for select to authenticated using (is_open(user_id))",
    );
    let question = pgvector(&questions(&app)[0]);
    let mut session = app.connect();
    sign_in(&mut session, MAYA);
    session.batch_execute("set search_path = public, app").expect("a path");
    let rows = |session: &mut Client, function: &str| -> Vec<Uuid> {
        let sql = format!("select entity_id from {function}($1, null, 1000)");
        session.query(&sql, &[&question]).expect("no error").iter().map(|row| row.get(0)).collect()
    };
    let (theirs, ours) = (rows(&mut session, "public.rag_search"), rows(&mut session, "strata.rag_search"));
    assert!(!theirs.is_empty());
    assert_eq!(theirs, ours);
    session.batch_execute("set search_path = public").expect("a path");
    let search = "select entity_id from public.rag_search($1, null, 1000)";
    assert_eq!(refusal(session.query(search, &[&question]), search).0, "42883", "the caller's path decides");
}

#[test]
fn a_hit_carries_title_content_date_and_metadata_of_its_row() {
    let app = aurum::embedded();
    let wrong: i64 = app.value(&format!(
        "select count(*) from rag_search((select content_embedding from journal_entries where user_id = '{MAYA}' limit 1), '{MAYA}', 1000) r
         left join journal_entries j on r.entity_type = 'journal_entry' and j.id = r.entity_id
         left join tasks t on r.entity_type = 'task' and t.id = r.entity_id
         where (r.title, r.content, r.created_at, r.metadata) is distinct from
             (case when j.id is null then t.name else j.title end, nullif(case when j.id is null then t.description else j.content end, ''),
              coalesce(j.created_at, t.created_at),
              case when j.id is null
                   then jsonb_build_object('status', t.status, 'priority', t.priority, 'due_date', t.due_date, 'project_id', t.project_id)
                   else jsonb_build_object('mood', j.mood, 'template_type', j.template_type) end)"
    ));
    assert_eq!(wrong, 0);
}

#[test]
fn a_deleted_entry_is_not_found_until_it_is_brought_back() {
    let database = aurum::embedded();
    let question = &questions(&database)[0];
    let mut session = database.connect();
    let mut entries = || {
        let mut hits = rag_search(&mut session, question, Some(id(RUTH)), 1000);
        hits.retain(|hit| hit.entity_type == "journal_entry");
        hits.len() as i64
    };
    let there = format!("from journal_entries where user_id = '{RUTH}' and content_embedding is not null");
    let all: i64 = database.value(&format!("select count(*) {there}"));
    let visible: i64 = database.value(&format!("select count(*) {there} and not archived"));
    assert_eq!(entries(), visible);
    database.run(&format!("update journal_entries set deleted = true where user_id = '{RUTH}'"));
    assert_eq!(entries(), 0);
    database.run(&format!("update journal_entries set archived = false where user_id = '{RUTH}'"));
    assert_eq!(entries(), all);
}

#[test]
fn searching_writes_nothing() {
    let app = aurum::embedded();
    let columns = data::columns(&app);
    let before = data::hashes(&app, &columns);
    let mut session = app.connect();
    let mut transaction =
        session.build_transaction().read_only(true).start().expect("a read-only transaction");
    rag_search(&mut transaction, &questions(&app)[0], Some(id(MAYA)), 10);
    assert_eq!(before, data::hashes(&app, &columns));
}
