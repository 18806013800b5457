//! `cargo xtask errors`: the table of `docs/errors.md`, printed from the core's enum and put in place of the old one.

use std::fs;

use crate::error::{Context, Failure, Result};
use crate::place::{self, Place};
use crate::run;

/// Writes the page when its table differs.
pub fn write() -> Result<()> {
    let checkout = Place::find()?.checkout;
    let print = ["run", "--quiet", "--package", "xtask", "--example", "errors"];
    let table = run::read(run::cargo().args(print).current_dir(&checkout))?;
    let path = checkout.join("docs/errors.md");
    let page = fs::read_to_string(&path).context(|| format!("read {}", path.display()))?;
    let page =
        replaced(&page, &table).ok_or_else(|| Failure::new(format!("{} has no table", path.display())))?;
    place::write_if_changed(&path, page.as_bytes())
}

/// The page with its first table replaced.
fn replaced(page: &str, table: &str) -> Option<String> {
    let is_row = |line: &&str| line.starts_with('|');
    let before: Vec<&str> = page.lines().take_while(|line| !is_row(line)).collect();
    let after: Vec<&str> = page.lines().skip(before.len()).skip_while(is_row).collect();
    if before.len() == page.lines().count() {
        return None;
    }
    let lines = before.into_iter().chain(table.lines()).chain(after);
    Some(lines.map(|line| format!("{line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_table_is_replaced() {
        let page = "a\n\n| old |\n|---|\n\nb\n| other |\n";
        assert_eq!(replaced(page, "| new |\n").as_deref(), Some("a\n\n| new |\n\nb\n| other |\n"));
        assert_eq!(replaced("a\n", "| new |\n"), None);
    }
}
