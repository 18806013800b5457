//! `strata worker` on embeddings: woken by a writer, stopped without a loss, killed without a loss, seen by Prometheus.

use pgvector::Vector;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use strata_tests::notes::{self, jobs, right_and_wrong};
use strata_tests::provider_server::{DIMENSIONS, vector_of};
use strata_tests::{Behaviour, Database, ProviderServer, Role};

const NONE_LEFT: &str = "select not exists (select from strata.job)";

/// Longest that a count is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Looks by itself once an hour.
const WORKER: [&str; 5] = ["worker", "--only", "embeddings", "--poll", "3600"];

#[test]
fn a_worker_is_woken_by_the_writer() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    let running = notes::strata(&database, &server).start(&WORKER);
    for round in 1..=3 {
        database.until("select exists (select from pg_locks where locktype = 'advisory' and classid = 1937011297 and granted)");
        notes::write(&database, 5);
        database.until(NONE_LEFT);
        assert_eq!(right_and_wrong(&database), (5 * round, 0));
    }
    running.signal("TERM");
    running.end().ok();
}

#[test]
fn a_worker_that_is_told_to_stop_gives_back_what_it_has_not_done() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Stall);
    let database = notes::database("openai");
    notes::write(&database, 30);
    let running = notes::strata(&database, &server).start(&[&WORKER[..], &["--batch", "10"]].concat());
    server.until(2);
    assert_eq!(jobs(&database), "leased 0: 20, queued 0: 10");
    running.signal("TERM");
    running.end().ok();
    assert_eq!(jobs(&database), "queued 0: 30");
    server.release();
}

#[test]
fn what_a_worker_had_that_was_killed_is_free_at_once() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Stall,
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 30);
    let running = notes::strata(&database, &server).start(&[&WORKER[..], &["--calls", "1"]].concat());
    server.until(1);
    running.kill();
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((30, 0), "none"));
    server.release();
}

#[test]
fn a_vector_that_comes_after_the_text_has_changed_is_not_stored() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Stall,
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 10);
    let running = notes::strata(&database, &server).start(&["embed", "--calls", "1"]);
    server.until(1);
    database.run("update note set body = 'changed' where title < 'note 5'");
    server.release();
    running.end().ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((10, 0), "none"));
}

#[test]
fn once_is_for_cron() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 120);
    let json = notes::strata(&database, &server).run(&["worker", "--once", "--json"]).ok().json();
    assert_eq!(
        (&json["event"], &json["embedded"], &json["left"]),
        (&"embedded".into(), &120.into(), &0.into())
    );
    assert_eq!(right_and_wrong(&database), (120, 0));
}

#[test]
fn once_ends_with_an_error_where_the_provider_failed() {
    let database = notes::database("openai");
    notes::write(&database, 3);
    let once = ["worker", "--once", "--only", "embeddings"];
    for (behaviour, told) in [
        (Behaviour::Status(500, ""), "3 rows could not be embedded: the provider is not available"),
        (Behaviour::Status(401, ""), "answered 401"),
    ] {
        let server = ProviderServer::start(Duration::ZERO, move |_, _| behaviour.clone());
        database.run("update strata.job set not_before = clock_timestamp()");
        notes::strata(&database, &server).run(&once).exits(23).says(&[told]);
    }
    database.run("update strata.job set not_before = clock_timestamp()");
    notes::strata(&database, &ProviderServer::good()).run(&once).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((3, 0), "none"));
}

#[test]
fn timeouts_of_the_application_do_not_end_what_a_worker_does() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 2);
    database.run(&format!(
        "create function slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.2); return new; end';
         create trigger slow before update on note for each row execute function slow();
         alter database {} set statement_timeout = '200ms'",
        database.name()
    ));
    notes::strata(&database, &server).run(&["worker", "--once", "--only", "embeddings"]).ok();
    notes::strata(&database, &server).run(&["reindex"]).ok();
    assert_eq!((right_and_wrong(&database), server.asked().len()), ((2, 0), 2));
}

#[test]
fn a_worker_goes_on_after_its_connection_was_cut() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    let running = notes::strata(&database, &server).start(&["worker", "--only", "embeddings"]);
    notes::write(&database, 5);
    database.until(NONE_LEFT);
    database.terminate_others();
    notes::write(&database, 5);
    database.until(NONE_LEFT);
    assert_eq!(right_and_wrong(&database), (10, 0));
    running.signal("TERM");
    running.end().ok();
}

