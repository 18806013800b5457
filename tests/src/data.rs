//! What is in the tables, as one hash a table that does not depend on the order of rows.

use crate::Database;
use std::collections::BTreeMap;

/// Tables, each with the columns that are looked at.
pub type Columns = BTreeMap<String, Vec<String>>;

/// Tables, each with its number of rows and their hash.
pub type Hashes = BTreeMap<String, String>;

/// Every table of the application, with every column that it has now.
pub fn columns(database: &Database) -> Columns {
    let rows = database.rows(
        "select format('%I.%I', n.nspname, c.relname), array_agg(quote_ident(a.attname) order by a.attname)
         from pg_class c
         join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where n.nspname in ('public', 'auth') and c.relkind = 'r'
           and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
         group by 1 order by 1",
        &[],
    );
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The same tables without some columns, whatever table they are in.
pub fn without(columns: &Columns, names: &[&str]) -> Columns {
    let kept = |all: &Vec<String>| all.iter().filter(|c| !names.contains(&c.as_str())).cloned().collect();
    columns.iter().map(|(table, all)| (table.clone(), kept(all))).collect()
}

/// Hashes every row of these columns.
pub fn hashes(database: &Database, columns: &Columns) -> Hashes {
    let hash =
        |(table, columns): (&String, &Vec<String>)| (table.clone(), of_table(database, table, columns));
    columns.iter().map(hash).collect()
}

fn of_table(database: &Database, table: &str, columns: &[String]) -> String {
    let row = format!("jsonb_build_array({})::text", columns.join(", "));
    database.value(&format!(
        "select count(*) || ' rows, ' || coalesce(md5(string_agg(md5({row}), '' order by md5({row}))), '') from {table}"
    ))
}
