//! What the platform tells the function: Supabase's own environment, old names and new.

use crate::caller::Project;
use crate::keys::Keys;
use crate::provider::Providers;
use serde_json::{Map, Value};

/// The whole configuration. Of providers alone something has to be set by hand.
pub struct Settings {
    /// Of the project's API, without a slash at the end.
    pub url: String,
    /// What it knows its callers by.
    pub project: Project,
    /// Who turns texts into vectors.
    pub providers: Providers,
}

impl Settings {
    /// Reads it through the host. Refuses what cannot be read, naming the variable and never its value.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Settings, String> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let url = set("SUPABASE_URL").ok_or("SUPABASE_URL is not set")?;
        let tokens = set("SUPABASE_JWKS").map_or_else(|| Ok(Keys::default()), |text| Keys::read(&text))?;
        let both = |new: &str, old: &str| -> Result<Vec<String>, String> {
            let mut keys = set(new).map_or_else(|| Ok(Vec::new()), |text| named(new, &text))?;
            keys.extend(set(old));
            Ok(keys)
        };
        let publishable = both("SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_ANON_KEY")?;
        let secret = both("SUPABASE_SECRET_KEYS", "SUPABASE_SERVICE_ROLE_KEY")?;
        let url = url.trim().trim_end_matches('/').to_owned();
        let providers = Providers {
            openai_url: set("OPENAI_BASE_URL"),
            openai_key: set("OPENAI_API_KEY"),
            ollama_url: set("OLLAMA_HOST"),
            patience: set("STRATA_PROVIDER_TIMEOUT").map(|text| patience(&text)).transpose()?,
        };
        Ok(Settings { url, project: Project { tokens, publishable, secret }, providers })
    }
}

/// Milliseconds of so many seconds. Less than a lease of jobs, with what it takes to store the vectors.
fn patience(text: &str) -> Result<u32, String> {
    let seconds: f64 = text.trim().parse().unwrap_or(f64::NAN);
    match seconds > 0.0 && seconds <= 100.0 {
        true => Ok((seconds * 1000.0) as u32),
        false => Err("STRATA_PROVIDER_TIMEOUT is no number of seconds, at most 100".to_owned()),
    }
}

/// Keys by name, the one called `default` first.
fn named(variable: &str, text: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("{variable} is no object of names and keys");
    let mut keys: Map<String, Value> = serde_json::from_str(text).map_err(|_| wrong())?;
    let first = keys.remove("default");
    let all = first.into_iter().chain(keys.into_iter().map(|(_, key)| key));
    all.map(|key| key.as_str().filter(|key| !key.is_empty()).map(str::to_owned).ok_or_else(wrong)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(set: &[(&str, &str)]) -> Result<Settings, String> {
        Settings::read(|name| set.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
    }

    const URL: (&str, &str) = ("SUPABASE_URL", "https://x.supabase.co/");

    #[test]
    fn new_names_come_before_old_ones_and_the_default_key_before_others() {
        let settings = read(&[
            URL,
            ("SUPABASE_PUBLISHABLE_KEYS", r#"{"web": "sb_publishable_w", "default": "sb_publishable_d"}"#),
            ("SUPABASE_ANON_KEY", "old"),
            ("SUPABASE_SECRET_KEYS", r#"{"default": "sb_secret_d"}"#),
        ])
        .ok()
        .unwrap();
        assert_eq!(settings.url, "https://x.supabase.co");
        assert_eq!(settings.project.publishable, ["sb_publishable_d", "sb_publishable_w", "old"]);
        assert_eq!(settings.project.secret, ["sb_secret_d"]);
    }

    #[test]
    fn a_variable_that_cannot_be_read_is_named_and_its_value_is_not_shown() {
        for (name, value) in [
            ("SUPABASE_SECRET_KEYS", "sb_secret_x"),
            ("SUPABASE_SECRET_KEYS", r#"{"default": ""}"#),
            ("SUPABASE_SECRET_KEYS", r#"{"default": 1}"#),
            ("SUPABASE_JWKS", "sb_secret_x"),
            ("STRATA_PROVIDER_TIMEOUT", "sb_secret_x"),
            ("STRATA_PROVIDER_TIMEOUT", "101"),
        ] {
            let refusal = read(&[URL, (name, value)]).err().unwrap();
            assert!(refusal.contains(name) && !refusal.contains("sb_secret_x"), "{refusal}");
        }
        assert!(read(&[]).err().unwrap().contains("SUPABASE_URL"));
    }

    #[test]
    fn an_empty_secret_lets_nobody_in() {
        let settings =
            read(&[URL, ("SUPABASE_SERVICE_ROLE_KEY", ""), ("SUPABASE_SECRET_KEYS", "{}")]).ok().unwrap();
        assert!(settings.project.secret.is_empty());
    }
}
