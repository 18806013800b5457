//! `strata embed`: every row gets its vector once, and again when its text has changed.

use strata_tests::aurum::{self, MAYA, Vectors};
use strata_tests::data::{self, Hashes};
use strata_tests::notes;
use strata_tests::{Database, ProviderServer, Strata};

const MISSING: &str =
    "select coalesce(sum(missing + queued + leased + dead), -1)::int8 from strata.queue_status()";

const VECTORS: [(&str, &str); 3] =
    [("journal_entries", "content_embedding"), ("tasks", "description_embedding"), ("insights", "embedding")];

fn embed(database: &Database) -> i64 {
    Strata::on(database).run(&["embed", "--json"]).ok().json()["embedded"].as_i64().expect("a number")
}

fn jobs(database: &Database) -> i64 {
    database.value("select count(*) from strata.job")
}

/// The vectors of every table, but for one row.
fn vectors_but(database: &Database, id: &str) -> Vec<String> {
    let hash = |(table, column): &(&str, &str)| {
        database.value(&format!("select coalesce(md5(string_agg(id || {column}::text, ',' order by id)), '') from {table} where id <> '{id}'"))
    };
    VECTORS.iter().map(hash).collect()
}

#[test]
fn every_row_has_its_vector_its_model_and_no_job() {
    let database = aurum::embedded();
    assert_eq!(database.value::<i64>(MISSING), 0);
    assert_eq!(jobs(&database), 0);
    for (table, column) in &VECTORS[..2] {
        let wrong: i64 = database.value(&format!(
            "select count(*) from {table} where {column} is null or vector_dims({column}) <> 384
             or abs(vector_norm({column}) - 1) > 1e-3 or embedding_model is distinct from 'all-MiniLM-L6-v2' or embedding_updated_at is null"
        ));
        assert_eq!(wrong, 0, "{table}");
        assert!(database.value::<i64>(&format!("select count(*) from {table}")) > 50);
    }
}

#[test]
fn a_second_run_embeds_nothing_and_changes_nothing() {
    let database = aurum::embedded();
    let columns = data::columns(&database);
    let before: Hashes = data::hashes(&database, &columns);
    let json = Strata::on(&database).run(&["embed", "--json"]).ok().json();
    assert_eq!(before, data::hashes(&database, &columns));
    let fields: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(
        fields,
        ["embedded", "stale", "failed", "left", "calls", "seconds", "rows_per_second", "schema"]
    );
    assert_eq!((&json["embedded"], &json["stale"], &json["failed"]), (&0.into(), &0.into(), &0.into()));
    assert!(Strata::on(&database).run(&["embed"]).ok().stdout.starts_with("0 rows embedded in "));
}

#[test]
fn a_changed_text_is_embedded_again_and_no_other_row() {
    let database = aurum::embedded();
    let id: String = database.value("select min(id::text) from journal_entries");
    let own = format!("select content_embedding::text from journal_entries where id = '{id}'");
    let (old, others) = (database.value::<String>(&own), vectors_but(&database, &id));
    database.run(&format!(
        "update journal_entries set content = 'The volcano was louder than the orchestra.' where id = '{id}'"
    ));
    assert_eq!(jobs(&database), 1);
    assert_eq!(database.value::<String>(&own), old, "the old vector serves until the new one is there");
    let edited: String =
        database.value(&format!("select updated_at::text from journal_entries where id = '{id}'"));
    assert_eq!(embed(&database), 1);
    assert_ne!(database.value::<String>(&own), old);
    assert_eq!(vectors_but(&database, &id), others);
    let now: String =
        database.value(&format!("select updated_at::text from journal_entries where id = '{id}'"));
    assert_eq!(now, edited, "an embedding is no edit");
}

#[test]
fn what_is_no_text_costs_nothing() {
    let database = aurum::embedded();
    database.run(
        "update tasks set status = 'completed', priority = 'low', due_date = current_date, hrm_priority_score = 0.7;
         update tasks set name = name, description = description;
         update journal_entries set mood = 'calm', archived = true, content = content",
    );
    assert_eq!(jobs(&database), 0);
    assert_eq!(embed(&database), 0);
}

#[test]
fn a_row_that_is_deleted_takes_its_job_with_it() {
    let database = aurum::embedded();
    database.run("update tasks set name = name || ' again'");
    let queued = jobs(&database);
    assert_eq!(queued, database.value::<i64>("select count(*) from tasks"));
    database.run("delete from tasks where id in (select id from tasks limit 7)");
    assert_eq!(jobs(&database), queued - 7);
    database.run("delete from tasks");
    assert_eq!(jobs(&database), 0);
}

#[test]
fn a_text_that_is_gone_takes_its_vector_with_it() {
    let database = aurum::embedded();
    let id: String = database.value("select min(id::text) from journal_entries where title is null");
    database.run(&format!("update journal_entries set content = '' where id = '{id}'"));
    embed(&database);
    let bare: bool = database.value(&format!(
        "select content_embedding is null and embedding_model is null and embedding_updated_at is null from journal_entries where id = '{id}'"
    ));
    assert!(bare);
    assert_eq!(database.value::<i64>(MISSING), 0, "a row without text misses nothing");
}

