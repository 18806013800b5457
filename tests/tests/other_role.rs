//! Files that take another role: what they make is that role's, and the state of the run is written all the same, by the role
//! that the run came with, whatever rights the other one lacks and however the file has taken it.

use strata_tests::{Database, Folder, Role, Strata};

const NEXT: &str = "\n-- strata: new transaction\n";

/// A database in which a role without any right of strata's may make tables.
fn database() -> (Database, Role) {
    let (database, role) = (Database::installed(), Role::new());
    database.run(&format!("grant create on schema public to {}", role.name()));
    (database, role)
}

/// Owner of a relation.
fn owner(database: &Database, relation: &str) -> String {
    database
        .value(&format!("select relowner::regrole::text from pg_class where oid = '{relation}'::regclass"))
}

fn states(database: &Database) -> Vec<String> {
    database.column("select state from strata.migration order by version")
}

/// Two versions: one as another role, in all kinds of steps, and one as the role that the run came with.
fn pack(takes: &str) -> Folder {
    let steps = format!(
        "{takes};\ncreate table by_role (n int);{NEXT}insert into by_role values (1);\n\
         create index concurrently by_role_n on by_role (n);{NEXT}create table last ()"
    );
    Folder::of(&[
        ("001_a.up.sql", &steps),
        ("001_a.down.sql", &format!("{takes};\ndrop table last;{NEXT}drop table by_role")),
        (
            "001_a.verify.sql",
            "select 'role', 'another', current_user::text, current_user <> session_user or session_user ~ '^plain'",
        ),
        ("002_b.up.sql", "create table by_owner ()"),
        ("002_b.down.sql", "drop table by_owner"),
    ])
}

#[test]
fn what_a_file_makes_as_another_role_is_that_roles_and_no_reset_is_needed() {
    let (database, role) = database();
    let name = role.name();
    for takes in [
        format!("set role {name}"),
        format!("set session authorization {name}"),
        format!("select set_config('role', '{name}', false)"),
    ] {
        let pack = pack(&takes);
        let strata = Strata::on(&database).path(pack.path());
        strata.run(&["up", "--dry-run"]).ok();
        strata.run(&["up"]).ok();
        for (relation, by) in [("by_role", name), ("by_role_n", name), ("last", name)] {
            assert_eq!(owner(&database, relation), by, "{takes}: {relation}");
        }
        assert_ne!(owner(&database, "by_owner"), name, "{takes}");
        assert_eq!(states(&database), ["applied", "applied"], "{takes}");
        strata.run(&["down", "--all", "--yes"]).ok();
        assert_eq!(states(&database), ["pending", "pending"], "{takes}");
    }
    role.leave(database);
}

#[test]
fn a_role_that_is_taken_out_of_sight_ends_with_its_step() {
    let (database, role) = database();
    let name = role.name();
    for takes in [format!("set local role {name}"), format!("do $$ begin execute 'set role {name}'; end $$")]
    {
        let pack = Folder::of(&[
            ("001_a.up.sql", &format!("{takes};\ncreate table by_role ();{NEXT}create table by_owner ()")),
            ("001_a.down.sql", "drop table by_role, by_owner"),
        ]);
        let strata = Strata::on(&database).path(pack.path());
        strata.run(&["up"]).ok();
        assert_eq!(owner(&database, "by_role"), name, "{takes}");
        assert_ne!(owner(&database, "by_owner"), name, "{takes}");
        strata.run(&["down"]).ok();
    }
    role.leave(database);
}

#[test]
fn a_run_in_the_database_takes_another_role_as_the_command_line_does() {
    let (database, role) = database();
    let pack = pack(&format!("set role {}", role.name()));
    Strata::on(&database).path(pack.path()).run(&["push"]).ok();
    for target in ["null", "0", "null"] {
        let run: String = database.value(&format!("select strata.start_run('pack', {target})::text"));
        database.until(&format!("select finished_at is not null from strata.run_progress('{run}')"));
        let ended: String = database.value(&format!(
            "select concat_ws(' ', state, sqlstate, message) from strata.run_progress('{run}')"
        ));
        assert_eq!(ended, "succeeded");
    }
    assert_eq!(owner(&database, "last"), role.name());
    assert_ne!(owner(&database, "by_owner"), role.name());
    role.leave(database);
}

#[test]
fn one_that_waits_for_a_lock_names_who_is_in_the_way_and_goes_on_as_that_role() {
    let (database, role) = database();
    let name = role.name();
    database.run(&format!("create table held (n int); alter table held owner to {name}"));
    let file = format!("set role {name};\nalter table held add column m int;\ncreate table by_role ()");
    let pack = Folder::of(&[("001_a.up.sql", &file)]);
    let mut holder = database.connect();
    let mut open = holder.transaction().expect("a transaction");
    open.batch_execute("lock table held in access share mode").expect("a lock");
    let run = Strata::on(&database).path(pack.path()).start(&["up", "--table-lock-timeout", "100"]);
    run.until("a lock was not to be had; try 2 follows, pid ");
    run.until("try 3 follows");
    open.rollback().expect("released");
    run.end().ok();
    assert_eq!(owner(&database, "by_role"), name);
    role.leave(database);
}

#[test]
fn one_that_is_cancelled_is_cancelled_and_not_failed() {
    let (database, role) = database();
    let file = format!("set role {};\ncreate table by_role ();\nselect pg_sleep(3600)", role.name());
    let pack = Folder::of(&[("001_a.up.sql", &file)]);
    let run = Strata::on(&database).path(pack.path()).start(&["up"]);
    database.until(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')",
    );
    assert!(database.value::<bool>("select strata.cancel_run(id) from strata.run"));
    run.end().exits(130).says(&["version 1 (a) step 1", "cancelled"]);
    assert_eq!(database.value::<String>("select state from strata.run"), "cancelled");
    role.leave(database);
}

#[test]
fn an_index_that_somebody_else_is_building_is_waited_for() {
    let (database, role) = database();
    let name = role.name();
    database.run(&format!("create table t (x int); insert into t values (1); alter table t owner to {name}"));
    let mut writer = database.connect();
    let mut open = writer.transaction().expect("a transaction");
    open.execute("insert into t values (0)", &[]).expect("a row");
    let other = database.connect();
    let builder = std::thread::spawn(move || {
        let mut other = other;
        other.batch_execute("create index concurrently t_x on t (x)")
    });
    database.until("select exists (select from pg_stat_progress_create_index where relid = 't'::regclass)");
    let file = format!("set role {name};\ncreate index concurrently if not exists t_x on t (x)");
    let pack = Folder::of(&[("001_i.up.sql", &file)]);
    let run = Strata::on(&database).path(pack.path()).start(&["up"]);
    run.until("who is building index public.t_x");
    open.commit().expect("committed");
    builder.join().expect("no panic").expect("built");
    run.end().ok();
    assert_eq!(states(&database), ["applied"]);
    role.leave(database);
}
