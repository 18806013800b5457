//! The model of a source is changed while it is searched and written to: every search answers from exactly one model, and
//! nobody waits.

use pgvector::Vector;
use strata_tests::change::{self, ANN, NEW, OLD, QUESTION, Turned, cosine, library};
use strata_tests::notes;
use strata_tests::provider_server::vector_of;
use strata_tests::{Database, ProviderServer};

#[test]
fn every_search_answers_from_one_model_while_it_is_changed_and_changed_back() {
    let Turned { database, probed, edits, told } = change::live(150, &["switch", "revert", "switch"]);
    for (told, switched) in told.iter().zip([true, false, true]) {
        assert_eq!((&told["switched"], &told["sources"]), (&switched.into(), &1.into()));
    }
    assert_eq!(probed.wrong, [""; 0]);
    assert!(probed.answers.len() == 2 && probed.answers.values().all(|n| *n > 20), "{:?}", probed.answers);
    assert!(probed.refused <= 3, "once a turn at most: {}", probed.refused);
    assert!(edits > 20);
    assert_eq!(right(&database), database.value::<i64>("select count(*) from note"), "both are current");
    let strata = notes::strata(&database, &ProviderServer::good());
    strata.run(&["model", "end", NEW.0, "--yes"]).ok();
    let json = strata.run(&["model", "status", "--json"]).ok().json();
    assert_eq!(json["changes"], serde_json::json!([]));
}

/// Notes whose vectors of both models are those of their text.
fn right(database: &Database) -> i64 {
    let rows = database.rows(
        "select concat_ws(E'\\n', n.title, n.body), n.embedding, v.embedding
         from note n join strata_vectors.text_embedding_3_large v on v.entity_id = n.id",
        &[],
    );
    let rows = rows.iter().filter(|row| {
        let text: &str = row.get(0);
        let alike = |at: usize, dimensions| {
            cosine(&row.get::<_, Vector>(at).to_vec(), &vector_of(text, dimensions)) > 0.9999
        };
        alike(1, OLD.1) && alike(2, NEW.1)
    });
    i64::try_from(rows.count()).expect("a few")
}

/// Embedded with both models, not switched.
fn filled(rows: u32) -> (Database, ProviderServer) {
    let (database, server) = (library(rows), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["model", "change", OLD.0, NEW.0]).ok();
    strata.run(&["embed"]).ok();
    (database, server)
}

#[test]
fn a_switch_holds_nothing_that_the_application_needs() {
    let (database, _server) = filled(20);
    let mut switcher = database.connect();
    switcher.batch_execute(&format!("begin; select strata.switch_model('{}')", NEW.0)).unwrap();
    let pid: i32 = switcher.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let held: i64 = database.value(&format!(
        "select count(*) from pg_locks where pid = {pid} and locktype = 'relation'
         and mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')"
    ));
    assert_eq!(held, 0);
    // Meanwhile: writers write, searches search as before, workers claim.
    database.run("set lock_timeout = '5s'; insert into note (title) values ('meanwhile'); update note set body = 'x' where title = 'ann 1'");
    let question = Vector::from(vector_of(QUESTION, OLD.1));
    let sql =
        format!("select count(*) from strata.rag_search($1, '{ANN}', 5, embedding_model => '{}')", OLD.0);
    let found: i64 = database.rows(&sql, &[&question])[0].get(0);
    assert_eq!(found, 5, "until the commit the old model answers");
    assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 100)"), 4);
    switcher.batch_execute("commit").unwrap();
    assert_eq!(
        database
            .refusal(
                &sql.replace("$1", &format!("'{}'::vector", serde_json::json!(vector_of(QUESTION, OLD.1))))
            )
            .0,
        "22000"
    );
}

#[test]
fn of_two_who_switch_at_once_the_second_is_refused() {
    let (database, _server) = filled(5);
    let (mut first, mut second) = (database.connect(), database.connect());
    let switch = format!("select strata.switch_model('{}')", NEW.0);
    first.batch_execute(&format!("begin; {switch}")).unwrap();
    let pid: i32 = second.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let late = std::thread::spawn(move || {
        second.batch_execute(&switch).map_err(|e| e.code().unwrap().code().to_owned())
    });
    database.until(&format!("select exists (select from pg_locks where pid = {pid} and not granted)"));
    first.batch_execute("commit").unwrap();
    assert_eq!(late.join().unwrap(), Err("55000".to_owned()));
    assert_eq!(database.value::<String>("select model from strata.source"), NEW.0);
}

#[test]
fn a_change_waits_for_a_writer_and_hears_of_what_it_wrote() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let mut writer = database.connect();
    writer.batch_execute("begin; insert into note (title) values ('late')").unwrap();
    let change = ["model", "change", OLD.0, NEW.0];
    strata.clone().arg("--lock-timeout").arg("1").run(&change).exits(6);
    let changing = strata.start(&change);
    database
        .until("select exists (select from pg_locks where mode = 'ShareRowExclusiveLock' and not granted)");
    writer.batch_execute("commit").unwrap();
    changing.end().ok();
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    strata.run(&["model", "switch", NEW.0]).ok();
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.text_embedding_3_large"), 11);
}

#[test]
fn who_ends_a_change_keeps_no_reader_waiting_behind_another() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["model", "change", OLD.0, NEW.0]).ok();
    let mut reader = database.connect();
    reader.batch_execute("begin; select count(*) from note").unwrap();
    let end = ["model", "end", NEW.0, "--yes"];
    strata.clone().arg("--lock-timeout").arg("0").run(&end).exits(6);
    let ending = strata.start(&end);
    database.until("select exists (select from pg_locks where mode = 'AccessExclusiveLock' and not granted)");
    database.run(
        "set lock_timeout = '5s'; select count(*) from note; insert into note (title) values ('meanwhile')",
    );
    reader.batch_execute("commit").unwrap();
    ending.end().ok();
    assert_eq!(database.value::<i64>("select count(*) from strata.model_change"), 0);
}

