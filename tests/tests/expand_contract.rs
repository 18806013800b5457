//! Expand and contract of a column: what a writer of either column finds, what comes back, and what is refused.

use strata_tests::Database;

const TABLE: &str = "
    create table t (id int primary key, status text not null default 'todo', c text);
    insert into t values (1, 'todo', 'a'), (2, 'done', null);
    grant update (status) on t to pg_monitor with grant option";

const EXPAND: &str = "select strata.expand_column('t', 'status', 'state', 'varchar(9)', 'upper(status)', 'lower(state)', '''TODO''')";

fn expanded() -> Database {
    let database = Database::installed();
    database.run(TABLE);
    database.run(EXPAND);
    database
}

fn rows(database: &Database) -> Vec<String> {
    database.column("select concat_ws(' ', id, status, state) from t order by id")
}

#[test]
fn who_writes_one_column_finds_the_other() {
    let database = expanded();
    database.run("insert into t (id) values (3); insert into t (id, state) values (4, 'LATE')");
    database.run("insert into t (id, status, state) values (5, 'Done', 'DONE'), (6, 'late', 'DONE')");
    assert_eq!(rows(&database)[2..], ["3 todo TODO", "4 late LATE", "5 Done DONE", "6 done DONE"]);
    database.run("update t set status = 'late' where id = 3; update t set state = 'DONE' where id = 4");
    database.run("update t set status = 'Late', state = 'LATE' where id = 5");
    database.run("update t set status = 'late', state = 'TODO' where id = 6; update t set c = 'x'");
    assert_eq!(rows(&database)[2..], ["3 late LATE", "4 done DONE", "5 Late LATE", "6 todo TODO"]);
}

#[test]
fn the_new_column_takes_the_place_of_the_old_one_and_gives_it_back() {
    let database = expanded();
    database.run("call strata.fill_column('t', 'state')");
    assert_eq!(rows(&database), ["1 todo TODO", "2 done DONE"]);
    let rights = "select has_column_privilege('pg_monitor', 't', 'state', 'update with grant option')";
    assert!(database.value::<bool>(rights));
    let not_null = "select attname::text from pg_attribute where attrelid = 't'::regclass and attnotnull and attnum > 0 order by 1";
    assert_eq!(database.column::<String>(not_null), ["id", "state", "status"]);
    database.run("update t set status = 'Done' where id = 2");
    database.run("call strata.contract_column('t', 'state')");
    database.run("insert into t (id) values (3); update t set state = 'LATE' where id = 1");
    assert_eq!(database.column::<String>("select state::text from t order by id"), ["LATE", "DONE", "TODO"]);
    database.run("call strata.revert_contract('t', 'state')");
    assert_eq!(rows(&database), ["1 late LATE", "2 Done DONE", "3 todo TODO"], "kept where it still agrees");
    assert_eq!(database.column::<String>(not_null), ["id", "state", "status"]);
    database.run("insert into t (id) values (4); select strata.revert_expand('t', 'state')");
    assert_eq!(
        database.value::<String>("select status from t where id = 4"),
        "todo",
        "it has its default again"
    );
    assert!(database.value::<bool>(&rights.replace("state", "status")));
    assert_eq!(database.value::<i64>("select count(*) from strata.expansion"), 0);
}

#[test]
fn refuses_what_it_cannot_do() {
    let database = expanded();
    database.run(
        "create table g (id int primary key, a text, b text generated always as (upper(a)) stored, i int generated always as identity);
         create table k (a text); create view v as select * from g; create view on_c as select c from t;
         select strata.expand_column('t', 'c', 'd', 'text', 'c', 'd')",
    );
    let expand = |what: &str| format!("select strata.expand_column({what})");
    for (sql, code, part) in [
        (expand("'g', 'a', 'x', 'text', 'a', null"), "22004", "an expansion needs a table"),
        (expand("'v', 'a', 'x', 'text', 'a', 'x'"), "42809", "public.v is not a table of its own"),
        (expand("'k', 'a', 'x', 'text', 'a', 'x'"), "42P10", "relation public.k has no primary key"),
        (
            expand("'g', 'z', 'x', 'text', 'a', 'x'"),
            "42703",
            "column \"z\" of relation public.g does not exist",
        ),
        (
            expand("'g', 'a', 'b', 'text', 'a', 'b'"),
            "42701",
            "column \"b\" of relation public.g exists already",
        ),
        (expand("'g', 'b', 'x', 'text', 'b', 'x'"), "0A000", "is generated"),
        (expand("'g', 'i', 'x', 'int', 'i', 'x'"), "0A000", "is an identity"),
        (expand("'g', 'id', 'x', 'int', 'id', 'x'"), "0A000", "is part of the primary key"),
        (expand("'g', 'a', 'new', 'text', 'a', 'a'"), "22023", "cannot be written together"),
        (
            expand("'g', 'a', 'x', 'text', 'a || random()', 'x'"),
            "42P17",
            "generation expression is not immutable",
        ),
        (expand("'g', 'a', 'x', 'nope', 'a', 'x'"), "42704", "type \"nope\" does not exist"),
        (
            EXPAND.replace("'state'", "'s2'").replace(", '''TODO'''", "").replace("(state)", "(s2)"),
            "22023",
            "has a default",
        ),
        ("call strata.fill_column('t', 'nope')".into(), "42704", "stands in for no other"),
        (
            "call strata.contract_column('t', 'state')".into(),
            "55000",
            "is expanded, not filled or contracting",
        ),
        (
            "call strata.revert_contract('t', 'state')".into(),
            "55000",
            "is expanded, not contracted or reverting",
        ),
        ("call strata.fill_column('t', 'd'); ".into(), "", ""),
        (
            "call strata.contract_column('t', 'd')".into(),
            "2BP01",
            "column \"c\" of relation public.t is used by",
        ),
        ("call strata.contract_column('t', 'd', 0)".into(), "22023", "batch must be at least 1 row, not 0"),
    ] {
        if code.is_empty() {
            database.run(&sql);
            continue;
        }
        let (sqlstate, message) = database.refusal(&sql);
        assert!(sqlstate == code && message.contains(part), "{sql}: {sqlstate} {message}");
    }
}
