//! Contract phases: what they drop is kept and comes back, whatever happens in between, until somebody signs that it may go.

use postgres::Client;
use std::sync::atomic::{AtomicBool, Ordering};
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Strata, dump};

const MANIFEST: &str = "name = 'pack'\ntitle = 'P'\n\
    [[phase]]\nnumber = 1\nname = 'Expand'\nmigrations = [1]\n\
    [[phase]]\nnumber = 2\nname = 'Contract'\nmigrations = [2]\ncontract = true\n";

/// A pack that makes a table, and retires something of it.
fn pack(table: &str, retire: &str, restore: &str) -> Folder {
    Folder::of(&[
        ("pack.toml", MANIFEST),
        ("001_table.up.sql", table),
        ("001_table.down.sql", "drop table t"),
        (
            "001_table.verify.sql",
            "select 'keys' as check_name, '0' as expected, count(*)::text as actual, count(*) = 0 as ok from t where id < 0",
        ),
        ("002_contract.up.sql", retire),
        ("002_contract.down.sql", restore),
    ])
}

/// Takes a database up to the contract and signs it.
fn signed(database: &Database, pack: &Folder) -> Strata {
    let strata = Strata::on(database).path(pack.path());
    strata.run(&["up", "--to-phase", "1"]).ok();
    strata.run(&["sign-off", "2.signed", "--reason", "nobody reads it"]).ok();
    strata
}

fn kept(database: &Database) -> Vec<String> {
    database.column("select state from strata.kept order by id")
}

const WIDE: &str = "create table t (id int primary key, a text, x int not null default 7, y text);
    create index t_y on t (y) where x > 0;
    alter table t add constraint t_x check (x < 1000000), add constraint t_xy unique (x, y);
    comment on column t.y is 'why';
    insert into t select g, 'a', g, case when g % 3 > 0 then 'y' || g end from generate_series(1, 5000) g";
const RETIRE: &str = "call strata.retire_columns('t', array['x', 'y'], 100)";
const RESTORE: &str = "call strata.restore_columns('t', array['x', 'y'], 100)";

#[test]
fn a_contract_starts_only_when_it_is_signed_and_comes_back_to_the_byte() {
    let (database, pack) = (Database::installed(), pack(WIDE, RETIRE, RESTORE));
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up"]).exits(9).says(&["the gate of phase 2 (Contract) is not met: 2.signed is not signed"]);
    assert_eq!(strata.run(&["version"]).ok().stdout, "1\n");
    signed(&database, &pack);
    let hash = "select md5(string_agg(t::text, ',' order by id)) from t";
    let (schema, data): (String, String) = (dump(&database), database.value(hash));

    strata.run(&["up"]).ok();
    assert_eq!(database.refusal("select x from t").0, "42703");
    let copy: String = database.value("select copy from strata.kept");
    assert_eq!(
        database.value::<i64>("select rows from strata.kept where pack = 'pack' and version = 2"),
        5000
    );
    let contracted = dump(&database);
    strata.run(&["down", "1"]).ok();
    // The columns were the last ones, so that their place is the same again.
    assert_same("the schema", &schema, &dump(&database));
    assert_eq!(database.value::<String>(hash), data);
    assert!(database.value::<bool>(&format!("select to_regclass('{copy}') is null")));
    strata.run(&["up"]).ok();
    assert_same("contracted again", &contracted, &dump(&database));
    assert_eq!(kept(&database), ["restored", "kept"]);
}

#[test]
fn a_copy_is_closed_to_everybody() {
    let (database, pack) = (Database::installed(), pack(WIDE, RETIRE, RESTORE));
    let role = format!("peeper_{}", database.name());
    database.run(&format!(
        "create role {role}; grant usage on schema strata to {role};
         alter default privileges in schema strata grant all on tables to {role}"
    ));
    signed(&database, &pack).run(&["up"]).ok();
    let copy: String = database.value("select copy from strata.kept");
    assert!(
        database
            .value::<bool>(&format!("select relrowsecurity from pg_class where oid = '{copy}'::regclass"))
    );
    let told = database.refusal(&format!("set role {role}; select * from {copy}"));
    database.run(&format!("reset role; drop owned by {role}; drop role {role}"));
    assert_eq!(told.0, "42501");
}