#[test]
fn a_model_that_cannot_work_is_left_to_others_and_the_rest_is_done() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    database.run(
        "create table memo (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             body text, v vector(4), created_at timestamptz not null default now());
         select strata.add_model('elsewhere', 'supabase', 4);
         select strata.add_source('memo', 'memo', 'id', 'user_id', null, array['body'], 'v', 'elsewhere');
         insert into memo (body) values ('one')",
    );
    notes::write(&database, 5);
    let running = notes::strata(&database, &server).start(&["worker", "--only", "embeddings"]);
    database.until("select not exists (select from strata.job where entity_type = 'note')");
    running.until("model elsewhere is left to others: there is no provider \"supabase\" here");
    running.signal("INT");
    running.end().ok();
    assert_eq!(jobs(&database), "queued 0: 1");
}

#[test]
fn prometheus_and_a_health_check_are_answered() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    let port =
        TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
    let address = format!("127.0.0.1:{port}");
    let running =
        notes::strata(&database, &server).start(&["worker", "--only", "embeddings", "--metrics", &address]);
    notes::write(&database, 7);
    database.until(NONE_LEFT);
    assert!(get(&address, "/health").starts_with("HTTP/1.1 200 OK\r\n"));
    // The last job is gone a moment before the worker has heard of it.
    let counted = "\nstrata_embedded_total{model=\"tiny\"} 7\n";
    let began = Instant::now();
    while !get(&address, "/metrics").contains(counted) {
        assert!(began.elapsed() < PATIENCE, "{}", get(&address, "/metrics"));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(get(&address, "/").starts_with("HTTP/1.1 404 "));
    running.signal("TERM");
    running.end().ok();
    notes::strata(&database, &server)
        .run(&["worker", "--metrics", "nowhere:x"])
        .exits(2)
        .says(&["cannot listen on \"nowhere:x\""]);
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a listener");
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    answer
}

#[test]
fn a_role_that_was_granted_the_queue_embeds_and_changes_nothing_else() {
    let (database, server, role) = (notes::database("openai"), ProviderServer::good(), Role::new());
    database.run(&format!(
        "alter role {0} bypassrls; grant select, update on note to {0}; select strata.grant_embedding('{0}')",
        role.name()
    ));
    let strata =
        role.strata(&database).env("OPENAI_BASE_URL", &server.url()).env("OPENAI_API_KEY", notes::KEY);
    notes::write(&database, 5);
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    database.run("alter table note disable trigger user");
    notes::write(&database, 5);
    database.run(
        "alter table note enable trigger user; select strata.add_model('small', 'openai', 8);
                  select strata.start_model_change('tiny', 'small')",
    );
    strata.run(&["embed"]).ok();
    assert_eq!(right_and_wrong(&database), (10, 0));
    assert_eq!(database.value::<i64>("select count(*) from strata_vectors.small"), 10);
    strata.run(&["model", "switch", "small"]).exits(26);
    role.leave(database);
}

#[test]
fn a_source_that_a_worker_may_not_read_holds_up_no_other() {
    let (database, server, role) = (notes::database("openai"), ProviderServer::good(), Role::new());
    database.run(&format!(
        "create table secret (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
             body text, v vector(8), created_at timestamptz not null default now());
         select strata.add_source('secret', 'secret', 'id', 'user_id', null, array['body'], 'v', 'tiny');
         insert into secret (body) values ('one');
         alter role {0} bypassrls; grant select, update on note to {0}; select strata.grant_embedding('{0}')",
        role.name()
    ));
    notes::write(&database, 5);
    let strata =
        role.strata(&database).env("OPENAI_BASE_URL", &server.url()).env("OPENAI_API_KEY", notes::KEY);
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((5, 0), "queued 0: 1"));
    let told: String = database.value("select error from strata.job");
    assert_eq!(told, "permission denied for table secret");
    role.leave(database);
}

