//! `pg_dump` of a database, so that two states can be compared byte for byte.

use crate::Database;
use crate::environment::program;
use std::path::Path;
use std::process::Command;

/// The schema of a database. pg_dump's lines `\restrict` carry a random key and are left out.
pub fn dump(database: &Database) -> String {
    let text = pg_dump(database, &["--schema-only"]);
    text.lines().filter(|line| !is_random(line)).map(|line| format!("{line}\n")).collect()
}

/// Schema, and every row of every table, strata's own among them.
pub fn everything(database: &Database) -> String {
    let mut all = dump(database);
    let tables: Vec<String> = database.column(
        "select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema') order by 1",
    );
    for table in tables {
        let rows: Vec<String> = database.column(&format!("select t::text from {table} t order by 1"));
        all.push_str(&format!("{table}: {}\n", rows.join("\n")));
    }
    all
}

/// What pg_dump says with these arguments.
pub fn pg_dump(database: &Database, args: &[&str]) -> String {
    told(Command::new(program("pg_dump")).args(args), database)
}

/// Restores a file of pg_dump's by several workers, as docs/sql/README.md has it.
pub fn pg_restore(database: &Database, file: &Path) {
    let options = "-c session_replication_role=replica";
    told(Command::new(program("pg_restore")).args(["-j", "3"]).arg(file).env("PGOPTIONS", options), database);
}

fn told(command: &mut Command, database: &Database) -> String {
    let (url, password) = (database.url(), database.password());
    let bare = url.replace(&format!(":{password}@"), "@");
    let told = command.arg("-d").arg(bare).env("PGPASSWORD", password).output().unwrap();
    assert!(told.status.success(), "{command:?}: {}", String::from_utf8_lossy(&told.stderr));
    String::from_utf8(told.stdout).unwrap()
}

fn is_random(line: &str) -> bool {
    line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ")
}
