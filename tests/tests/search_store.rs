//! Sources without a vector column: their vectors lie in a narrow table of ours, live and die with their rows, and nobody
//! finds a row, or reads a vector, that the source would not show.

use postgres::{Client, GenericClient};
use strata_tests::database::unique;
use strata_tests::dump::{pg_dump, pg_restore};
use strata_tests::{Database, aurum};
use uuid::Uuid;

#[path = "search_store/own_index.rs"]
mod own_index;

const ANN: &str = "a0000000-0000-4000-8000-000000000001";
const BOB: &str = "b0000000-0000-4000-8000-000000000002";

/// The registered tables.
const TABLES: [&str; 2] = ["note", "task"];

/// A column for a vector, and where `add_source` is to keep it.
fn library(store: &str) -> Database {
    let database = Database::empty();
    aurum::load(&database, &["supabase"]);
    database.run("create extension strata cascade; select strata.add_model('mini', 'local', 8)");
    for table in TABLES {
        table_of(&database, table, "");
        register(&database, table, store);
    }
    database
}

fn table_of(database: &Database, table: &str, partitioned: &str) {
    database.run(&format!(
        "create table {table} (id uuid primary key default gen_random_uuid(), user_id uuid not null, title text, archived boolean,
             embedded_at timestamptz, created_at timestamptz not null default now()) {partitioned};
         create index on {table} (user_id); alter table {table} enable row level security;
         create policy own on {table} to authenticated using (user_id = (select auth.uid()));
         grant select, insert, update, delete on {table} to authenticated, service_role"
    ));
}

fn register(database: &Database, table: &str, store: &str) {
    database.run(&format!(
        "select strata.add_source('{table}', '{table}', 'id', 'user_id', 'title', '{{}}', null, 'mini',
             embedded_at_column => 'embedded_at', hidden_column => 'archived', store => '{store}')"
    ));
}

/// Rows of a tenant, embedded through the queue, as a worker does it.
fn fill(database: &Database, table: &str, tenant: &str, rows: i32) {
    database.run(&format!(
        "insert into {table} (user_id, title) select '{tenant}', '{table} ' || g from generate_series(1, {rows}) g"
    ));
    embed(database);
}

/// The vector of a text follows from its hash.
fn embed(database: &Database) {
    database.run(
        "with c as (select * from strata.claim_jobs('w', 10000)),
              v as (select c.*, (select array_agg(get_byte(c.content_hash, i) - 127.5) from generate_series(0, 7) i)::real[]::vector as vector from c)
         select strata.complete_jobs(array_agg(entity_type), array_agg(entity_id), array_agg(fence), array_agg(content_hash), array_agg(vector))
         from v having count(*) > 0",
    );
}

fn kept(database: &Database) -> i64 {
    database.value("select count(*) from strata_vectors.mini")
}

fn found(session: &mut impl GenericClient, tenant: Option<&str>, count: i32) -> Vec<Uuid> {
    let tenant: Option<Uuid> = tenant.map(|tenant| tenant.parse().expect("a uuid"));
    let sql = "select entity_id from strata.rag_search('[1,2,3,4,5,6,7,8]'::vector, $1, $2)";
    session.query(sql, &[&tenant, &count]).expect("an answer").iter().map(|row| row.get(0)).collect()
}

/// What there is to find, from the vectors themselves.
fn truth(database: &Database, tenant: &str) -> Vec<Uuid> {
    database.column(&format!(
        "select v.entity_id from strata_vectors.mini v
         left join note n on v.entity_type = 'note' and n.id = v.entity_id
         left join task t on v.entity_type = 'task' and t.id = v.entity_id
         where coalesce(n.user_id, t.user_id) = '{tenant}' and coalesce(n.archived, t.archived) is not true
         order by (v.embedding::vector <=> '[1,2,3,4,5,6,7,8]'::vector::halfvec::vector), v.entity_type, v.entity_id"
    ))
}

fn sign_in(database: &Database, role: &str, tenant: &str) -> Client {
    let mut session = database.connect();
    let claims = format!("set role {role}; set request.jwt.claims = '{{\"sub\": \"{tenant}\"}}'");
    session.batch_execute(&claims).expect("signed in");
    session
}

