//! That the extension compiles for every PostgreSQL that it is for, also for those that are not on this machine: pgrx has their
//! headers in Rust already, for documentation.

use crate::error::Result;
use crate::run;
use crate::workbench::Bench;

/// Major versions, as `extension/Cargo.toml` has features for them.
const MAJORS: [u32; 4] = [15, 16, 17, 18];

/// Checks those that the other stages do not build.
pub fn check(bench: &Bench) -> Result<()> {
    let pgrx = &bench.server()?.pgrx;
    for feature in MAJORS.map(|major| format!("pg{major}")).iter().filter(|name| **name != pgrx.feature()) {
        run::say(format!("versions: {feature}"));
        let mut command = pgrx.cargo()?;
        command.arg("check").args(pgrx.rust_version_flag());
        command.args(["-p", "strata", "--no-default-features", "--features", feature]);
        // A folder of its own: the variable changes how pgrx itself is built.
        command.env("DOCS_RS", "1").env("CARGO_TARGET_DIR", bench.place.checkout.join("target/versions"));
        run::loud(command.current_dir(&bench.place.checkout))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_has_a_feature_for_each_and_no_other() {
        let manifest = include_str!("../../extension/Cargo.toml");
        let features: Vec<&str> =
            manifest.lines().filter_map(|line| line.split_once(" = [")).map(|pair| pair.0).collect();
        let of_versions: Vec<&str> = features.into_iter().filter(|name| name.starts_with("pg1")).collect();
        assert_eq!(of_versions, MAJORS.map(|major| format!("pg{major}")));
    }
}