#[test]
fn a_claim_passes_over_a_job_that_somebody_holds() {
    let database = notes::database("openai");
    database.run("insert into note (user_id, title) select md5((g % 2)::text)::uuid, 'n' || g from generate_series(1, 6) g");
    let mut held = database.connect();
    held.batch_execute(
        "begin; select from strata.job where (lane, not_before) in (select lane, min(not_before) from strata.job group by 1) for update",
    )
    .unwrap();
    assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 2)"), 2);
    assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 100)"), 2);
    held.batch_execute("rollback").unwrap();
    assert_eq!(database.value::<i64>("select count(*) from strata.claim_jobs('w', 100)"), 2);
}

/// How often somebody swept the queue by hand; autovacuum counts apart.
const SWEPT: &str = "select vacuum_count from pg_stat_all_tables where relid = 'strata.job'::regclass";

#[test]
fn who_drains_the_queue_sweeps_it() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 2_500);
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert!(database.value::<i64>(SWEPT) > 0);
}

#[test]
fn who_may_not_sweep_the_queue_drains_it_all_the_same() {
    let (database, server, role) = (notes::database("openai"), ProviderServer::good(), Role::new());
    database.run(&format!(
        "alter role {0} bypassrls; grant select, update on note to {0}; select strata.grant_embedding('{0}');
         do $$ begin
             if current_setting('server_version_num')::int >= 170000 then
                 execute 'revoke maintain on strata.job from {0}';
             end if;
         end $$",
        role.name()
    ));
    notes::write(&database, 2_500);
    let strata =
        role.strata(&database).env("OPENAI_BASE_URL", &server.url()).env("OPENAI_API_KEY", notes::KEY);
    assert_eq!(strata.run(&["embed", "--json"]).ok().json()["embedded"], 2_500);
    assert_eq!(database.value::<i64>(SWEPT), 0);
    role.leave(database);
}

/// A row's text and where it was found by the vector of that text, for each row of a source with keys of any type.
fn misplaced(database: &Database, table: &str) -> Vec<String> {
    let mut session = database.connect();
    let rows =
        session.query(&format!("select id::text, body, user_id::text from {table}"), &[]).expect("rows");
    let found = |row: &postgres::Row| {
        let vector = Vector::from(vector_of(row.get(1), DIMENSIONS));
        let sql = "select entity_type || entity_id from strata.search($1, $2, 1)";
        let first: String = session.query_one(sql, &[&vector, &row.get::<_, String>(2)]).expect("it").get(0);
        (first != format!("{table}{}", row.get::<_, String>(0))).then_some(first)
    };
    rows.iter().filter_map(found).collect()
}

#[test]
fn rows_of_any_key_are_embedded_queued_again_and_follow_a_change_of_model() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    let strata = notes::strata(&database, &server);
    database.run("select strata.drop_source('note')");
    let tables =
        [("post", "bigint generated always as identity"), ("page", "text default 'p/' || gen_random_uuid()")];
    for (table, key) in tables {
        database.run(&format!(
            "create table {table} (id {key} primary key, user_id uuid not null default gen_random_uuid(), body text,
                 embedded_at timestamptz, created_at timestamptz not null default now());
             insert into {table} (body) select '{table} ' || g from generate_series(1, 25) g;
             select strata.add_source('{table}', '{table}', 'id', 'user_id', null, array['body'], null, 'tiny',
                 embedded_at_column => 'embedded_at', store => 'halfvec')"
        ));
    }
    let all_right = |kept: &str| {
        let counted =
            format!("select count(*) filter (where v.entity_key is not null) from strata_vectors.{kept} v");
        assert_eq!((database.value::<i64>(&counted), jobs(&database).as_str()), (50, "none"), "{kept}");
        for (table, _) in tables {
            assert_eq!(misplaced(&database, table), [""; 0], "{kept}");
        }
    };
    strata.run(&["embed"]).ok();
    all_right("tiny");
    let again = strata.run(&["reindex", "--json"]).ok().json();
    assert_eq!(again["embedded"], 50);
    all_right("tiny");
    strata.run(&["model", "add", "small", "--provider", "openai", "--dimensions", "8"]).ok();
    strata.run(&["model", "change", "tiny", "small"]).ok();
    database.run("update post set body = body || '!' where id < 5");
    strata.run(&["worker", "--once", "--only", "embeddings"]).ok();
    strata.run(&["model", "switch", "small"]).ok();
    strata.run(&["model", "end", "small", "--yes"]).ok();
    assert_eq!(
        database.value::<i64>("select count(distinct (entity_type, entity_key)) from strata_vectors.small"),
        50
    );
}