#[test]
fn a_row_that_somebody_holds_does_not_keep_a_worker_from_what_is_written() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    database.run(
        "select strata.add_model('third', 'openai', 8), strata.add_model('fourth', 'openai', 8);
         create table memo (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             body text, v vector(8), created_at timestamptz not null default now());
         select strata.add_source('memo', 'memo', 'id', 'user_id', null, array['body'], 'v', 'third');
         insert into memo (body) values ('one')",
    );
    strata.run(&["embed"]).ok();
    database.run(&format!(
        "select strata.start_model_change('{}', '{}'), strata.start_model_change('third', 'fourth')",
        OLD.0, NEW.0
    ));
    let mut holder = database.connect();
    holder.batch_execute("begin; update note set created_at = created_at").unwrap();
    // Nobody waits for it, and the other change goes on.
    let walk = format!("set statement_timeout = '5s'; select strata.continue_model_change('{}')", NEW.0);
    let told = database.refusal(&walk);
    assert!(told.0 == "55P03" && told.1.starts_with("source \"note\": somebody holds row "), "{told:?}");
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.fourth"), 1);
    holder.batch_execute("commit").unwrap();
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    strata.run(&["model", "switch", NEW.0]).ok();
}

#[test]
fn a_budget_is_kept_and_said() {
    let (database, server) = (library(30), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata.run(&["embed"]).ok();
    let estimate =
        strata.run(&["model", "change", OLD.0, NEW.0, "--estimate", "--price", "0.13", "--json"]).ok().json();
    let tokens = estimate["tokens"].as_i64().unwrap();
    assert_eq!((&estimate["rows"], &estimate["started"]), (&60.into(), &false.into()));
    assert_eq!(estimate["price"], estimate["sources"][0]["price"]);
    assert_eq!(
        database.value::<i64>("select count(*) from strata.model_change"),
        0,
        "an estimate changes nothing"
    );
    let asked = server.asked().len();
    let budget = (tokens / 2).to_string();
    strata.run(&["model", "change", OLD.0, NEW.0, "--budget", &budget]).ok();
    let embedded = strata.run(&["embed", "--batch", "10", "--json"]).ok();
    assert!(embedded.stderr.contains("the budget of their model is used up"), "{embedded:?}");
    let left = embedded.json()["left"].as_i64().unwrap();
    assert!(left > 0 && left < 60, "{embedded:?}");
    let sent: usize =
        server.asked()[asked..].iter().flat_map(|a| &a.texts).map(|text| text.len() / 3 + 1).sum();
    assert!(sent as i64 <= tokens / 2, "{sent} of {budget}");
    let status = strata.run(&["model", "status", "--json"]).ok().json();
    assert_eq!(
        (&status["changes"][0]["stopped"], &status["changes"][0]["spent_tokens"]),
        (&true.into(), &sent.into())
    );
    assert!(
        strata
            .run(&["model", "status"])
            .ok()
            .stdout
            .contains("the budget is used up, nothing more is claimed")
    );
    strata.run(&["model", "switch", NEW.0]).exits(2).says(&["rows have no vector of model"]);
    strata.run(&["model", "budget", NEW.0]).ok();
    // At once: nothing that was given back waits for its minute.
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!(notes::jobs(&database), "none");
    strata.run(&["model", "switch", NEW.0]).ok();
}

#[test]
fn the_verbs_of_models_tell_and_refuse() {
    let (database, server) = (library(5), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    strata
        .run(&["model", "add", "third", "--provider", "ollama", "--dimensions", "8", "--max-tokens", "256"])
        .ok();
    strata
        .run(&["model", "add", "third", "--provider", "ollama", "--dimensions", "8"])
        .exits(1)
        .says(&["is known already"]);
    strata
        .run(&["model", "add", "x", "--provider", "nobody", "--dimensions", "8"])
        .exits(2)
        .says(&["\"nobody\" is not known"]);
    strata.run(&["model", "change", OLD.0, "nope"]).exits(24).says(&["model \"nope\" does not exist"]);
    strata
        .run(&["model", "change", OLD.0, NEW.0, "--column", "note=embedding"])
        .exits(18)
        .says(&["expected 1536 dimensions"]);
    strata.run(&["model", "switch", NEW.0]).exits(24).says(&["no model is being changed"]);
    strata.run(&["model", "change", OLD.0, NEW.0]).ok();
    strata.run(&["model", "end", NEW.0]).exits(11).says(&["the change goes on"]);
    strata.run(&["embed"]).ok();
    let status = strata.run(&["model", "status", "--tenants", "--json"]).ok().json();
    let tenants = status["changes"][0]["tenants"].as_array().unwrap();
    assert_eq!(tenants.len(), 2);
    assert!(tenants.iter().all(|tenant| tenant["embedded"] == 5 && tenant["rows"] == 5), "{tenants:?}");
    let text = strata.run(&["model", "status", "--tenants"]).ok().stdout;
    assert!(text.contains("MODEL") && text.contains("1 of 1 sources walked") && text.contains(ANN), "{text}");
    strata.run(&["model", "switch", NEW.0]).ok();
    let hits = strata.run(&["search", QUESTION, "--user", ANN, "--json"]).ok().json();
    assert_eq!(hits["hits"].as_array().unwrap().len(), 5, "{hits}");
    strata.run(&["model", "revert", NEW.0]).ok();
    strata.run(&["search", QUESTION, "--user", ANN]).ok();
    assert_eq!(strata.run(&["model", "end", NEW.0, "--yes", "--json"]).ok().json()["model"], OLD.0);
}
