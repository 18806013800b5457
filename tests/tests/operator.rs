//! Roles that are no superusers: the owner of the database moves packs, and who else may is said.

use strata_tests::database::refusal;
use strata_tests::{Database, Folder, Role, Strata};

fn pack() -> Folder {
    Folder::of(&[
        (
            "001_t.up.sql",
            "create table t (id int primary key, x int); insert into t select i from generate_series(1, 2000) i",
        ),
        ("001_t.down.sql", "drop table t"),
        ("001_t.verify.sql", "select 'rows', '2000', count(*)::text, count(*) = 2000 from t"),
        (
            "002_fill.up.sql",
            "call strata.backfill(job => 'fill', relation => 'public.t', key => 'id',
                 statement => $$update public.t set x = 1 where id between $1::int and $2::int$$)",
        ),
        ("002_fill.down.sql", "update t set x = null"),
        ("003_index.up.sql", "create index concurrently t_x on t (x)"),
        ("003_index.down.sql", "drop index t_x"),
    ])
}

#[test]
fn the_owner_of_the_database_moves_packs_without_being_a_superuser() {
    let (database, role, pack) = (Database::installed(), Role::new(), pack());
    role.owns(&database);
    let strata = role.strata(&database).path(pack.path());
    assert_eq!(strata.run(&["up"]).ok().stdout, "3 versions applied\n");
    assert_eq!(database.value::<i64>("select count(*) from t where x = 1"), 2000);
    assert_eq!(strata.run(&["verify"]).ok().stdout, "1 check ok\n");
    strata.run(&["status"]).ok();
    assert_eq!(strata.run(&["version"]).ok().stdout, "3\n");
    strata.run(&["goto", "1"]).ok();
    strata.run(&["force", "2"]).ok();
    strata.run(&["down", "--all", "--yes"]).ok();
    strata.run(&["push"]).ok();
    strata.run(&["checklist"]).ok();
    role.leave(database);
}

#[test]
fn the_owner_takes_over_what_golang_migrate_has_applied() {
    let (database, role) = (Database::installed(), Role::new());
    role.owns(&database);
    database.run(&format!(
        "set role {}; create table schema_migrations (version bigint not null primary key, dirty boolean not null);
         insert into schema_migrations values (1, false); reset role",
        role.name()
    ));
    let pack = Folder::of(&[("1_a.up.sql", "select 1/0"), ("2_b.up.sql", "create table b ()")]);
    role.strata(&database).path(pack.path()).run(&["up"]).ok();
    assert_eq!(database.value::<i64>("select version from schema_migrations"), 2);
    role.leave(database);
}

#[test]
fn another_role_is_told_what_it_lacks_and_may_once_it_was_granted() {
    let (database, role, pack) = (Database::installed(), Role::new(), pack());
    database.run(&format!("grant create on schema public to {}", role.name()));
    let strata = role.strata(&database).path(pack.path());
    let says = ["permission denied", "select strata.grant_operator('your role')"];
    strata.run(&["up"]).exits(26).says(&says);
    strata.run(&["status"]).says(&says[1..]);
    database.run(&format!("select strata.grant_operator('{}')", role.name()));
    strata.run(&["up"]).ok();
    strata.run(&["status"]).ok();
    for forbidden in [
        "update strata.history set by = 'x'",
        "insert into strata.signature default values",
        "update strata.source set entity_type = 'x'",
        "select strata.grant_operator('public')",
    ] {
        let mut session = database.connect();
        session.batch_execute(&format!("set role {}", role.name())).unwrap();
        assert!(session.batch_execute(forbidden).is_err(), "{forbidden}");
    }
    role.leave(database);
}

#[test]
fn who_may_not_sign_is_told_which_right_that_is_and_may_once_it_was_granted() {
    let (database, role) = (Database::installed(), Role::new());
    role.owns(&database);
    let toml = "name = \"p\"\ntitle = \"p\"\n[[phase]]\nnumber = 1\nname = \"one\"\nmigrations = [1]\nneeds = [\"signed\"]\n";
    let pack = Folder::of(&[("pack.toml", toml), ("001_a.up.sql", "create table a ()")]);
    let strata = role.strata(&database).path(pack.path());
    strata.run(&["up"]).exits(9);
    let signs = ["sign-off", "1.signed", "--reason", "sure"];
    let says = ["permission denied for function sign_off", "no operator has it"];
    let refused = strata.run(&signs).exits(26).says(&says);
    let (_, grant) = refused.error().split_once("let the owner of strata run: ").expect("what helps");
    database.run(&grant.replace("your_role", role.name()));
    strata.run(&signs).ok();
    strata.run(&["up"]).ok();
    role.leave(database);
}

#[test]
fn a_lock_timeout_that_the_server_cannot_have_is_refused_before_anything() {
    let (database, pack) = (Database::installed(), pack());
    let strata = Strata::on(&database).path(pack.path());
    strata.run(&["up", "--table-lock-timeout", "2000000001"]).exits(2);
    strata.run(&["up", "1", "--table-lock-timeout", "2000000000"]).ok();
}

#[test]
fn a_file_that_lacks_a_right_is_not_told_to_ask_for_stratas() {
    let (database, role) = (Database::installed(), Role::new());
    database.run(&format!("select strata.grant_operator('{}')", role.name()));
    let pack = Folder::of(&[("1_a.up.sql", "create table public.t ()")]);
    let refused = role
        .strata(&database)
        .path(pack.path())
        .run(&["up"])
        .exits(1)
        .says(&["permission denied for schema public"]);
    assert!(!refused.error().contains("grant_operator"), "{}", refused.error());
    role.leave(database);
}

#[test]
fn an_operator_cannot_ask_in_the_name_of_another() {
    let (database, role) = (Database::installed(), Role::new());
    database.run(&format!("select strata.grant_operator('{}')", role.name()));
    let pack = pack();
    role.strata(&database).path(pack.path()).run(&["push"]).ok();
    database.run(
        "insert into strata.run (pack, direction, state, finished_at, request)
         values ('pack', 'up', 'cancelled', now(), '{\"direction\": \"up\"}'), ('pack', 'up', 'cancelled', now(), '{}')",
    );
    let mut session = database.connect();
    session.batch_execute(&format!("set session authorization {}", role.name())).expect("the role");
    for forged in [
        "insert into strata.run (pack, direction, state, requested_by) values ('pack', 'up', 'queued', 'owner')",
        "update strata.run set requested_by = 'owner'",
        "update strata.run set request = '{}'",
        "update strata.run set request = '{\"variables\": {}}' where request = '{}'",
    ] {
        let (sqlstate, _) = refusal(session.batch_execute(forged), forged);
        assert_eq!(sqlstate, "42501", "{forged}");
    }
    let counted = "update strata.run set request = '{\"count\": 1, \"since\": 2}' where request = '{}'";
    session.batch_execute(counted).expect("a count of the command line's own");
    drop(session);
    role.leave(database);
}

#[test]
fn a_database_that_is_read_only_by_default_says_so() {
    let (database, pack) = (Database::installed(), pack());
    database.run(&format!("alter database {} set default_transaction_read_only = on", database.name()));
    let says = ["may only read", "default_transaction_read_only"];
    Strata::on(&database).path(pack.path()).run(&["up"]).exits(28).says(&says);
}
