//! A table that is migrated and its twin that is left alone get the same writes in the same transactions. Whatever is done
//! to the one, up and down, no row of them differs.

use std::process::{Child, Command, Stdio};
use strata_tests::database::unique;
use strata_tests::environment::program;
use strata_tests::{Database, Folder};

/// `up` is not one to one: 'LATE' and 'late' become the same, so that what comes back shows where it comes from.
const TWINS: &str = "
    create function up(status text) returns int immutable language sql as
        $$select case lower(status) when 'todo' then 1 when 'done' then 2 when 'late' then 3 end$$;
    create function down(state int) returns text immutable language sql as $$select ('{todo,done,late}'::text[])[state]$$;
    create table t (id int primary key, status text, n int not null default 0);
    insert into t select g, ('{todo,done,late,LATE,NULL}'::text[])[g % 5 + 1] from generate_series(1, 4000) g;
    create table twin (like t including all); insert into twin select * from t;
    alter table twin add touched bool not null default true";

const EXPAND: &str =
    "select strata.expand_column('t', 'status', 'state', 'int', 'up(status)', 'down(state)')";

const FILL: &str = "call strata.fill_column('t', 'state', 50)";

/// One writer a key: the twins see the writes in the same order.
const HEAD: &str =
    "\\set id random(1, 5000)\n\\set s random(1, 5)\nbegin;\nselect pg_advisory_xact_lock(:id);\n";

/// The application of before: knows the old column.
const OLD: [&str; 3] = [
    "update t set status = ('{todo,done,late,LATE,NULL}'::text[])[:s], n = n + 1 where id = :id;
     update twin set status = ('{todo,done,late,LATE,NULL}'::text[])[:s], n = n + 1 where id = :id;",
    "insert into t (id, status) values (:id, ('{todo,done,late,LATE,NULL}'::text[])[:s]) on conflict do nothing;
     insert into twin (id, status) values (:id, ('{todo,done,late,LATE,NULL}'::text[])[:s]) on conflict do nothing;",
    "delete from t where id = :id;\ndelete from twin where id = :id;",
];

/// The application of afterwards: knows the new column. Its twin keeps the old value where the new one does not change, and
/// remembers which rows it changed.
const NEW: [&str; 3] = [
    "update t set state = :s % 3 + 1, n = n + 1 where id = :id;
     update twin set status = case when up(status) is not distinct from :s % 3 + 1 then status
                                   else down(:s % 3 + 1) end,
                     touched = touched or up(status) is distinct from :s % 3 + 1, n = n + 1 where id = :id;",
    "insert into t (id, state) values (:id, :s % 3 + 1) on conflict do nothing;
     insert into twin (id, status) values (:id, down(:s % 3 + 1)) on conflict do nothing;",
    "delete from t where id = :id;\ndelete from twin where id = :id;",
];

/// pgbench, writing until it is stopped.
struct Writers<'d> {
    database: &'d Database,
    pgbench: Child,
    name: String,
    before: i64,
}

impl<'d> Writers<'d> {
    /// Two clients; the statements of each list are of equal weight, but that updates come four times as often.
    fn start(database: &'d Database, scripts: &[[&str; 3]]) -> Self {
        let folder = Folder::empty();
        let mut command = Command::new(program("pgbench"));
        command.args(["-n", "-c", "2", "-T", "300"]);
        for (number, (kind, body)) in scripts.iter().flat_map(|list| list.iter().enumerate()).enumerate() {
            let path = folder.path().join(format!("{number}.pgbench"));
            std::fs::write(&path, format!("{HEAD}{body}\ncommit;\n")).expect("written");
            command.arg("-f").arg(format!("{}@{}", path.display(), if kind == 0 { 4 } else { 1 }));
        }
        let before = database.value("select coalesce(sum(n), 0) from twin");
        let name = unique("writers");
        let pgbench = command
            .arg(database.url())
            .env("PGAPPNAME", &name)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pgbench starts");
        let writers = Writers { database, pgbench, name, before };
        writers.until_more(20);
        writers
    }

    fn until_more(&self, more: i64) {
        // Deletions take from the sum what insertions do not bring back.
        self.database.until(&format!("select coalesce(sum(n), 0) <> {} from twin", self.before));
        let now: i64 = self.database.value("select coalesce(sum(n), 0) from twin");
        self.database.until(&format!("select abs(coalesce(sum(n), 0) - {now}) >= {more} from twin"));
    }

