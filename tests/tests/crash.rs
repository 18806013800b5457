//! The Aurum pack, killed again and again wherever it stands: it ends where an undisturbed run ends.

use std::time::Duration;
use strata_tests::aurum::{self, Vectors};
use strata_tests::data::{self, Columns, Hashes};
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Strata, dump, vectors};

/// Kills before a run is left alone. Each comes a little later than the one before it, so that all parts are hit.
const KILLS: u64 = 14;

/// Runs `words` to their end, killed on the way, client and server side.
fn through_kills(database: &Database, strata: &Strata, words: &[&str]) {
    for kill in 1..=KILLS {
        let run = strata.start(words);
        std::thread::sleep(Duration::from_millis(60 + 45 * kill));
        run.kill();
        database.terminate_others();
    }
    strata.run(words).ok();
}

fn data_of(database: &Database, columns: &Columns) -> Hashes {
    data::hashes(database, &data::without(columns, &["archived_at", "embedding_updated_at"]))
}

#[test]
fn up_ends_where_an_undisturbed_run_ends() {
    let database = aurum::application();
    let strata = aurum::strata(&database, Vectors::Local);
    through_kills(&database, &strata, &["up", "--to-phase", "3"]);
    vectors::complete_all(&database, 384);
    through_kills(&database, &strata, &aurum::UP);
    strata.run(&["verify"]).ok();
    let attempts: i32 = database.value("select sum(attempt)::int4 from strata.run");
    assert!(attempts > 4, "{attempts} attempts: the kills met a run");
    vectors::complete_all(&database, 384);

    let undisturbed = aurum::migrated();
    assert_same("schema", &dump(&undisturbed), &dump(&database));
    let mut columns = data::columns(&undisturbed);
    // When the counters were counted.
    columns.get_mut("public.user_statistics_cache").expect("a table").retain(|column| column != "updated_at");
    assert_eq!(data_of(&undisturbed, &columns), data_of(&database, &columns));
}

#[test]
fn down_ends_where_the_application_began() {
    let untouched = aurum::application();
    let database = aurum::migrated();
    let strata = aurum::strata(&database, Vectors::Local);
    through_kills(&database, &strata, &["down", "--all", "--yes"]);
    database.run("drop extension strata; drop extension vector; drop schema strata");
    assert_same("schema", &dump(&untouched), &dump(&database));
    let columns = data::columns(&untouched);
    assert_eq!(data::hashes(&untouched, &columns), data::hashes(&database, &columns));
}

#[test]
fn a_lost_connection_is_told_and_the_next_run_goes_on() {
    let database = Database::installed();
    let slow = "create table slow (x int); select pg_sleep(30)";
    let pack = Folder::of(&[("001_slow.up.sql", slow)]);
    let strata = Strata::on(&database).path(pack.path());
    let run = strata.start(&["up"]);
    database.until("select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')");
    database.terminate_others();
    run.end().exits(10).says(&["the connection was lost", "run the same command again"]);
    assert_eq!(database.column::<String>("select state from strata.migration"), ["applying"]);
    pack.write("001_slow.up.sql", &slow.replace("30", "0"));
    strata.run(&["up"]).ok();
    assert_eq!(database.column::<String>("select state from strata.migration"), ["applied"]);
}