#[test]
fn as_many_rows_as_there_are_and_the_nearest_however_many_are_hidden() {
    for store in ["halfvec", "vector"] {
        let database = library(store);
        for table in TABLES {
            fill(&database, table, ANN, 150);
            fill(&database, table, BOB, 4);
        }
        // The nearest of all are hidden, more than are looked at first.
        database.run(&format!(
            "update note set archived = true where id in (select entity_id from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}', 100));
             update task set archived = true where id in (select entity_id from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}', 100))"
        ));
        for (role, filter) in [("authenticated", false), ("service_role", true)] {
            for tenant in [ANN, BOB] {
                let mut session = sign_in(&database, role, tenant);
                let truth = truth(&database, tenant);
                for count in [1, 5, 10, 100, 1000] {
                    let answer = found(&mut session, filter.then_some(tenant), count);
                    let wanted: Vec<Uuid> = truth.iter().take(count as usize).copied().collect();
                    assert_eq!(answer.len(), wanted.len(), "{store}, {role}, {tenant}, {count}");
                    let among = answer.iter().filter(|id| wanted.contains(id)).count();
                    assert!(among + 1 >= wanted.len(), "{store}, {role}, {tenant}: {among} of {count}");
                }
            }
        }
    }
}

#[test]
fn a_vector_lives_and_dies_with_its_row() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 5);
    fill(&database, "task", ANN, 3);
    assert_eq!(kept(&database), 8);
    assert_eq!(database.value::<i64>("select missing from strata.count_missing('note')"), 0);
    database.run("delete from note where title = 'note 1'");
    assert_eq!(kept(&database), 7);
    let mut session = sign_in(&database, "authenticated", ANN);
    session.batch_execute("delete from note where title = 'note 2'").expect("their own row");
    assert_eq!(kept(&database), 6);
    database.run(&format!("update note set user_id = '{BOB}' where title = 'note 3'"));
    assert_eq!(found(&mut database.connect(), Some(BOB), 10).len(), 1);
    assert_eq!(found(&mut session, None, 10).len(), 5);
    database.run("update note set id = gen_random_uuid() where title = 'note 4'");
    embed(&database);
    assert_eq!(found(&mut session, None, 10).len(), 5);
    database.run("update note set title = '' where title = 'note 5'");
    embed(&database);
    assert_eq!(found(&mut session, None, 10).len(), 4);
    database.run("truncate note");
    assert_eq!(kept(&database), 3);
    database.run("select strata.drop_source('note')");
    assert_eq!(found(&mut session, None, 10).len(), 3);
    database.run("select strata.drop_source('task')");
    assert!(database.value::<bool>("select to_regclass('strata_vectors.mini') is null"));
}

#[test]
fn a_source_is_dropped_under_searches_and_writers_and_none_of_them_is_a_deadlock() {
    let ways = [("strata_vectors.mini", "note"), ("note", "strata_vectors.mini")];
    for (first, then) in ways {
        let database = library("halfvec");
        database.run("select strata.drop_source('task')");
        fill(&database, "note", ANN, 3);
        let mut other = database.connect();
        other.batch_execute(&format!("begin; select from {first}")).expect("as a search and a writer begin");
        std::thread::scope(|scope| {
            let dropped = scope.spawn(|| {
                database
                    .connect()
                    .batch_execute("select strata.drop_source('note')")
                    .map_err(|e| e.to_string())
            });
            database.until("select count(*) > 0 from pg_locks where not granted");
            other.batch_execute(&format!("select from {then}; commit")).expect("they go on");
            assert_eq!(dropped.join().expect("no panic"), Ok(()));
        });
        assert!(database.value::<bool>("select to_regclass('strata_vectors.mini') is null"));
        assert_eq!(database.value::<i64>("select count(*) from note"), 3);
    }
}

#[test]
fn a_database_that_several_workers_restore_is_searched_as_before() {
    let (database, copy) = (library("halfvec"), Database::empty());
    for table in TABLES {
        fill(&database, table, ANN, 20);
    }
    let file = std::env::temp_dir().join(unique("dump"));
    pg_dump(&database, &["-Fc", "-f", &file.to_string_lossy()]);
    pg_restore(&copy, &file);
    std::fs::remove_file(&file).expect("it is there");
    let truth = found(&mut database.connect(), Some(ANN), 40);
    assert_eq!(truth.len(), 40);
    assert_eq!(found(&mut copy.connect(), Some(ANN), 40), truth);
    copy.run("delete from note");
    assert_eq!(kept(&copy), 20, "its triggers are at work");
    copy.run("select strata.drop_source('note')");
    register(&copy, "note", "halfvec");
    fill(&copy, "note", ANN, 3);
    assert_eq!(found(&mut copy.connect(), Some(ANN), 40).len(), 23);
}

