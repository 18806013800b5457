//! The key of a Supabase project, out of the environment: on a command line everybody on the machine would see it.

use crate::provider::variable;
use reqwest::header::HeaderValue;
use strata_core::{Error, Kind};

/// Where it may be, the first that is set.
const KEYS: [&str; 3] = ["STRATA_SECRET_KEY", "SUPABASE_SECRET_KEY", "SUPABASE_SERVICE_ROLE_KEY"];

/// As it goes into a header line, which does not show it.
pub fn read() -> Result<HeaderValue, Error> {
    let Some((name, key)) = KEYS.iter().find_map(|name| Some((name, variable(name)?))) else {
        return Err(Error::new(Kind::NotAuthorized, format!("{} is not set", KEYS[0]))
            .hint("set it to a secret key of the project"));
    };
    let mut value = HeaderValue::from_str(&key)
        .map_err(|_| Error::new(Kind::NotAuthorized, format!("{name} has characters that no key has")))?;
    value.set_sensitive(true);
    Ok(value)
}
