//! What we run by itself is what the server refuses in a transaction: on a statement for every such refusal in PostgreSQL 17,
//! and on its own regression scripts.

#[path = "regression/scripts.rs"]
mod scripts;

use scripts::{cut, ours, scripts};
use std::collections::BTreeSet;
use strata_core::script::{Shape, Sql, shape};
use strata_tests::Database;
use strata_tests::database::Session;

/// How the server begins such a refusal, and what follows it.
const REFUSAL: &str = " cannot run inside a transaction block";

/// Every name that PostgreSQL 17.11 gives to `PreventInTransactionBlock`, but for those of the replication protocol; and a
/// statement that comes to it.
const REFUSALS: &[(&str, &str)] = &[
    ("COMMIT PREPARED", "commit prepared 'x'"),
    ("ROLLBACK PREPARED", "rollback prepared 'x'"),
    ("CREATE TABLESPACE", "create tablespace s location '/nowhere'"),
    ("DROP TABLESPACE", "drop tablespace if exists s"),
    ("CREATE DATABASE", "create database d"),
    ("DROP DATABASE", "drop database if exists d with (force)"),
    ("ALTER SYSTEM", "alter system set work_mem = '4MB'"),
    ("ALTER SYSTEM", "alter system reset all"),
    ("ALTER TABLE ... DETACH CONCURRENTLY", "alter table p detach partition q concurrently"),
    (
        "ALTER TABLE ... DETACH CONCURRENTLY",
        "alter table if exists only public.p detach partition q concurrently",
    ),
    ("CREATE INDEX CONCURRENTLY", "create index concurrently i on t (x)"),
    ("CREATE INDEX CONCURRENTLY", "create unique index concurrently if not exists i on only t (x)"),
    ("DROP INDEX CONCURRENTLY", "drop index concurrently if exists i"),
    ("ALTER DATABASE SET TABLESPACE", "alter database d set tablespace s"),
    ("ALTER DATABASE SET TABLESPACE", "alter database d tablespace s"),
    ("CLUSTER", "cluster"),
    ("CLUSTER", "cluster verbose"),
    ("CLUSTER", "cluster (verbose)"),
    ("VACUUM", "vacuum"),
    ("VACUUM", "vacuum (analyze, verbose) t"),
    ("VACUUM", "vacuum full t"),
    ("VACUUM", "vacuum (full) t"),
    ("REINDEX CONCURRENTLY", "reindex table concurrently t"),
    ("REINDEX CONCURRENTLY", "reindex (verbose, concurrently true) index t_x"),
    ("REINDEX CONCURRENTLY", "reindex (verbose off, concurrently) schema public"),
    ("REINDEX CONCURRENTLY", "reindex database concurrently"),
    ("REINDEX SCHEMA", "reindex schema public"),
    ("REINDEX SCHEMA", "reindex (verbose) schema public"),
    ("REINDEX SYSTEM", "reindex system"),
    ("REINDEX DATABASE", "reindex (verbose, concurrently off) database"),
    (
        "CREATE SUBSCRIPTION ... WITH (create_slot = true)",
        "create subscription u connection 'dbname=x' publication p",
    ),
    ("ALTER SUBSCRIPTION with refresh", "alter subscription on_ set publication p"),
    ("ALTER SUBSCRIPTION with refresh", "alter subscription on_ add publication r with (copy_data = false)"),
    ("ALTER SUBSCRIPTION with refresh", "alter subscription on_ drop publication p"),
    ("ALTER SUBSCRIPTION ... REFRESH", "alter subscription on_ refresh publication"),
    ("DROP SUBSCRIPTION", "drop subscription off_"),
    ("DISCARD ALL", "discard all"),
];

/// The same, since PostgreSQL 17.
const SINCE_17: &[(&str, &str)] =
    &[("ALTER SUBSCRIPTION ... SET (failover)", "alter subscription off_ set (failover = true)")];

/// The same, where only the catalog tells: the table is partitioned. There the file says `-- strata: no transaction`.
const PARTITIONED: &[(&str, &str)] = &[
    ("REINDEX TABLE", "reindex table p"),
    ("REINDEX INDEX", "reindex index p_x"),
    ("CLUSTER", "cluster p using p_x"),
];

/// What looks like one of them and may share a transaction.
const ALLOWED: &[&str] = &[
    "create index i on t (x)",
    "drop index t_x",
    "reindex table t",
    "reindex (verbose) index t_x",
    "reindex (concurrently false) table t",
    "cluster t using t_x",
    "analyze t",
    "analyze (verbose) t",
    "alter table p detach partition q",
    "alter table t set logged",
    "alter database {here} set default_tablespace = ''",
    "alter type mood add value 'glad'",
    "refresh materialized view concurrently m",
    "create subscription u connection 'dbname=x' publication p with (connect = false)",
    "alter subscription on_ set publication p with (refresh = false)",
    "alter subscription on_ disable",
    "alter subscription off_ set (binary = true)",
    "alter subscription off_ connection 'dbname=y'",
    "alter subscription off_ rename to other",
    "discard temp",
    "discard sequences",
];

const THINGS: &str = "
    create table t (x int);
    create index t_x on t (x);
    create table p (x int) partition by list (x);
    create table q partition of p for values in (1);
    create index p_x on p (x);
    create type mood as enum ('sad');
    create materialized view m as select 1 as x;
    create unique index m_x on m (x);
    create subscription off_ connection 'dbname=x' publication p with (connect = false);
    create subscription on_ connection 'dbname=x' publication p, q with (connect = false);
    update pg_subscription set subenabled = true where subname = 'on_' and subdbid = (
        select oid from pg_database where datname = current_database())";

