//! Prints the table of `docs/errors.md`. An example, so that the menu itself compiles without the core.

fn main() {
    print!("{}", strata_core::error::documentation());
}
