//! Eight runs of the same pack at the same moment, again and again: one does the work, the others wait for it and have
//! nothing to do, and none of them blocks the index build of the one.

use strata_tests::{Database, Folder, Running, Strata};

const ROUNDS: usize = 20;
const RUNS: usize = 8;

#[test]
fn eight_runs_at_once_apply_each_version_once_and_all_succeed() {
    let pack = Folder::of(&[
        (
            "001_t.up.sql",
            "create table t (id int primary key, x int); insert into t select g, g from generate_series(1, 500) g",
        ),
        ("002_index.up.sql", "create index concurrently t_x on t (x)"),
        (
            "003_unique.up.sql",
            "create unique index concurrently t_unique on t (x, id); insert into t values (0, 0)",
        ),
    ]);
    for round in 0..ROUNDS {
        let database = Database::installed();
        let strata = Strata::on(&database).path(pack.path()).arg("--lock-timeout").arg("120");
        let runs: Vec<Running> = (0..RUNS).map(|_| strata.start(&["up"])).collect();
        let mut results: Vec<String> = runs.into_iter().map(|run| run.end().ok().stdout).collect();
        results.sort();
        let (worked, idle) = results.split_first().expect("eight");
        assert!(
            worked == "3 versions applied\n" && idle.iter().all(|told| told == "no change\n"),
            "round {round}: {results:?}"
        );
        assert_eq!(database.column::<String>("select distinct state from strata.migration"), ["applied"]);
        assert_eq!(database.value::<i64>("select count(*) from t"), 501, "round {round}");
        let broken = "select count(*) from pg_index where not indisvalid or not indisready";
        assert_eq!(database.value::<i64>(broken), 0, "round {round}: an invalid index");
        let told: Vec<i64> =
            database.column("select count(*) from strata.history where event = 'succeeded' group by version");
        assert_eq!(told, [1, 1, 1], "round {round}: each once");
    }
}