    /// No write has failed, and the work met some.
    fn stop(mut self) {
        assert!(self.pgbench.try_wait().expect("asked").is_none(), "pgbench writes to the end");
        self.until_more(20);
        self.pgbench.kill().expect("killed");
        let said = self.pgbench.wait_with_output().expect("ended").stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(!said.contains("ERROR") && !said.contains("aborted"), "{said}");
        self.database.until(&format!(
            "select not exists (select from pg_stat_activity where application_name = '{}')",
            self.name
        ));
    }
}

fn twins() -> Database {
    let database = Database::installed();
    database.run(TWINS);
    database
}

/// Rows of the one that the other does not have, both ways.
fn differences(database: &Database, t: &str, twin: &str) -> i64 {
    database.value(&format!(
        "select count(*) from ((select {t} from t except all select {twin} from twin)
                               union all (select {twin} from twin except all select {t} from t)) d"
    ))
}

/// The old column, once it has come back. A row whose new column was written while there was no other cannot know that,
/// if it says again what it said before: then the kept value agrees with it and counts, and else `down` of it.
fn assert_kept(database: &Database) {
    let wrong: i64 = database.value(
        "select count(*) from t join twin using (id)
         where t.status is distinct from twin.status and (not touched or up(t.status) is distinct from up(twin.status))",
    );
    assert_eq!(wrong, 0, "old values that are not what was kept");
    let kept: i64 = database.value("select count(*) from t where status = 'LATE'");
    assert!(kept > 0, "the column is not one to one, and its values came back");
}

fn assert_same(database: &Database, t: &str, twin: &str) {
    assert_eq!(differences(database, t, twin), 0, "{t} of the table, {twin} of its twin");
}

#[test]
fn a_backfill_changes_what_it_says_and_nothing_else() {
    let database = twins();
    database.run("alter table t add column code text; alter table twin add column code text");
    let writers = Writers::start(&database, &[OLD]);
    database.run("call strata.backfill('code', 't', 'id', 'update t set code = ''c'' || id where id between $1::int and $2::int', 50)");
    writers.stop();
    assert_same(&database, "id, status, n", "id, status, n");
    let walked: i64 = database.value("select count(*) from t where code = 'c' || id");
    assert!(walked > 1000, "{walked}");
}

#[test]
fn a_column_is_replaced_and_comes_back_while_everybody_writes() {
    let database = twins();
    let writers = Writers::start(&database, &[OLD]);
    database.run(EXPAND);
    let both = Writers::start(&database, &[NEW]);
    database.run(FILL);
    both.stop();
    writers.stop();
    assert_same(&database, "id, status, state, n", "id, status, up(status), n");

    database.run("update twin set touched = false");
    let writers = Writers::start(&database, &[NEW]);
    database.run("call strata.contract_column('t', 'state', 500)");
    writers.stop();
    assert_same(&database, "id, state, n", "id, up(status), n");
    assert_eq!(database.refusal("select status from t").0, "42703", "the old column is gone");

    let writers = Writers::start(&database, &[NEW]);
    database.run("call strata.revert_contract('t', 'state', 50)");
    writers.stop();
    assert_same(&database, "id, up(status), state, n", "id, up(status), up(status), n");
    assert_kept(&database);

    database.run("update twin set status = t.status from t where t.id = twin.id");
    let writers = Writers::start(&database, &[NEW, OLD]);
    writers.stop();
    assert_same(&database, "id, status, state, n", "id, status, up(status), n");

    let writers = Writers::start(&database, &[OLD]);
    database.run("select strata.revert_expand('t', 'state')");
    writers.stop();
    assert_same(&database, "id, status, n", "id, status, n");
    let left = "select attname::text from pg_attribute where attrelid = 't'::regclass and attnum > 0 and not attisdropped order by 1";
    assert_eq!(database.column::<String>(left), ["id", "n", "status"]);
    assert_eq!(
        database.value::<i64>(
            "select count(*) from pg_trigger where tgrelid = 't'::regclass and not tgisinternal"
        ),
        0
    );
}

#[test]
fn without_its_trigger_the_twins_would_differ() {
    let database = twins();
    database.run(EXPAND);
    database.run("select strata.write_one('t', 'state')");
    let writers = Writers::start(&database, &[OLD]);
    database.run("update t set state = up(status)");
    writers.stop();
    assert!(differences(&database, "id, state", "id, up(status)") > 0);
}
