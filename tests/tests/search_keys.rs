//! Sources whose keys are no uuids and whose vectors lie in a store: found like others, for tenants of every size, and alive
//! for as long as their rows, through the queue, a change of model and a walk over what is embedded already.

use postgres::Client;
use strata_tests::{Database, aurum};

const ANN: &str = "a0000000-0000-4000-8000-000000000001";
const BOB: &str = "b0000000-0000-4000-8000-000000000002";
const QUESTION: &str = "[1,2,3,4,5,6,7,8]";

/// Types of keys, and the key of row `g`.
const KEYS: [(&str, &str); 4] = [
    ("bigint", "g::bigint * 1000000007"),
    ("int", "-g"),
    ("text", "'doc/' || g"),
    ("varchar(60)", "'O''Brien \\ ' || md5(g::text)"),
];

/// Both spellings of a policy.
const POLICIES: [&str; 2] = ["user_id = auth.uid()", "user_id = (select auth.uid())"];

/// Documents with such keys, and notes with uuids, in one store.
fn library(key: &str) -> Database {
    let database = Database::empty();
    aurum::load(&database, &["supabase"]);
    database.run("create extension strata cascade; select strata.add_model('mini', 'local', 8)");
    table(&database, "doc", &format!("id {key} primary key"));
    table(&database, "note", "id uuid primary key default gen_random_uuid()");
    database
}

fn table(database: &Database, name: &str, key: &str) {
    database.run(&format!(
        "create table {name} ({key}, user_id uuid not null, title text, archived boolean, embedded_at timestamptz,
             created_at timestamptz not null default now());
         create index on {name} (user_id); alter table {name} enable row level security;
         create policy own on {name} to authenticated using ({});
         grant select, insert, update, delete on {name} to authenticated, service_role;
         select strata.add_source('{name}', '{name}', 'id', 'user_id', 'title', '{{}}', null, 'mini',
             embedded_at_column => 'embedded_at', hidden_column => 'archived', store => 'halfvec')",
        POLICIES[1]
    ));
}

/// Documents of a tenant, numbered from `first`, embedded through the queue, as a worker does it.
fn fill(database: &Database, id: &str, tenant: &str, first: i32, rows: i32) {
    database.run(&format!(
        "insert into doc (id, user_id, title) select {id}, '{tenant}', 'doc ' || g from generate_series({first}, {first} + {rows} - 1) g"
    ));
    embed(database);
}

/// The vector of a text follows from its hash and from the model.
fn embed(database: &Database) {
    for model in database.column::<String>("select distinct model from strata.job") {
        database.run(&format!(
            "with c as (select * from strata.claim_jobs('w', 10000, models => array['{model}'])),
                  v as (select c.*, (select array_agg(get_byte(sha256(c.content_hash || convert_to('{model}', 'UTF8')), i) - 127.5)
                                     from generate_series(0, 7) i)::real[]::vector as vector from c)
             select strata.complete_jobs(array_agg(entity_type), array_agg(entity_id), array_agg(fence),
                                         array_agg(content_hash), array_agg(vector), '{model}')
             from v having count(*) > 0"
        ));
    }
}

fn kept(database: &Database) -> i64 {
    database.value("select count(*) from strata_vectors.mini where entity_type = 'doc'")
}

/// What is found, as "type key".
fn found(session: &mut Client, tenant: Option<&str>, count: i32, further: &str) -> Vec<String> {
    let sql = format!(
        "select entity_type || ' ' || entity_id from strata.search('{QUESTION}', $1::text, $2{further})"
    );
    session.query(&sql, &[&tenant, &count]).expect("an answer").iter().map(|row| row.get(0)).collect()
}

/// What there is to find where a document weighs so much, from the tables and the vectors themselves.
fn truth(database: &Database, tenant: &str, weight: f64) -> Vec<String> {
    database.column(&format!(
        "select v.entity_type || ' ' || coalesce(d.id::text, n.id::text) from strata_vectors.mini v
         left join doc d on v.entity_type = 'doc' and d.id::text = v.entity_key
         left join note n on v.entity_type = 'note' and n.id = v.entity_id
         where coalesce(d.user_id, n.user_id) = '{tenant}' and coalesce(d.archived, n.archived) is not true
         order by case v.entity_type when 'doc' then {weight} else 1 end * ((v.embedding::vector <=> '{QUESTION}'::vector) - 2),
                  v.entity_type, v.entity_id"
    ))
}

