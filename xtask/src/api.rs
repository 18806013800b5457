//! `cargo xtask api`: the OpenAPI description that the Edge Function serves and its types for TypeScript, printed from the
//! Rust types and put in place of the old ones.

use crate::error::Result;
use crate::npm::Tools;
use crate::place::{self, Place};
use crate::run;

/// Writes both where they differ.
pub fn write() -> Result<()> {
    let place = Place::find()?;
    let print = |what: &str| {
        let words =
            ["run", "--quiet", "-p", "strata-edge", "--features", "describe", "--example", "describe", "--"];
        run::read(run::cargo().args(words).arg(what).current_dir(&place.checkout))
    };
    place::write_if_changed(&place.checkout.join("edge/openapi.json"), print("openapi")?.as_bytes())?;
    let types = place.checkout.join("edge/supabase/functions/strata/types.ts");
    place::write_if_changed(&types, print("typescript")?.as_bytes())?;
    run::read(Tools::ensure(&place)?.deno().args(["fmt", "--quiet", "--line-width=120"]).arg(types)).map(drop)
}
