//! Providers over HTTP: what is asked of them, and that nothing they do wrong loses a row or stores a wrong vector.

use std::time::Duration;
use strata_tests::notes::{self, KEY, MODEL, jobs, right_and_wrong};
use strata_tests::{Behaviour, ProviderServer};

#[test]
fn an_openai_provider_is_asked_as_it_wants_to_be_asked() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    notes::write(&database, 250);
    let json = notes::strata(&database, &server).run(&["embed", "--json", "--calls", "1"]).ok().json();
    assert_eq!((&json["embedded"], &json["calls"]), (&250.into(), &3.into()));
    assert_eq!(right_and_wrong(&database), (250, 0));
    let asked = server.asked();
    assert_eq!(asked.iter().map(|asked| asked.texts.len()).collect::<Vec<_>>(), [100, 100, 50]);
    for asked in asked {
        assert_eq!((asked.path.as_str(), asked.key), ("/embeddings", format!("Bearer {KEY}")));
        assert_eq!(asked.body["model"], MODEL);
        assert!(asked.body.get("dimensions").is_none(), "a model that has one dimension is not told it");
    }
}

#[test]
fn ollama_is_asked_as_it_wants_to_be_asked() {
    let (database, server) = (notes::database("ollama"), ProviderServer::good());
    notes::write(&database, 10);
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!(right_and_wrong(&database), (10, 0));
    let asked = server.asked().remove(0);
    assert_eq!((asked.path.as_str(), asked.key.as_str()), ("/api/embed", ""));
}

#[test]
fn a_model_that_is_not_pulled_says_how() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Status(404, ""));
    let database = notes::database("ollama");
    notes::write(&database, 1);
    notes::strata(&database, &server)
        .run(&["embed"])
        .exits(23)
        .says(&["answered 404", "run \"ollama pull tiny\""]);
    assert_eq!(jobs(&database), "queued 0: 1");
}

#[test]
fn a_model_that_can_shorten_its_vectors_is_told_how_many_dimensions() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Dimensions(16),
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 1);
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!(right_and_wrong(&database), (1, 0));
    assert_eq!(server.asked()[1].body["dimensions"], 8);
}

#[test]
fn whatever_goes_wrong_once_is_tried_again_and_no_vector_is_wrong() {
    use Behaviour::*;
    for fault in
        [Status(500, ""), Status(429, "1"), Status(503, "1"), Truncate, Close, Short, Twice, Null, NotANumber]
    {
        let first = fault.clone();
        let server = ProviderServer::start(Duration::ZERO, move |call, _| match call {
            0 => first.clone(),
            1 => Reversed,
            _ => Good,
        });
        let database = notes::database("openai");
        notes::write(&database, 20);
        let outcome = notes::strata(&database, &server).run(&["embed", "--calls", "1"]).ok();
        assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((20, 0), "none"), "{fault:?}");
        assert!(!format!("{outcome:?}").contains(KEY), "{fault:?}");
    }
}

#[test]
fn a_wait_that_the_provider_asks_for_is_kept_by_every_worker() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Status(429, "3600"),
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 200);
    let busy = notes::strata(&database, &server).run(&["embed", "--calls", "1"]).exits(23);
    busy.says(&["200 rows could not be embedded: the provider is busy", "answered 429"]);
    notes::strata(&database, &server).run(&["embed"]).exits(3);
    assert_eq!(server.asked().len(), 1, "neither the rest of the batch nor another process asks");
    assert_eq!(jobs(&database), "queued 0: 200", "and it is no failure of theirs");
}

#[test]
fn vectors_of_another_dimension_are_not_stored_and_the_jobs_stay() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Dimensions(16));
    let database = notes::database("openai");
    notes::write(&database, 3);
    notes::strata(&database, &server).run(&["embed"]).exits(18).says(&["expected 8 dimensions, not 16"]);
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((0, 0), "queued 0: 3"));
}

#[test]
fn a_key_that_is_refused_ends_it_without_showing_the_key() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Status(401, ""));
    let database = notes::database("openai");
    notes::write(&database, 3);
    let outcome = notes::strata(&database, &server).run(&["embed"]).exits(23).says(&["answered 401", "***"]);
    assert!(!format!("{outcome:?}").contains(KEY), "{outcome:?}");
    assert_eq!(jobs(&database), "queued 0: 3");
}

