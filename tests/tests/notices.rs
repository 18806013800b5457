//! What the server says of its own accord while a run is at work is told to whoever watches it, in the database as on the
//! command line.

use strata_tests::{Database, Folder, Strata};

const SAYS: &str = "do $$ begin raise notice 'one row of %', 7; raise warning 'look'; raise info 'told'; raise log 'not told'; end $$;
    drop table if exists nobody;
    set local client_min_messages = warning;
    do $$ begin raise notice 'hushed'; raise warning 'still'; end $$";

fn pack() -> Folder {
    Folder::of(&[
        ("001_says.up.sql", SAYS),
        ("002_fails.up.sql", "do $$ begin raise notice 'before the end'; end $$; select 1 / 0"),
    ])
}

#[test]
fn notices_of_a_run_in_the_database_are_kept_as_the_command_line_prints_them() {
    let (database, pack) = (Database::installed(), pack());
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    let level: String = database.value("show log_min_messages");
    let run: String = database.value("select strata.start_run('pack')::text");
    database.until(&format!("select state = 'failed' from strata.run where id = '{run}'"));
    let told: Vec<String> = database.column(&format!(
        "select text from strata.run_event where kind = 'notice' and run = '{run}' order by id"
    ));
    assert_eq!(
        told,
        ["NOTICE: one row of 7", "WARNING: look", "INFO: told", "WARNING: still", "NOTICE: before the end"]
    );
    assert_eq!(database.value::<String>("show log_min_messages"), level);

    let outside = Database::installed();
    let printed = Strata::on(&outside).path(pack.path()).run(&["up"]).exits(1).stderr;
    let lines = printed.lines().filter_map(|line| line.strip_prefix("  "));
    let said: Vec<&str> =
        lines.filter(|l| ["NOTICE:", "WARNING:", "INFO:"].iter().any(|s| l.starts_with(s))).collect();
    assert_eq!(said, told, "{printed}");
}
