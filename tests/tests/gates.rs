//! The gate of the Aurum pack: no vector index before the vectors are there.

use strata_tests::aurum::{self, Vectors};
use strata_tests::{Database, vectors};

fn runs(database: &Database) -> Vec<String> {
    database.column("select state || ' ' || attempt from strata.run order by requested_at")
}

#[test]
fn up_stops_at_the_gate_and_goes_on_after_embedding() {
    let database = aurum::application();
    let strata = aurum::strata(&database, Vectors::Local);
    let stopped = strata.run(&["up"]).exits(9);
    let stopped = stopped.says(&[
        "the gate of phase 4 (Vector indexes) is not met",
        "embeddings of task: ",
        "strata embed",
    ]);
    assert_eq!(stopped.stdout, "");
    assert_eq!(
        strata.run(&["version"]).ok().stdout,
        "6\n",
        "everything before the gate is done, nothing is half-way"
    );
    assert_eq!(runs(&database), ["waiting 1"]);
    let held: String = database.value("select p.waiting_for from strata.run r, strata.run_progress(r.id) p");
    assert!(held.starts_with("the gate of phase 4 (Vector indexes): embeddings of "), "{held}");
    strata.run(&["status", "--exit-code"]).exits(3);

    strata.run(&["up"]).exits(9);
    vectors::complete_all(&database, 384);
    let rest = strata.run(&aurum::UP).ok();
    assert_eq!(rest.stdout, "5 versions applied\n");
    assert_eq!(runs(&database), ["succeeded 3"], "it is one run all the way");
    strata.run(&["up"]).exits(9).says(&[
        "the gate of phase 9 (Contract) is not met",
        "9.signed is not signed",
        "no deployed application reads or writes journal_entries.deleted",
    ]);
    strata.run(&["status", "--exit-code"]).exits(3);
}

#[test]
fn one_row_that_waits_for_its_embedding_keeps_the_gate_shut() {
    let database = aurum::application();
    let strata = aurum::strata(&database, Vectors::Local);
    strata.run(&["up", "6"]).ok();
    vectors::complete_all(&database, 384);
    database.run("update tasks set name = name || '!' where id = (select min(id::text)::uuid from tasks)");
    database.run("update strata.job set created_at = created_at - interval '2 minutes'");
    strata.run(&["up"]).exits(9).says(&["embeddings of task: 0 missing, 1 waiting, 0 dead"]);
    vectors::complete_all(&database, 384);
    strata.run(&aurum::UP).ok();
}

#[test]
fn a_dead_job_keeps_the_gate_shut() {
    let database = aurum::application();
    let strata = aurum::strata(&database, Vectors::Local);
    strata.run(&["up", "6"]).ok();
    vectors::complete_all(&database, 384);
    database.run(
        "update journal_entries set content = 'unreadable' where id = (select min(id::text)::uuid from journal_entries);
         update strata.job set state = 'dead', attempts = 8, error = 'no'",
    );
    strata.run(&["up"]).exits(9).says(&["embeddings of journal_entry: 0 missing, 0 waiting, 1 dead"]);
}
