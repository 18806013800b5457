//! `strata-bindgen IN.wasm FOLDER`: writes `strata.js` (the glue), `strata.d.ts`, and `strata_wasm.js`, which holds the
//! WebAssembly as base64. As text it is deployed like any other module: files beside the modules are left out by some
//! ways of deploying, and a function cannot tell which one it went.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [input, folder] = &words[..] else {
        eprintln!("usage: strata-bindgen IN.wasm FOLDER");
        return ExitCode::from(2);
    };
    match generate(Path::new(input), Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(cause) => {
            eprintln!("strata-bindgen: {cause}");
            ExitCode::FAILURE
        }
    }
}

fn generate(input: &Path, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut bindgen = Bindgen::new();
    bindgen.input_path(input).out_name("strata").web(true)?;
    // An instance that has panicked is replaced by a new one in the same process.
    bindgen.reset_state_function(true);
    bindgen.typescript(true).remove_name_section(true).remove_producers_section(true);
    bindgen.generate(folder)?;
    let wasm = std::fs::read(folder.join("strata_bg.wasm"))?;
    let text = format!("export default \"{}\";\n", BASE64_STANDARD.encode(wasm));
    std::fs::write(folder.join("strata_wasm.js"), text)?;
    std::fs::remove_file(folder.join("strata_bg.wasm.d.ts"))?;
    Ok(())
}
