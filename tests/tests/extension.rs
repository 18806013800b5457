//! The extension itself: comes, goes and comes again, travels in a dump, and gives nobody more than they need.

use std::io::Write;
use std::process::{Command, Stdio};
use strata_tests::aurum::{self, MAYA, Vectors};
use strata_tests::dump::pg_dump;
use strata_tests::environment::program;
use strata_tests::text::assert_same;
use strata_tests::{Database, Folder, Strata, data, dump, vectors};

fn extensions(database: &Database) -> Vec<String> {
    database.column("select extname || ' ' || extnamespace::regnamespace from pg_extension where extname <> 'plpgsql' order by 1")
}

#[test]
fn it_comes_goes_and_comes_again() {
    let database = Database::empty();
    database.run("create extension strata cascade");
    let first = dump(&database);
    database.run("select strata.add_model('m', 'local', 3)");
    for _ in 0..2 {
        database.run("drop extension strata");
        assert_eq!(
            database.value::<i64>("select count(*) from pg_proc where pronamespace = 'strata'::regnamespace"),
            0
        );
        database.run("create extension strata");
        assert_same("it is what it was", &first, &dump(&database));
        assert_eq!(database.value::<i64>("select count(*) from strata.model"), 0, "and empty");
    }
    database.run("drop extension vector cascade; drop schema strata");
    assert_eq!(extensions(&database), [""; 0]);
}

#[test]
fn cascade_brings_pgvector_and_without_it_the_missing_one_is_named() {
    let database = Database::empty();
    let (sqlstate, message) = database.refusal("create extension strata");
    assert_eq!(
        (sqlstate.as_str(), message.as_str()),
        ("42704", "required extension \"vector\" is not installed")
    );
    database.run("create extension strata cascade");
    assert_eq!(extensions(&database), ["strata strata", "vector public"]);
    let (sqlstate, _) = database.refusal("drop extension vector");
    assert_eq!(sqlstate, "2BP01", "strata needs it");
}

#[test]
fn for_a_namesake_of_the_schema_pgvector_still_goes_to_public() {
    let database = Database::empty();
    let name = database.name();
    // What "$user" is for a user called strata.
    database.run(&format!("alter database {name} set search_path = strata, public"));
    let pack = Folder::of(&[("001_a.up.sql", "select '[1,2]'::vector")]);
    Strata::on(&database).path(pack.path()).run(&["up"]).ok();
    assert_eq!(extensions(&database), ["strata strata", "vector public"]);
}

#[test]
fn it_works_with_pgvector_in_the_schema_extensions_as_on_supabase() {
    let database = aurum::application();
    let name = database.name();
    let path = "search_path = \"$user\", public, extensions";
    database.run(&format!("create schema extensions; alter database {name} set {path}; set {path}"));
    let before = dump(&database);
    aurum::migrate(&database, Vectors::Local);
    assert_eq!(extensions(&database), ["strata strata", "vector extensions"]);
    let mut session = database.connect();
    // The search finds its operators whatever the caller's search_path is.
    session.batch_execute("set search_path = pg_catalog").expect("set");
    let sql = format!(
        "select count(*) from public.rag_search((select description_embedding from public.tasks limit 1), '{MAYA}', 5)"
    );
    assert_eq!(session.query_one(&sql, &[]).expect("searched").get::<_, i64>(0), 5);
    aurum::strata(&database, Vectors::Local).run(&["down", "--all", "--yes"]).ok();
    database.run("drop extension strata; drop extension vector; drop schema strata");
    assert_same("everything gone", &before, &dump(&database));
}

#[test]
fn a_restored_dump_is_migrated_searched_and_embedded_as_before() {
    let database = aurum::migrated();
    database
        .run("update tasks set name = name || '!' where id in (select id from tasks order by id limit 3)");
    let copy = Database::empty();
    restore(&pg_dump(&database, &[]), &copy);
    assert_same("schema", &dump(&database), &dump(&copy));
    let columns = data::columns(&database);
    assert_eq!(data::hashes(&database, &columns), data::hashes(&copy, &columns));
    let tables: Vec<String> =
        database.column("select tablename from pg_tables where schemaname = 'strata' order by 1");
    assert!(tables.len() >= 10, "{tables:?}");
    for table in tables {
        let rows = format!("select t::text from strata.{table} t order by 1");
        assert_eq!(database.column::<String>(&rows), copy.column::<String>(&rows), "strata.{table}");
    }
    let strata = aurum::strata(&copy, Vectors::Local);
    assert_eq!(strata.run(&aurum::UP).ok().stdout, "no change\n");
    strata.run(&["verify"]).ok();
    assert_eq!(copy.value::<i64>("select count(*) from strata.job"), 3);
    copy.run(
        "update tasks set name = name || '!' where id in (select id from tasks order by id desc limit 2)",
    );
    assert_eq!(copy.value::<i64>("select count(*) from strata.job"), 5, "its triggers are there");
    vectors::complete_all(&copy, 384);
    // New history rows get new numbers.
    strata.run(&["down", "1"]).ok();
    strata.run(&["up", "1"]).ok();
}