#[test]
fn a_redirect_is_not_followed() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Status(307, ""));
    let database = notes::database("openai");
    notes::write(&database, 1);
    notes::strata(&database, &server).run(&["embed"]).exits(23).says(&["answered 307", "look at the URL"]);
}

#[test]
fn without_a_key_nothing_is_sent_anywhere() {
    let (database, server) = (notes::database("openai"), ProviderServer::good());
    let strata = notes::strata(&database, &server).env("OPENAI_BASE_URL", "").env("OPENAI_API_KEY", "");
    strata.run(&["embed"]).exits(23).says(&["OPENAI_API_KEY, which is not set"]);
    let strata = notes::strata(&database, &server).env("OPENAI_BASE_URL", "ftp://nowhere");
    strata.run(&["embed"]).exits(23).says(&["\"ftp://nowhere\" is no URL to call"]);
    let strata = notes::strata(&database, &server).env("STRATA_PROVIDER_TIMEOUT", "soon");
    strata.run(&["embed"]).exits(23).says(&["STRATA_PROVIDER_TIMEOUT \"soon\" is no number of seconds"]);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn a_text_that_is_rejected_stands_alone_in_the_end_and_the_others_are_embedded() {
    let server = ProviderServer::start(Duration::ZERO, |_, texts| {
        let poison = texts.iter().any(|text| text.contains("poison"));
        if poison { Behaviour::Status(400, "") } else { Behaviour::Good }
    });
    let database = notes::database("openai");
    notes::write(&database, 100);
    database.run("update note set body = 'poison' where title in ('note 7', 'note 8', 'note 77')");
    notes::strata(&database, &server)
        .run(&["embed"])
        .exits(23)
        .says(&["3 rows could not be embedded", "answered 400"]);
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((97, 0), "dead 1: 3"));
    let again = notes::strata(&database, &server).run(&["embed"]).ok();
    assert!(again.stderr.contains("3 rows were set aside earlier"), "{again:?}");
    database.run("update note set body = 'good' where body = 'poison'");
    notes::strata(&database, &server).run(&["embed"]).ok();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((100, 0), "none"));
}

#[test]
fn a_provider_that_rejects_everything_has_no_text_blamed_for_it() {
    let server = ProviderServer::start(Duration::ZERO, |_, _| Behaviour::Status(400, ""));
    let database = notes::database("openai");
    notes::write(&database, 16);
    notes::strata(&database, &server).run(&["embed", "--calls", "1"]).exits(23).says(&["answered 400"]);
    assert_eq!(jobs(&database), "queued 0: 16");
}

#[test]
fn no_transaction_is_open_while_the_provider_stalls_and_it_is_not_waited_for_for_ever() {
    let server = ProviderServer::start(Duration::ZERO, |call, _| match call {
        0 => Behaviour::Stall,
        _ => Behaviour::Good,
    });
    let database = notes::database("openai");
    notes::write(&database, 5);
    let strata = notes::strata(&database, &server).env("STRATA_PROVIDER_TIMEOUT", "2");
    let running = strata.start(&["embed"]);
    server.until(1);
    let open = "select count(*) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and (xact_start is not null or backend_xmin is not null)";
    let most = (0..50).map(|_| database.value::<i64>(open)).filter(|open| *open == 0).count();
    assert!(most > 40, "a look may fall on a statement at work; open in {} of 50 looks", 50 - most);
    running.end().ok();
    server.release();
    assert_eq!((right_and_wrong(&database), jobs(&database).as_str()), ((5, 0), "none"));
}

#[test]
fn where_nobody_listens_the_jobs_wait() {
    let database = notes::database("openai");
    notes::write(&database, 5);
    let server = ProviderServer::good();
    let strata = notes::strata(&database, &server).env("OPENAI_BASE_URL", "http://127.0.0.1:1");
    let running = strata.start(&["embed"]);
    database.until("select coalesce(max(attempts) > 0, false) from strata.job");
    running.signal("TERM");
    running.end().exits(130);
    assert_eq!(database.value::<i64>("select count(*) from strata.job where state = 'queued'"), 5);
}
