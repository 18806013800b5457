//! Comparing long texts: a failure shows the lines that differ, not both texts.

/// Lines of context around the first difference.
const AROUND: usize = 6;

/// Fails unless both texts are the same, byte for byte.
pub fn assert_same(what: &str, expected: &str, found: &str) {
    if expected == found {
        return;
    }
    let (old, new): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    let first = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let from = first.saturating_sub(AROUND);
    let part =
        |lines: &[&str]| lines.iter().skip(from).take(3 * AROUND).copied().collect::<Vec<_>>().join("\n");
    panic!(
        "{what}: they differ at line {}\n--- expected\n{}\n--- found\n{}\n--- only expected\n{}\n--- only found\n{}",
        first + 1,
        part(&old),
        part(&new),
        only(&old, &new),
        only(&new, &old),
    );
}

/// A dump in which the columns of a table come by name.
pub fn with_sorted_columns(dump: &str, table: &str) -> String {
    let head = format!("CREATE TABLE {table} (\n");
    let (before, rest) = dump.split_once(&head).unwrap_or_else(|| panic!("{table} is not in the dump"));
    let (columns, after) = rest.split_once("\n);").expect("a table ends");
    let mut columns: Vec<&str> = columns.lines().map(|line| line.trim_end_matches(',')).collect();
    columns.sort_unstable();
    format!("{before}{head}{}\n);{after}", columns.join(",\n"))
}

/// Lines of one text that are not in the other.
fn only(these: &[&str], others: &[&str]) -> String {
    these.iter().filter(|line| !others.contains(line)).copied().collect::<Vec<_>>().join("\n")
}