#[test]
fn a_row_that_moves_between_partitions_keeps_its_vector() {
    let database = library("halfvec");
    database.run("create table part (id uuid default gen_random_uuid(), user_id uuid not null, title text, archived boolean, embedded_at timestamptz,
        created_at timestamptz not null default now(), half int not null default 0, unique (id, half)) partition by list (half);
        create table part_0 partition of part for values in (0); create table part_1 partition of part for values in (1)");
    let refused = database.refusal(
        "select strata.add_source('part', 'part', 'id', 'user_id', 'title', '{}', null, 'mini', embedded_at_column => 'embedded_at', store => 'halfvec')");
    assert_eq!(
        refused.0, "42P10",
        "a partitioned table has no key that names a row alone, unless it is partitioned by it"
    );
    table_of(&database, "doc", "partition by hash (id)");
    database.run(
        "create table doc_0 partition of doc for values with (modulus 2, remainder 0);
        create table doc_1 partition of doc for values with (modulus 2, remainder 1)",
    );
    register(&database, "doc", "halfvec");
    fill(&database, "doc", ANN, 20);
    assert_eq!(kept(&database), 20);
    database.run("delete from doc_0 where id = (select min(id::text)::uuid from doc_0)");
    assert_eq!(kept(&database), 19);
    database.run("truncate doc");
    assert_eq!(kept(&database), 0);
}

#[test]
fn nobody_reads_the_vectors_of_others() {
    let database = library("halfvec");
    fill(&database, "note", ANN, 3);
    fill(&database, "note", BOB, 2);
    let count = |session: &mut Client| -> i64 {
        session.query_one("select count(*) from strata_vectors.mini", &[]).expect("a count").get(0)
    };
    assert_eq!(count(&mut sign_in(&database, "authenticated", ANN)), 3);
    assert_eq!(count(&mut sign_in(&database, "authenticated", "00000000-0000-0000-0000-000000000000")), 0);
    assert_eq!(count(&mut sign_in(&database, "service_role", ANN)), 5);
    let mut stranger = database.connect();
    stranger.batch_execute("set role anon").expect("a role");
    assert!(stranger.query("select from strata_vectors.mini", &[]).is_err());
    let mut writer = sign_in(&database, "authenticated", ANN);
    assert!(writer.batch_execute("delete from strata_vectors.mini").is_err());
    database.run("alter table note disable row level security");
    assert_eq!(
        count(&mut sign_in(&database, "authenticated", ANN)),
        5,
        "everybody may read all of the notes"
    );
    let of_notes = format!(
        "select count(*) from strata.rag_search('[1,2,3,4,5,6,7,8]', '{BOB}', entity_types => array['note'])"
    );
    let mut session = sign_in(&database, "authenticated", ANN);
    assert_eq!(session.query_one(&of_notes, &[]).expect("an answer").get::<_, i64>(0), 2);
}

#[test]
fn what_cannot_be_kept_is_refused() {
    let database = library("halfvec");
    table_of(&database, "more", "");
    let add = |rest: &str| {
        database.refusal(&format!(
            "select strata.add_source('more', 'more', 'id', 'user_id', 'title', '{{}}', null, 'mini' {rest})"
        ))
    };
    assert_eq!(add("").0, "22004");
    assert_eq!(add(", store => 'halfvec'").0, "22004");
    assert_eq!(add(", embedded_at_column => 'embedded_at', store => 'bit'").0, "22023");
    assert_eq!(add(", embedded_at_column => 'embedded_at', store => 'vector'").0, "55000");
    database.run("drop table strata_vectors.mini");
    let question = format!("select * from strata.rag_search('[1,2,3,4,5,6,7,8]', '{ANN}')");
    assert_eq!(database.refusal(&question).0, "42P01");
}