/// Writes to t and its twin alike until x is gone: inserts, updates, deletes, changes of the key.
fn write(session: &mut Client, stop: &AtomicBool) -> i32 {
    let mut turn = 0;
    loop {
        let id = 1 + turn * 7 % 5000;
        let both = ["t", "twin"].map(|table| match turn % 4 {
            0 => format!("update {table} set x = x + 100000 where id = {id} and x < 100000"),
            1 => format!(
                "insert into {table} (id, a, x, y) values ({}, 'n', {turn} + 500000, 'new')",
                10_000 + turn
            ),
            2 => format!("delete from {table} where id = {id}"),
            _ => format!("update {table} set id = id + 20000, y = 'moved' where id = {id}"),
        });
        if stop.load(Ordering::Relaxed) || session.batch_execute(&both.join(";")).is_err() {
            return turn;
        }
        turn += 1;
    }
}

#[test]
fn what_the_application_writes_while_columns_are_copied_is_kept_too() {
    let (database, pack) = (Database::installed(), pack(WIDE, &RETIRE.replace("100", "20"), RESTORE));
    let strata = signed(&database, &pack);
    database.run("create table twin as select * from t");
    let (stop, mut session) = (AtomicBool::new(false), database.connect());
    let turns = std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(&mut session, &stop));
        let outcome = strata.run(&["up"]);
        stop.store(true, Ordering::Relaxed);
        let turns = writer.join().expect("no panic");
        outcome.ok();
        turns
    });
    assert!(turns > 20, "the writer had its turns: {turns}");
    strata.run(&["down", "1"]).ok();
    for (one, other) in [("t", "twin"), ("twin", "t")] {
        let lost: i64 = database.value(&format!(
            "select count(*) from (select id, x, y from {one} except all select id, x, y from {other}) d"
        ));
        assert_eq!(lost, 0, "in {one} and not in {other} after {turns} writes");
    }
}

#[test]
fn killed_while_it_copies_or_brings_back_it_goes_on_where_it_was() {
    let (retire, restore) = (RETIRE.replace("100", "5"), RESTORE.replace("100", "5"));
    let (database, pack) = (Database::installed(), pack(WIDE, &retire, &restore));
    let strata = signed(&database, &pack);
    let hash = "select md5(string_agg(t::text, ',' order by id)) from t";
    let data: String = database.value(hash);
    for (way, state, done) in [("up", "copying", "kept"), ("down", "restoring", "restored")] {
        for _ in 0..2 {
            let before: Option<String> = database.value("select max(cursor::text) from strata.kept");
            let run = strata.start(&[way]);
            database.until(&format!(
                "select exists (select from strata.kept where state = '{state}' and cursor is not null
                                and cursor::text is distinct from {})",
                before.map_or("null".to_owned(), |b| format!("'{b}'"))
            ));
            run.kill();
            database.terminate_others();
            assert_eq!(kept(&database), [state]);
        }
        strata.run(&[way]).ok();
        assert_eq!(kept(&database), [done]);
    }
    assert_eq!(database.value::<String>(hash), data);
}

#[test]
fn a_contract_that_was_not_finished_is_taken_back() {
    let retire = format!("{RETIRE}; select 1 / 0");
    let (database, pack) = (Database::installed(), pack(WIDE, &retire, RESTORE));
    let strata = signed(&database, &pack);
    let schema = dump(&database);
    database.run("create view seen as select x from t");
    strata.run(&["up"]).exits(1).says(&["2BP01", "cannot drop column x"]);
    assert_eq!(kept(&database), ["copying"]);
    database.run("drop view seen");
    strata.run(&["down", "1"]).ok();
    assert_eq!(kept(&database), ["restored"]);
    assert_same("nothing was taken", &schema, &dump(&database));
    strata.run(&["up"]).exits(1).says(&["22012"]);
    strata.run(&["down", "1"]).ok();
    assert_same("and all was brought back", &schema, &dump(&database));
}

#[test]
fn rows_that_were_written_meanwhile_have_null_or_the_default_and_a_warning_says_what_could_not_be() {
    let table = "create table t (id int primary key, a text not null, b int not null default 5, c text);
                 insert into t values (1, 'a', 1, 'c')";
    let columns = "array['a', 'b', 'c']";
    let (database, pack) = (
        Database::installed(),
        pack(
            table,
            &format!("call strata.retire_columns('t', {columns})"),
            &format!("call strata.restore_columns('t', {columns})"),
        ),
    );
    let strata = signed(&database, &pack);
    strata.run(&["up"]).ok();
    database.run("insert into t values (2)");
    let down = strata.run(&["down", "1"]).ok();
    assert!(down.stderr.contains("WARNING: not done, because rows were written"), "{}", down.stderr);
    let rows: Vec<String> = database
        .column("select concat_ws(' ', id, coalesce(a, '-'), b, coalesce(c, '-')) from t order by id");
    assert_eq!(rows, ["1 a 1 c", "2 - 5 -"]);
}

