//! What libpq calls a conninfo: a URL or a list of key=value.

use super::parameters::Parameters;
use super::{url, words};
use strata_core::Error;

/// Reads either. Nothing of a text that is neither is repeated: it may be a password.
pub fn parse(text: &str, origin: &'static str) -> Result<Parameters, Error> {
    let mut parameters = Parameters::new(origin);
    let text = text.trim();
    match text.find("://") {
        Some(at) if !text[..at].contains('=') => url::read(text, at, &mut parameters)?,
        _ if text.contains('=') => words::read(text, &mut parameters)?,
        _ => {
            let what = "neither a postgres:// URL nor a list of key=value";
            return Err(parameters.refused(what).hint("write postgres://user@host:5432/database"));
        }
    }
    Ok(parameters)
}
