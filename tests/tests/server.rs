//! Servers that cannot carry strata are refused with the reason, before anything is changed.

use strata_tests::environment::BARE;
use strata_tests::fake_server::{Answer, FakeServer};
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Outcome, Strata, dump};

fn pack() -> Folder {
    Folder::of(&[("001_a.up.sql", "create table a ()"), ("001_a.down.sql", "drop table a")])
}

/// Asks a server that answers so to migrate; the question for what it is must be the only thing that it hears.
fn up(answer: Answer) -> Outcome {
    let (server, pack) = (FakeServer::start(answer), pack());
    let outcome = Strata::at(&server.url()).path(pack.path()).run(&["up"]);
    let all = format!("{}{}", outcome.stdout, outcome.stderr);
    assert!(!all.contains(FakeServer::PASSWORD), "{all}");
    let asked = server.asked();
    // And what is set for the own session alone.
    let questions =
        ["server_version_num", "-- ground:", "set idle_session_timeout", "set standard_conforming_strings"];
    let changes =
        asked.iter().filter(|sql| !sql.is_empty() && !questions.iter().any(|part| sql.contains(part)));
    assert_eq!(changes.count(), 0, "nothing but questions was sent: {asked:?}");
    assert!(!asked.is_empty());
    outcome
}

#[test]
fn a_server_without_pgvector_is_refused() {
    let database = Database::empty_in(&BARE);
    let (before, pack) = (dump(&database), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata
        .run(&["up"])
        .exits(14)
        .says(&["pgvector is not available on this server", "install pgvector 0.8 or later"]);
    strata.run(&["down"]).exits(14);
    let json = strata.run(&["up", "--json"]).exits(14).json();
    assert_eq!((&json["error"]["code"], &json["error"]["exit"]), (&"ST014".into(), &14.into()));
    assert_same("nothing changed", &before, &dump(&database));
}

#[test]
fn a_pgvector_that_is_too_old_is_refused() {
    let says = ["pgvector is 0.7.4, 0.8 is the oldest that works"];
    up([Some("170000"), Some("0.7.4"), None, Some("0.1.0")]).exits(14).says(&says);
}

#[test]
fn a_server_that_does_not_offer_strata_is_refused() {
    let says = ["extension \"strata\" is not available on this server", "cargo pgrx install"];
    up([Some("170000"), Some("0.8.0"), None, None]).exits(22).says(&says);
}

#[test]
fn a_postgres_below_15_is_refused() {
    let says = ["the server is PostgreSQL 14.11, 15 is the oldest that works", "upgrade the server"];
    up([Some("140011"), Some("0.8.0"), None, Some("0.1.0")]).exits(13).says(&says);
    up([Some("90624"), None, None, None]).exits(13).says(&["15 is the oldest that works"]);
}

#[test]
fn a_pack_may_ask_for_more_than_strata_does() {
    let toml = "name = \"new\"\ntitle = \"new\"\n[requires]\npostgres = 99\nvector = \"0.8\"";
    let pack = Folder::of(&[("pack.toml", toml), ("001_a.up.sql", "select 1")]);
    let database = Database::empty();
    let before = dump(&database);
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(13).says(&["99 is the oldest that works"]);
    pack.write("pack.toml", &toml.replace("99", "15").replace("0.8", "9.9"));
    strata.run(&["up"]).exits(14).says(&["9.9 is the oldest that works"]);
    assert_same("nothing changed", &before, &dump(&database));
}

#[test]
fn commands_that_need_strata_say_so_where_it_is_not_installed() {
    let database = Database::empty();
    let pack = pack();
    let strata = Strata::on(&database).path(pack.path());
    for words in [&["verify"][..], &["embed"], &["search", "anything"]] {
        let name = database.name();
        strata.run(words).exits(22).says(&[
            "strata is not installed in ",
            name,
            "create extension strata cascade",
        ]);
    }
    assert!(database.value::<bool>("select to_regnamespace('strata') is null"));
}