/// A database with subscriptions can only be dropped without them.
const NO_SUBSCRIPTIONS: &str = "
    alter subscription on_ disable;
    alter subscription on_ set (slot_name = none);
    alter subscription off_ set (slot_name = none);
    drop subscription on_;
    drop subscription off_";

fn one(text: &str) -> Sql {
    ours("a list", text).remove(0)
}

/// True if we do not let it share a transaction.
fn is_apart(sql: &Sql) -> bool {
    !matches!(shape(sql), Shape::Plain | Shape::Setting)
}

/// What the server says to a statement in a transaction, which is then rolled back: SQLSTATE and message of an error.
fn inside(session: &mut Session<'_>, text: &str) -> Result<(), (String, String)> {
    let done = session.batch_execute(&format!("begin; {text}"));
    session.batch_execute("rollback").expect("a rollback");
    done.map_err(|error| {
        let error = error.as_db_error().unwrap_or_else(|| panic!("{error}: {text}"));
        (error.code().code().to_owned(), error.message().to_owned())
    })
}

/// The name that a refusal gives the statement.
fn refused(answer: &Result<(), (String, String)>) -> Option<&str> {
    let (code, message) = answer.as_ref().err()?;
    message.strip_suffix(REFUSAL).filter(|_| code == "25001")
}

#[test]
fn every_statement_that_the_server_refuses_in_a_transaction_stands_alone() {
    let database = Database::empty();
    database.run(THINGS);
    let since_17 = database.value::<i32>("select current_setting('server_version_num')::int") >= 170_000;
    let mut session = database.session();
    let always = REFUSALS.iter().chain(SINCE_17.iter().filter(|_| since_17));
    for (name, text) in always.clone() {
        assert_eq!(refused(&inside(&mut session, text)), Some(*name), "{text}");
        assert!(is_apart(&one(text)), "{text}: {:?}", shape(&one(text)));
    }
    for (name, text) in PARTITIONED {
        assert_eq!(refused(&inside(&mut session, text)), Some(*name), "{text}");
        assert_eq!(shape(&one(text)), Shape::Plain, "{text}: the text does not tell");
    }
    let names: BTreeSet<&str> = always.chain(PARTITIONED).map(|(name, _)| *name).collect();
    assert_eq!(names.len(), 24 + usize::from(since_17), "{names:?}");
    drop(session);
    database.run(NO_SUBSCRIPTIONS);
}

#[test]
fn what_looks_like_one_of_them_shares_a_transaction() {
    let database = Database::empty();
    database.run(THINGS);
    let mut session = database.session();
    for text in ALLOWED {
        let text = text.replace("{here}", database.name());
        assert_eq!(inside(&mut session, &text), Ok(()), "{text}");
        assert!(!is_apart(&one(&text)) || text.starts_with("discard"), "{text}: {:?}", shape(&one(&text)));
    }
    drop(session);
    database.run(NO_SUBSCRIPTIONS);
}

/// Only these come to a refusal; the others may take long.
fn is_utility(sql: &Sql) -> bool {
    const OTHERS: &[&str] = &[
        "(",
        "select",
        "with",
        "values",
        "table",
        "insert",
        "update",
        "delete",
        "merge",
        "explain",
        "execute",
        "fetch",
        "move",
        "copy",
        "do",
        "call",
        "begin",
        "start",
        "end",
        "abort",
        "commit",
        "rollback",
        "savepoint",
        "release",
        "prepare",
        "set",
    ];
    let first = sql.words.first().map_or("", String::as_str);
    let prepared = sql.words.get(1).is_some_and(|word| word == "prepared");
    prepared || !OTHERS.contains(&first)
}

#[test]
fn the_regression_scripts_are_classified_as_the_server_does() {
    let database = Database::empty();
    let mut session = database.session();
    session.batch_execute("set statement_timeout = '5s'; set client_min_messages = error").expect("settings");
    let (mut asked, mut agreed, mut earlier, mut differ) = (0, 0, Vec::new(), Vec::new());
    for (name, text) in scripts() {
        for sql in ours(&name, &cut(&name, &text).for_us).into_iter().filter(is_utility) {
            let answer = inside(&mut session, &sql.text);
            asked += 1;
            let told = format!("{name}: line {}: {}: {answer:?}", sql.line, sql.summary());
            match (refused(&answer), is_apart(&sql)) {
                (Some(_), true) => agreed += 1,
                (None, false) => {}
                // Only the catalog tells that it is partitioned.
                (Some("REINDEX TABLE" | "REINDEX INDEX" | "CLUSTER"), false) if sql.words.len() > 1 => {}
                (Some(_), false) => differ.push(told),
                // Another error came first: whether it would be refused is not known.
                (None, true) if answer.is_err() => earlier.push(told),
                (None, true) if matches!(sql.words[0].as_str(), "discard" | "deallocate" | "reset") => {}
                // Only the catalog tells that it has no replication slot, or is not there.
                (None, true) if shape(&sql) == Shape::Alone("drop subscription") => {}
                (None, true) => differ.push(told),
            }
        }
    }
    println!("{asked} statements; {agreed} refused by both; {} failed before that", earlier.len());
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    assert!(asked > 8_000 && agreed > 100, "{asked} statements, {agreed} refused: too few");
    assert!(earlier.len() * 2 < agreed, "{}", earlier.join("\n"));
}