#[test]
fn a_table_is_retired_and_comes_back_to_the_byte() {
    let table = "create table t (id serial primary key, x int);
                 create table u (id int generated always as identity primary key, t int references t, note text);
                 create index u_note on u (note); alter table u enable row level security;
                 create policy mine on u for select using (note is not null); grant select on u to public;
                 insert into t (x) values (1); insert into u (t, note) values (1, 'n')";
    let (database, pack) = (
        Database::installed(),
        pack(table, "select strata.retire_table('public.u')", "select strata.restore_table('public.u')"),
    );
    let strata = signed(&database, &pack);
    let schema = dump(&database);
    strata.run(&["up"]).ok();
    assert_eq!(database.refusal("select * from u").0, "42P01");
    strata.run(&["down", "1"]).ok();
    assert_same("the schema", &schema, &dump(&database));
    assert_eq!(database.value::<String>("select note from u"), "n");
}

#[test]
fn what_drops_outside_of_a_contract_phase_is_refused_before_anything_runs() {
    let pack = pack("create table t (id int); alter table t drop column id", "select 1", "select 1");
    let database = Database::installed();
    let strata = Strata::on(&database).path(pack.path());
    for command in ["up", "push"] {
        strata.run(&[command]).exits(21).says(&[
            "001_table.up.sql: line 1: alter table t drop column id",
            "contract phase",
            "may_drop",
        ]);
    }
    assert!(database.value::<bool>("select to_regclass('t') is null"));
    pack.write("pack.toml", &MANIFEST.replace("migrations = [1]", "migrations = [1]\nmay_drop = [1]"));
    pack.remove("001_table.verify.sql");
    strata.run(&["up", "1"]).ok();
}

#[test]
fn a_clean_up_is_confirmed_verified_and_signed_and_final() {
    let (database, pack) = (Database::installed(), pack(WIDE, RETIRE, RESTORE));
    let strata = signed(&database, &pack);
    let sign = ["sign-off", "finalize", "--reason", "two weeks without a complaint"];
    strata.run(&sign).exits(2).says(&["its version 2 is not applied"]);
    strata.run(&["up"]).ok();
    strata.run(&["finalize"]).exits(11).says(&["Not removing what the contract kept", "say --yes"]);
    strata
        .run(&["finalize", "--yes"])
        .exits(9)
        .says(&["the clean-up of pack pack is not signed", "strata sign-off finalize"]);
    strata.run(&sign).ok();
    strata.run(&["down", "1"]).ok();
    strata.run(&["up"]).ok();
    strata.run(&["finalize", "--yes"]).exits(9).says(&["is older than a copy that is kept"]);
    strata.run(&sign).ok();
    database.run("insert into t values (-1)");
    strata.run(&["finalize", "--yes"]).exits(4).says(&["pack 1: keys: expected 0, found 1"]);
    database.run("delete from t where id < 0");
    let copy: String = database.value("select copy from strata.kept where state = 'kept'");
    database.run(&format!("delete from {copy} where id = 1"));
    strata
        .run(&["finalize", "--yes"])
        .exits(4)
        .says(&["rows kept of public.t {x,y}: expected 5000, found 4999"]);
    database.run(&format!("insert into {copy} values (1, 1, 'y1')"));

    assert_eq!(strata.run(&["finalize", "--yes", "--json"]).ok().json()["removed"], 1);
    assert!(database.value::<bool>(&format!("select to_regclass('{copy}') is null")));
    let told: Vec<String> =
        database.column("select version || event from strata.history where direction = 'finalize'");
    assert_eq!(told, ["2succeeded"]);
    strata
        .run(&["down", "1"])
        .exits(27)
        .says(&["version 2 (contract) cannot be taken back", "restore a backup"]);
    assert_eq!(database.refusal("call strata.restore_columns('t', array['x', 'y'])").0, "55000");
    assert_eq!(
        database.column::<String>("select state from strata.migration order by version"),
        ["applied", "applied"]
    );
    assert_eq!(strata.run(&["finalize", "--yes"]).ok().stdout, "no copy is kept\n");
}