#[test]
fn whatever_is_asked_of_a_column_may_be_asked_of_a_store() {
    let database = library("halfvec");
    for table in TABLES {
        fill(&database, table, ANN, 40);
    }
    database.run("select strata.set_text_search('note', 'simple')");
    let question = format!("'[1,2,3,4,5,6,7,8]', '{ANN}', 12");
    for further in [
        "diversity => 0.5",
        "source_weights => '{\"note\": 2}'",
        "minimum_similarity => -1",
        "date_range_days => 3",
        "entity_types => array['task']",
        "metadata_filter => '{}'",
        "query_text => 'note 7'",
        "query_text => 'note 7', diversity => 0.3",
    ] {
        let sql = format!("select count(*) from strata.rag_search({question}, {further})");
        for mut session in [sign_in(&database, "authenticated", ANN), sign_in(&database, "service_role", ANN)]
        {
            assert_eq!(session.query_one(&sql, &[]).expect(further).get::<_, i64>(0), 12, "{further}");
        }
    }
    let first = database.value::<String>(&format!(
        "select r.title from strata.rag_search({question}, query_text => 'note 7', text_weight => 1) r limit 1"
    ));
    assert_eq!(first, "note 7");
    let alike =
        "select count(*), bool_and(r.entity_id <> n.id) from (select id from note where title = 'note 3') n,
                 lateral strata.find_similar_content('note', n.id, null, 20) r group by n.id";
    let mut session = sign_in(&database, "authenticated", ANN);
    let row = session.query_one(alike, &[]).expect("rows like one");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, bool>(1)), (20, true));
    let told = format!(
        "select entity_type || ' ' || way || ' ' || rows_scanned || ' ' || rows_found || ' ' || reason
         from strata.search_explain({question}) order by 1"
    );
    let told: Vec<String> =
        session.query(&told, &[]).expect("an explanation").iter().map(|row| row.get(0)).collect();
    assert_eq!(
        told,
        TABLES.map(|t| format!(
            "{t} exact 40 12 every vector of the tenant in strata_vectors.mini is ranked as it is read"
        ))
    );
}

/// Vectors for the parts of what was written: a note has one to five, the first of each tenant three hundred, nearer than all others.
fn embed_parts(database: &Database) {
    database.run(
        "with c as (select c.*, regexp_replace(c.content, '\\D', '', 'g')::int as g from strata.claim_jobs('w', 10000) c),
              p as (select c.*, n, case g when 1 then (select array_agg(i + n * 0.0001 * (i % 3)) from generate_series(1, 8) i)
                                          else (select array_agg(get_byte(sha256(convert_to(c.content || n, 'UTF8')), i) - 127.5)
                                                from generate_series(0, 7) i) end::real[]::vector as vector
                    from c, generate_series(0, case g when 1 then 299 else g % 5 end) n)
         select strata.complete_jobs(array_agg(entity_type), array_agg(entity_id), array_agg(fence), array_agg(content_hash),
                                     array_agg(vector), chunks => array_agg(n)) from p",
    );
}

#[test]
fn a_text_in_parts_is_found_once_by_its_nearest_part_however_many_it_has() {
    for store in ["halfvec", "vector"] {
        let database = library(store);
        database.run("select strata.set_chunking('note', 100)");
        for (tenant, rows) in [(ANN, 120), (BOB, 3)] {
            database.run(&format!("insert into note (user_id, title) select '{tenant}', 'note ' || g from generate_series(1, {rows}) g"));
        }
        embed_parts(&database);
        for (tenant, rows) in [(ANN, 120), (BOB, 3)] {
            let truth: Vec<Uuid> = database.column(&format!(
                "select v.entity_id from strata_vectors.mini v where v.tenant = '{tenant}'
                 group by 1 order by min(v.embedding::vector <=> '[1,2,3,4,5,6,7,8]'::vector), 1"
            ));
            assert_eq!(truth.len(), rows, "{store}");
            let mut session = sign_in(&database, "authenticated", tenant);
            for count in [1, 2, 10, 100, 1000] {
                let answer = found(&mut session, None, count);
                assert_eq!(answer.len(), rows.min(count as usize), "{store}, {tenant}, {count}");
                let about = |n: usize| &truth[n.saturating_sub(1)..truth.len().min(n + 2)];
                assert!(
                    answer.iter().enumerate().all(|(n, id)| about(n).contains(id)),
                    "{store}, {tenant}, {count}"
                );
            }
        }
        let reasons: Vec<String> = database.column(&format!(
            "select reason from unnest(array[10, 100]) k, strata.search_explain('[1,2,3,4,5,6,7,8]', '{ANN}', k) where entity_type = 'note' order by k"
        ));
        assert!(
            reasons[0].ends_with("; the nearest were not enough, so all of them were looked up"),
            "{store}: {}",
            reasons[0]
        );
        assert!(reasons[1].ends_with(" is ranked as it is read"), "{store}: {}", reasons[1]);
    }
}
