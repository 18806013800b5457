//! The command menu.
fn main() {}
