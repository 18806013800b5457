//! Prints the OpenAPI description, or the types for TypeScript, for `cargo xtask api`.

use strata_edge::describe;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("openapi") => println!("{:#}", describe::openapi()),
        Some("typescript") => print!("{}", describe::typescript()),
        _ => eprintln!("usage: describe openapi|typescript"),
    }
}