fn restore(sql: &str, into: &Database) {
    let mut psql = Command::new(program("psql"))
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &into.url(), "-o", "/dev/null"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("psql");
    psql.stdin.take().expect("a pipe").write_all(sql.as_bytes()).expect("written");
    assert!(psql.wait().expect("ended").success(), "the dump restores without an error");
}

#[test]
fn every_object_has_a_comment() {
    let database = Database::installed();
    let bare: Vec<String> = database.column(
        "select pg_describe_object(classid, objid, 0) from (
             select 'pg_proc'::regclass as classid, oid as objid from pg_proc where pronamespace = 'strata'::regnamespace
             union all
             select 'pg_class'::regclass, oid from pg_class
             where relnamespace = 'strata'::regnamespace and relkind in ('r', 'v', 'm', 'p')
         ) o where coalesce(obj_description(objid, classid::regclass::name), '') = '' order by 1",
    );
    assert_eq!(bare, [""; 0]);
}

#[test]
fn whoever_is_public_may_call_only_what_reads_nothing_of_others() {
    let database = Database::installed();
    let open: Vec<String> = database.column(
        "select p.oid::regprocedure::text from pg_proc p
         where p.pronamespace = 'strata'::regnamespace and p.provolatile = 'v'
           and p.prorettype <> 'trigger'::regtype and has_function_privilege('public', p.oid, 'execute') order by 1",
    );
    assert_eq!(open, [""; 0], "writers");
    let tables: Vec<String> = database.column(
        "select c.relname || ': ' || a.privilege_type from pg_class c, aclexplode(c.relacl) a
         where c.relnamespace = 'strata'::regnamespace and a.grantee = 0",
    );
    assert_eq!(tables, [""; 0], "tables");
    assert!(!database.value::<bool>("select has_schema_privilege('public', 'strata', 'usage')"));
}

#[test]
fn functions_pin_their_search_path() {
    let database = Database::installed();
    let loose: Vec<String> = database.column(
        "select p.oid::regprocedure::text from pg_proc p join pg_language l on l.oid = p.prolang
         where p.pronamespace = 'strata'::regnamespace and p.prosecdef
           and not exists (select from unnest(p.proconfig) c where c like 'search_path=%') order by 1",
    );
    assert_eq!(loose, [""; 0], "security definer");
}

#[test]
fn a_null_where_none_is_meant_is_refused_in_words() {
    let database = Database::installed();
    for (call, argument) in [
        ("plan(null)", "pack"),
        ("start_run(null)", "pack"),
        ("start_run('p', dry_run => null)", "dry_run"),
        ("start_run('p', variables => null)", "variables"),
        ("start_run_once(null, null)", "pack"),
        ("grant_operator(null)", "role"),
        ("grant_backfill(null)", "role"),
    ] {
        let refused = database.refusal(&format!("select strata.{call}"));
        assert_eq!(refused, ("22004".to_owned(), format!("{argument} must not be null")), "{call}");
    }
    // None of all that are written in Rust tells of itself instead.
    let calls: Vec<String> = database.column(
        "select format('select * from strata.%I(%s)', p.proname,
                       (select string_agg('null::' || t::regtype, ', ') from unnest(p.proargtypes::oid[]) t))
         from pg_proc p join pg_language l on l.oid = p.prolang
         where p.pronamespace = 'strata'::regnamespace and l.lanname = 'c' and p.prorettype <> 'trigger'::regtype",
    );
    assert!(calls.len() > 10, "{calls:?}");
    for call in calls {
        if let Err(error) = database.connect().batch_execute(&call) {
            let error = error.as_db_error().expect("an answer");
            assert_ne!(error.code().code(), "XX000", "{call}: {}", error.message());
        }
    }
}
