//! Nobody who may create a function or an operator in a schema of the search path gets it called by strata: of all the
//! statements that the command line sends, none means anything but what is in pg_catalog and strata. The danger is where
//! types do not fit exactly (`bigint = text`, `interval * 4`): an object of any schema that fits better is taken, wherever
//! it stands in the path.

use postgres::{Config, NoTls};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use strata_tests::Database;

/// What statements of ours compare and add up.
const TYPES: &str =
    "int2 int4 int8 numeric float8 text name bool timestamptz interval jsonb regclass oid \"char\" xid uuid";

const OPERATORS: &str = "= <> < > <= >= + - * / || -> ->> ? ~ !~ ~~ !~~ @> %";

/// An operator for every pair of types that pg_catalog has none for.
const TRAPS: &str = "do $$
declare
    types text[] := string_to_array(current_setting('trap.types'), ' ');
    made  int := 0;
    a text; b text; o text;
begin
    foreach o in array string_to_array(current_setting('trap.operators'), ' ') loop
        foreach a in array types loop
            foreach b in array types loop
                continue when exists (
                    select from pg_operator p where p.oprname = o and p.oprleft = a::regtype and p.oprright = b::regtype);
                made := made + 1;
                execute pg_catalog.format('create function public.trap_%s(%s, %s) returns bool language sql return true', made, a, b);
                execute pg_catalog.format('create operator public.%s (function = public.trap_%s, leftarg = %s, rightarg = %s)', o, made, a, b);
            end loop;
        end loop;
    end loop;
end $$";

/// A namesake of every function that a statement calls without its schema, for one and two arguments of each type.
const NAMESAKES: &str = "do $$
declare
    types text[] := string_to_array(current_setting('trap.types'), ' ') || array['text[]', 'int[]'];
    n text; a text; b text;
begin
    foreach n in array string_to_array(current_setting('trap.names'), ' ') loop
        foreach a in array types loop
            continue when exists (
                select from pg_proc p where p.proname = n and p.pronamespace = 'pg_catalog'::regnamespace
                    and p.pronargs = 1 and p.proargtypes[0] = a::regtype and p.provariadic = 0);
            execute pg_catalog.format('create function public.%I(%s) returns %2$s language sql return $1', n, a);
            foreach b in array array['int', 'text'] loop
                execute pg_catalog.format('create function public.%I(%s, %s) returns %2$s language sql return $1', n, a, b);
            end loop;
        end loop;
    end loop;
end $$";

/// Our statements: name and text.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql/query");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).expect("readable"))
    };
    paths.iter().map(read).collect()
}

/// What makes the table that the statements of `strata eval` are about.
fn own_table() -> String {
    let (_, text) = statements().into_iter().find(|(name, _)| name == "eval_set.sql").expect("it is there");
    text.replace("{dimensions}", "3")
}

/// Words before a parenthesis that have no schema before them.
fn called(text: &str) -> BTreeSet<String> {
    let code =
        text.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join("\n");
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let opens = code.match_indices('(').map(|(at, _)| &code[..at]);
    let names = opens.filter_map(|before| {
        let rest = before.trim_end_matches(is_word);
        let name = &before[rest.len()..];
        (!name.is_empty() && !rest.ends_with('.')).then(|| name.to_owned())
    });
    names.collect()
}

/// The numbers of operators and functions in a tree of the parser.
fn meant(tree: &str) -> BTreeSet<u32> {
    let fields = [":opno ", ":opfuncid ", ":funcid ", ":aggfnoid ", ":winfnoid ", ":eqop ", ":sortop "];
    let numbers = |field: &'static str| {
        tree.split(field).skip(1).filter_map(|rest| rest.split([' ', '\n']).next()?.parse().ok())
    };
    fields.into_iter().flat_map(numbers).collect()
}

#[test]
fn no_statement_of_the_command_line_means_an_object_of_another_schema() {
    let database = Database::installed();
    database.run(&own_table());
    // Grammar, and names of columns and of common table expressions.
    const NO_FUNCTIONS: &str = "and any array as cast coalesce exists extract filter from greatest host in least materialized not \
                                nullif on or over row select using values where";
    let all = statements();
    let names: BTreeSet<String> = all.iter().flat_map(|(_, text)| called(text)).collect();
    let names: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|name| !NO_FUNCTIONS.split_whitespace().any(|no| no == *name))
        .collect();
    database.run(&format!(
        "set trap.types = '{TYPES}'; set trap.operators = '{OPERATORS}'; set trap.names = '{}'; {NAMESAKES}; {TRAPS}",
        names.join(" ")
    ));
    let ours = database.rows(
        "select oid, pg_catalog.format('operator %s(%s,%s)', oprname, oprleft::regtype, oprright::regtype)
         from pg_operator where oprnamespace = 'public'::regnamespace::oid
         union all
         select p.oid, pg_catalog.format('function %s', p.oid::regprocedure) from pg_proc p
         where p.pronamespace = 'public'::regnamespace::oid
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e'::\"char\")",
        &[],
    );
    let traps: HashMap<u32, String> = ours.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(traps.len() > 5_000, "{} traps", traps.len());

    let heard = Arc::new(Mutex::new(String::new()));
    let listener = Arc::clone(&heard);
    let mut config: Config = database.url().parse().expect("a URL");
    config.notice_callback(move |notice| {
        listener.lock().expect("not poisoned").push_str(notice.detail().unwrap_or_default());
    });
    let mut session = config.connect(NoTls).expect("a session");
    session.batch_execute("set debug_print_parse = on; set client_min_messages = log").expect("set");
    let (mut astray, mut looked, mut found) = (Vec::new(), 0, 0);
    for (name, text) in all {
        // Blocks of plpgsql, and what makes tables, are not parsed before they run.
        if text.contains("\ndo $$") || name == "eval_set.sql" {
            continue;
        }
        heard.lock().expect("not poisoned").clear();
        if let Err(cause) = session.prepare(&text) {
            astray.push(format!("{name}: {cause:?}"));
            continue;
        }
        // The tree comes before the answer.
        let meant = meant(&heard.lock().expect("not poisoned"));
        (looked, found) = (looked + 1, found + meant.len());
        astray.extend(meant.iter().filter_map(|oid| traps.get(oid)).map(|trap| format!("{name}: {trap}")));
    }
    assert!(looked > 60 && found > 300, "{looked} statements with {found} operators and functions: too few");
    assert!(astray.is_empty(), "{}", astray.join("\n"));
}