fn sign_in(database: &Database, role: &str, tenant: &str) -> Client {
    let mut session = database.connect();
    let claims = format!("set role {role}; set request.jwt.claims = '{{\"sub\": \"{tenant}\"}}'");
    session.batch_execute(&claims).expect("signed in");
    session
}

fn tenant(number: usize) -> String {
    format!("c0000000-0000-4000-8000-00000000000{number}")
}

/// Sums are added in another order than pgvector's: two rows that are equally near but for the seventh digit may change places.
fn in_order(answer: &[String], truth: &[String]) -> bool {
    let about = |n: usize| &truth[n.saturating_sub(1)..truth.len().min(n + 2)];
    answer.iter().enumerate().all(|(n, row)| about(n).contains(row))
}

#[test]
fn tenants_of_every_size_find_the_nearest_under_both_spellings() {
    for (key, id) in KEYS {
        let database = library(key);
        let mut first = 1;
        for (number, rows) in [0, 1, 10, 800].into_iter().enumerate() {
            fill(&database, id, &tenant(number), first, rows);
            first += rows;
        }
        database.run(&format!(
            "insert into note (user_id, title) select '{}', 'note ' || g from generate_series(1, 5) g",
            tenant(3)
        ));
        embed(&database);
        // More of the nearest are hidden than are looked at first.
        database.run(&format!(
            "update doc set archived = true where user_id = '{}' and id::text in (
            select entity_id from strata.search('{QUESTION}', '{}', 60, entity_types => array['doc']))",
            tenant(3),
            tenant(3)
        ));
        for policy in POLICIES {
            database.run(&format!(
                "drop policy own on doc; create policy own on doc to authenticated using ({policy})"
            ));
            for (role, named) in [("authenticated", false), ("service_role", true)] {
                for number in 0..4 {
                    let (tenant, mut session) = (tenant(number), sign_in(&database, role, &tenant(number)));
                    for (weight, further) in [
                        (1.0, ""),
                        (1.0, ", minimum_similarity => -1"),
                        (1.5, ", source_weights => '{\"doc\": 1.5}'"),
                        (0.9, ", source_weights => '{\"doc\": 0.9}'"),
                    ] {
                        let truth = truth(&database, &tenant, weight);
                        for count in [1, 10, 1000] {
                            let whose = named.then_some(tenant.as_str());
                            let answer = found(&mut session, whose, count, further);
                            let what = format!("{key}, {policy}, {role}, {number}, {count}{further}");
                            assert_eq!(answer.len(), truth.len().min(count as usize), "{what}");
                            assert!(in_order(&answer, &truth), "{what}: {answer:?} {truth:?}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_vector_lives_and_dies_with_its_row() {
    for (key, id) in KEYS {
        let database = library(key);
        fill(&database, id, ANN, 1, 6);
        let of = |g: i32| format!("(select {id} from (select {g} as g) k)");
        assert_eq!(kept(&database), 6, "{key}");
        assert_eq!(database.value::<i64>("select missing from strata.count_missing('doc')"), 0);
        database.run(&format!("delete from doc where id = {}", of(1)));
        assert_eq!(kept(&database), 5);
        let mut session = sign_in(&database, "authenticated", ANN);
        session.batch_execute(&format!("delete from doc where id = {}", of(2))).expect("their own row");
        assert_eq!(kept(&database), 4);
        database.run(&format!("update doc set user_id = '{BOB}' where id = {}", of(3)));
        assert_eq!(found(&mut database.connect(), Some(BOB), 10, "").len(), 1);
        assert_eq!(found(&mut session, None, 10, "").len(), 3);
        database.run(&format!("update doc set id = {} where id = {}", of(40), of(4)));
        assert_eq!(
            found(&mut session, None, 10, ""),
            truth(&database, ANN, 1.0),
            "{key}: under its new key, before it is embedded again"
        );
        assert!(
            found(&mut session, None, 10, "")
                .contains(&database.value(&format!("select 'doc ' || {}", of(40))))
        );
        embed(&database);
        assert_eq!(found(&mut session, None, 10, "").len(), 3);
        database.run(&format!("update doc set title = '' where id = {}", of(5)));
        embed(&database);
        assert_eq!(found(&mut session, None, 10, "").len(), 2);
        assert_eq!(database.value::<i64>("select count(*) from strata.job"), 0, "{key}");
        database.run("truncate doc");
        assert_eq!((kept(&database), found(&mut session, None, 10, "").len()), (0, 0));
        database.run("select strata.drop_source('doc'), strata.drop_source('note')");
        assert!(database.value::<bool>("select to_regclass('strata_vectors.mini') is null"));
    }
}

#[test]
fn rows_that_were_there_before_are_queued_page_by_page_in_the_order_of_their_keys() {
    for (key, id) in KEYS {
        let database = library(key);
        database.run("select strata.drop_source('doc')");
        database.run(&format!("insert into doc (id, user_id, title) select {id}, '{ANN}', 'doc ' || g from generate_series(1, 25) g;
            select strata.add_source('doc', 'doc', 'id', 'user_id', 'title', '{{}}', null, 'mini', embedded_at_column => 'embedded_at', store => 'halfvec')"));
        for walk in ["enqueue_missing", "enqueue_again"] {
            let (mut after, mut enqueued): (Option<String>, i32) = (None, 0);
            loop {
                let sql = format!("select enqueued, last from strata.{walk}('doc', $1, 10)");
                let page = database.connect().query_one(&sql, &[&after]).expect("a page");
                enqueued += page.get::<_, i32>(0);
                after = page.get(1);
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(enqueued, 25, "{key}, {walk}");
            let waiting = "select missing = unqueued + 25 or missing = 0 from strata.count_missing('doc')";
            assert!(database.value::<bool>(waiting), "{key}, {walk}");
            let named = "select count(*) from strata.job j join doc d on d.id::text = j.entity_key and j.entity_id = strata.row_id(d.id::text)";
            assert_eq!(database.value::<i64>(named), 25, "{key}");
            embed(&database);
            assert_eq!(kept(&database), 25, "{key}, {walk}");
        }
    }
}

#[test]
fn a_row_that_changed_after_it_was_claimed_keeps_its_job() {
    for (key, id) in KEYS {
        let database = library(key);
        database.run(&format!("insert into doc (id, user_id, title) select {id}, '{ANN}', 'doc ' || g from generate_series(1, 3) g"));
        let mut worker = database.connect();
        worker
            .batch_execute("create temporary table c as select * from strata.claim_jobs('w')")
            .expect("a claim");
        database.run(
            "update doc set title = 'other' where title = 'doc 1'; delete from doc where title = 'doc 2'",
        );
        let done = worker
            .query_one(
                "select stored, stale from strata.complete_jobs(
                     (select array_agg(entity_type) from c), (select array_agg(entity_id) from c), (select array_agg(fence) from c),
                     (select array_agg(content_hash) from c), (select array_agg('[1,1,1,1,1,1,1,1]'::vector) from c))",
                &[],
            )
            .expect("an end");
        assert_eq!((done.get::<_, i32>(0), done.get::<_, i32>(1)), (1, 2), "{key}");
        assert_eq!(
            database.value::<i64>("select count(*) from strata.job"),
            1,
            "{key}: that of the changed row"
        );
        embed(&database);
        assert_eq!(
            (kept(&database), database.value::<i64>("select count(*) from strata.job")),
            (2, 0),
            "{key}"
        );
    }
}

#[test]
fn a_change_of_model_takes_such_sources_along_and_back() {
    for (key, id) in KEYS {
        let database = library(key);
        fill(&database, id, ANN, 1, 30);
        let before = found(&mut database.connect(), Some(ANN), 100, "");
        database.run(
            "select strata.add_model('next', 'local', 8); select strata.start_model_change('mini', 'next')",
        );
        for _ in 0..20 {
            if database.value::<bool>("select done from strata.continue_model_change('next', 7)") {
                break;
            }
        }
        fill(&database, id, ANN, 31, 2);
        database.run(&format!("delete from doc where id = (select {id} from (select 32 as g) k)"));
        let filled = "select count(*) || ' ' || count(distinct v.entity_key) from strata_vectors.next v";
        assert_eq!(database.value::<String>(filled), "31 31", "{key}");
        database.run("select strata.switch_model('next')");
        let mut session = sign_in(&database, "authenticated", ANN);
        let after = found(&mut session, None, 100, "");
        assert_eq!(after.len(), 31, "{key}");
        assert_ne!(after[..30], before[..], "{key}: another model, another order");
        database.run("select strata.revert_model('next')");
        assert_eq!(found(&mut session, None, 100, "").len(), 31, "{key}");
        database.run("select strata.switch_model('next'); select strata.end_model_change('next')");
        assert_eq!(found(&mut session, None, 100, ""), after, "{key}");
        assert!(database.value::<bool>("select to_regclass('strata_vectors.mini') is null"));
    }
}

#[test]
fn whatever_is_asked_of_uuids_may_be_asked_of_other_keys() {
    for (key, id) in KEYS {
        let database = library(key);
        fill(&database, id, ANN, 1, 40);
        fill(&database, id, BOB, 41, 5);
        database.run("select strata.set_text_search('doc', 'simple'), strata.set_chunking('doc', 100)");
        for further in [
            "",
            ", diversity => 0.5",
            ", source_weights => '{\"doc\": 2}'",
            ", minimum_similarity => -1",
            ", date_range_days => 3",
            ", entity_types => array['doc']",
            ", metadata_filter => '{}'",
            ", query_text => 'doc 7'",
            ", query_text => 'doc 7', diversity => 0.3",
        ] {
            for (role, named) in [("authenticated", None), ("service_role", Some(ANN))] {
                let mut session = sign_in(&database, role, ANN);
                let mut answer = found(&mut session, named, 12, further);
                answer.sort();
                answer.dedup();
                assert_eq!(answer.len(), 12, "{key}, {role}{further}");
            }
        }
        let first =
            found(&mut database.connect(), Some(ANN), 12, ", query_text => 'doc 7', text_weight => 1")[0]
                .clone();
        assert_eq!(
            first,
            database.value::<String>(&format!("select 'doc ' || {id} from (select 7 as g) k")),
            "{key}"
        );
        let mut session = sign_in(&database, "authenticated", ANN);
        let alike = format!("select count(*), bool_and(entity_id <> k.own) from (select ({id})::text as own from (select 3 as g) k) k,
                             lateral strata.find_similar('doc', k.own, -1, 20) group by k.own");
        let row = session.query_one(&alike, &[]).expect("rows like one");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (20, true), "{key}");
    }
}

#[test]
fn nobody_reads_the_vectors_of_others_whatever_the_keys_are() {
    let database = library("bigint");
    fill(&database, "g", ANN, 1, 3);
    fill(&database, "g", BOB, 4, 2);
    let sql = "select count(*), count(distinct entity_key) from strata_vectors.mini";
    for (role, who, rows) in [("authenticated", ANN, 3), ("authenticated", BOB, 2), ("service_role", ANN, 5)]
    {
        let row = sign_in(&database, role, who).query_one(sql, &[]).expect("a count");
        assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (rows, rows), "{role}");
    }
    let mut session = sign_in(&database, "authenticated", ANN);
    let refused = session
        .query(&format!("select * from strata.search('{QUESTION}', '{BOB}')"), &[])
        .expect_err("another tenant");
    assert_eq!(refused.code().map(|code| code.code()), Some("42501"));
}

#[test]
fn what_does_not_fit_is_refused_and_named() {
    let database = library("bigint");
    fill(&database, "g", ANN, 1, 3);
    let refused = |sql: &str| database.refusal(sql);
    assert_eq!(refused("select strata.enqueue_missing('doc', 'x')").0, "22P02");
    assert_eq!(
        refused("select strata.find_similar('doc', 'x')"),
        ("22P02".to_owned(), "input_entity_id \"x\" is no bigint".to_owned())
    );
    assert_eq!(refused("select strata.find_similar('doc', '77')").0, "42704");
    assert_eq!(refused("select strata.find_similar_content('doc', gen_random_uuid())").0, "55000");
    assert_eq!(
        refused(&format!("select strata.rag_search('{QUESTION}', '{ANN}', entity_types => array['doc'])")).0,
        "55000"
    );
    let search = format!("select strata.search('{QUESTION}', '{ANN}')");
    // What rows are called follows from what their keys were.
    database.run("drop policy own on doc; drop trigger strata_follow_update_doc on doc; alter table doc alter id type text");
    assert_eq!(refused(&search).0, "42804");
    database.run("alter table doc alter id type int using id::int");
    assert_eq!(found(&mut database.connect(), Some(ANN), 10, "").len(), 3, "another width, the same keys");
    database.run("alter table strata_vectors.mini drop embedding");
    assert_eq!(refused(&search).0, "42703");
}

/// What `explain` says: "type way scanned/found reason".
fn told(session: &mut Client, arguments: &str) -> Vec<String> {
    let sql = format!(
        "select concat_ws(' ', entity_type, way, rows_scanned || '/' || rows_found, reason)
         from strata.explain('{QUESTION}', {arguments}) where entity_type <> 'note' order by 1"
    );
    session.query(&sql, &[]).expect("an explanation").iter().map(|row| row.get(0)).collect()
}

#[test]
fn explain_tells_the_way_that_is_taken_and_why() {
    for (key, id) in KEYS {
        let database = library(key);
        fill(&database, id, ANN, 1, 80);
        fill(&database, id, BOB, 81, 5);
        let all = "every vector of the tenant in strata_vectors.mini is";
        for (role, whose) in [("authenticated", "null".to_owned()), ("service_role", format!("'{ANN}'"))] {
            let mut session = sign_in(&database, role, ANN);
            let mut explained = |further: &str| told(&mut session, &format!("{whose}, 12{further}"));
            for further in ["", ", source_weights => '{\"doc\": 2}'", ", metadata_filter => '{}'"] {
                let ranked = format!("doc exact 80/12 {all} ranked as it is read");
                assert_eq!(explained(further), [ranked], "{key}, {role}{further}");
            }
            let diverse =
                format!("doc exact 80/12 {all} compared by a statement: the answer is to be diverse");
            assert_eq!(explained(", diversity => 0.5"), [diverse], "{key}, {role}");
            assert_eq!(
                explained(", entity_types => array['note']"),
                ["doc left out it is not in entity_types"]
            );
            let gone = format!(
                "{all} ranked as it is read; the nearest were not enough, so all of them were looked up"
            );
            database.run(&format!("update doc set archived = id::text in (
                select entity_id from strata.search('{QUESTION}', '{ANN}', 60, entity_types => array['doc']))"));
            assert_eq!(explained(""), [format!("doc exact 80/12 {gone}")], "{key}, {role}");
            database.run("update doc set archived = false; select strata.set_text_search('doc', 'simple')");
            let by_words = explained(", query_text => 'doc 7'");
            assert_eq!(
                by_words[0],
                format!("doc exact 80/12 {all} compared by a statement: words are looked for as well")
            );
            assert!(by_words[1].starts_with("doc words 80/80 "), "{key}, {role}: {}", by_words[1]);
            database.run("select strata.set_text_search('doc', null)");
        }
        database.run("create table post (id bigint primary key, user_id bigint not null, title text, v vector(8), created_at timestamptz not null default now());
            create table page (id text primary key, user_id uuid not null, title text, v vector(8), created_at timestamptz not null default now());
            select strata.add_source('post', 'post', 'id', 'user_id', 'title', '{}', 'v', 'mini');
            select strata.add_source('page', 'page', 'id', 'user_id', 'title', '{}', 'v', 'mini')");
        let told = told(&mut database.connect(), &format!("'{ANN}', 3"));
        assert_eq!(
            told[0],
            format!(
                "doc exact 80/3 {all} compared by a statement: those of source \"page\" are not in a store"
            )
        );
        assert!(
            told[1].starts_with(
                "page exact 0/0 every row of the tenant is compared; no index begins with user_id"
            ),
            "{}",
            told[1]
        );
        assert_eq!(told[2], format!("post left out user_id_filter \"{ANN}\" is no bigint"));
        let by_uuid = "select reason from strata.search_explain($1::text::vector, $2::text::uuid) where entity_type = 'doc'";
        let row = database.connect().query_one(by_uuid, &[&QUESTION, &ANN]);
        let reason: String = row.expect("a reason").get(0);
        assert_eq!(reason, "its keys or tenants are no uuids: call strata.search");
    }
}

#[test]
fn an_explanation_is_refused_what_a_search_is_refused() {
    let database = library("text");
    fill(&database, "'doc/' || g", ANN, 1, 3);
    for (arguments, state) in [
        ("'[1,2]', 'x'", "22P02"),
        (&format!("'[1,2]', '{ANN}'"), "22000"),
        (&format!("'{QUESTION}', null"), "22004"),
        (&format!("'{QUESTION}', '{ANN}', 0"), "22023"),
        (&format!("'{QUESTION}', '{ANN}', entity_types => array['x']"), "42704"),
        (&format!("'{QUESTION}', '{ANN}', source_weights => '[]'"), "22023"),
        (&format!("'{QUESTION}', '{ANN}', organisation_filter => 'x'"), "55000"),
    ] {
        assert_eq!(
            database.refusal(&format!("select * from strata.explain({arguments})")).0,
            state,
            "{arguments}"
        );
    }
    let mut session = sign_in(&database, "authenticated", ANN);
    let of_another = session.query(&format!("select * from strata.explain('{QUESTION}', '{BOB}')"), &[]);
    assert_eq!(of_another.expect_err("another tenant").code().map(|code| code.code()), Some("42501"));
    session.batch_execute("set role anon").expect("a role");
    let refused = session.query(&format!("select * from strata.explain('{QUESTION}', '{ANN}')"), &[]);
    assert_eq!(refused.expect_err("nobody's").code().map(|code| code.code()), Some("42501"));
}