#[test]
fn the_text_is_title_and_content_on_a_line_each() {
    let database = aurum::migrated();
    database.run(&format!(
        "insert into journal_entries (id, user_id, title, content) values
         ('b0000000-0000-4000-8000-000000000001', '{MAYA}', 'A title', 'A content'),
         ('b0000000-0000-4000-8000-000000000002', '{MAYA}', null, 'Only content'),
         ('b0000000-0000-4000-8000-000000000003', '{MAYA}', '', 'Empty title'),
         ('b0000000-0000-4000-8000-000000000004', '{MAYA}', 'Only title', ''),
         ('b0000000-0000-4000-8000-000000000005', '{MAYA}', E'Two\\nlines', E'of\\n\\ntext')"
    ));
    let claimed = database.rows(
        "select content, content_hash = sha256(convert_to(content, 'UTF8')) from strata.claim_jobs('tests') order by entity_id",
        &[],
    );
    let texts: Vec<String> = claimed.iter().map(|row| row.get(0)).collect();
    assert_eq!(
        texts,
        ["A title\nA content", "Only content", "Empty title", "Only title", "Two\nlines\nof\n\ntext"]
    );
    assert!(claimed.iter().all(|row| row.get(1)));
}

#[test]
fn a_signed_in_user_queues_by_writing_and_sees_nothing_of_the_queue() {
    let database = aurum::embedded();
    let mut session = database.connect();
    session
        .batch_execute(&format!(
            "set role authenticated; set request.jwt.claims = '{{\"sub\":\"{MAYA}\"}}';
             insert into tasks (user_id, name) values ('{MAYA}', 'Buy a better lamp')"
        ))
        .expect("a write of their own");
    assert!(session.query("select from strata.job", &[]).is_err());
    assert_eq!(embed(&database), 1);
    assert_eq!(database.value::<i64>(MISSING), 0);
}

#[test]
fn two_workers_share_the_work_and_do_nothing_twice() {
    let database = aurum::embedded();
    database.run("update tasks set name = name || ' once more' where id in (select id from tasks order by id limit 40)");
    let workers: Vec<_> =
        (0..2).map(|_| Strata::on(&database).start(&["embed", "--json", "--batch", "5"])).collect();
    let shares: Vec<i64> = workers
        .into_iter()
        .map(|worker| worker.end().ok().json()["embedded"].as_i64().expect("a number"))
        .collect();
    assert_eq!(shares.iter().sum::<i64>(), 40, "{shares:?}");
    assert_eq!(database.value::<i64>(MISSING), 0);
}

#[test]
fn what_a_dead_worker_had_claimed_is_embedded_when_its_lease_is_over() {
    let database = aurum::embedded();
    database
        .run("update tasks set name = name || '?' where id in (select id from tasks order by id limit 4)");
    let held = "select count(*) from strata.claim_jobs('ghost', 3, '1 hour')";
    assert_eq!(database.value::<i64>(held), 3);
    let held = Strata::on(&database).run(&["embed", "--json"]).exits(3);
    assert!(held.stderr.contains("3 rows are held by another worker"), "{held:?}");
    assert_eq!((&held.json()["embedded"], &held.json()["left"]), (&1.into(), &3.into()));
    database.run("update strata.job set lease_until = clock_timestamp()");
    assert_eq!(embed(&database), 3);
}

#[test]
fn a_model_that_is_not_there_fails_with_its_folder_and_the_jobs_stay() {
    let database = aurum::embedded();
    database
        .run("update tasks set name = name || '?' where id in (select id from tasks order by id limit 2)");
    let strata = Strata::on(&database).env("STRATA_MODEL_DIR", "/nowhere/model");
    strata.run(&["embed"]).exits(23).says(&["/nowhere/model"]);
    assert_eq!(jobs(&database), 2);
    assert_eq!(database.value::<i64>("select count(*) from strata.job where state = 'leased'"), 0);
}

#[test]
fn a_provider_that_is_not_known_fails_before_anything_is_claimed() {
    let database = aurum::application();
    aurum::strata(&database, Vectors::Documented).run(&["up", "3"]).ok();
    database.run("update strata.model set provider = 'supabase'");
    Strata::on(&database)
        .run(&["embed"])
        .exits(23)
        .says(&["supabase", "the providers are: local, openai, ollama"]);
    assert_eq!(database.value::<i64>("select count(*) from strata.job where attempts > 0"), 0);
    let json = Strata::on(&database).run(&["embed", "--json"]).exits(23).json();
    assert_eq!(json["error"]["code"], "ST023");
}

#[test]
fn a_source_whose_table_is_gone_is_named_and_holds_up_no_other() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    database.run(
        "create table gone (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             body text, v vector(8), created_at timestamptz not null default now());
         select strata.add_source('a source', 'gone', 'id', 'user_id', null, array['body'], 'v', 'tiny');
         alter table gone rename column body to words; alter table note disable trigger user",
    );
    notes::write(&database, 3);
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).exits(1).says(&[
        "source \"a source\" was left out",
        "column r.body does not exist",
        "strata.sources()",
    ]);
    assert_eq!(notes::right_and_wrong(&database), (3, 0));
    strata.run(&["reindex", "--types", "a source"]).exits(1).says(&["source \"a source\" was left out"]);
    database.run("drop table gone");
    strata.run(&["reindex"]).exits(1).says(&["relation \"public.gone\" does not exist"]);
}

#[test]
fn rows_that_wait_for_long_are_told_of() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 3);
    database.run("update strata.job set not_before = clock_timestamp() + interval '10 minutes'");
    let told = notes::strata(&database, &server).run(&["embed"]).exits(3);
    assert!(told.stderr.contains("3 rows wait to be tried again, the first in "), "{told:?}");
}

#[test]
fn a_row_that_somebody_holds_is_named() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    database.run("alter table note disable trigger user");
    notes::write(&database, 1);
    let mut holder = database.connect();
    holder.batch_execute("begin; update note set status = 'x'").unwrap();
    let row: String = database.value("select id::text from note");
    let told = format!("source \"note\": somebody holds row {row}");
    notes::strata(&database, &server).run(&["embed"]).exits(6).says(&[&told, "strata locks"]);
}
