//! The files of the local model: where they are, and that they are the pinned ones.

use crate::provider::ProviderError;
use sha2::{Digest, Sha256};
use std::env;
use std::path::{Path, PathBuf};

/// What the model is made of, as bytes. Each has the pinned SHA-256.
pub struct Files {
    /// `config.json`: sizes of the layers.
    pub config: Vec<u8>,
    /// `tokenizer.json`: vocabulary and rules.
    pub tokenizer: Vec<u8>,
    /// `model.safetensors`: weights, 90 MB.
    pub weights: Vec<u8>,
}

const CONFIG: (&str, &str) =
    ("config.json", "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41");
const TOKENIZER: (&str, &str) =
    ("tokenizer.json", "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037");
const WEIGHTS: (&str, &str) =
    ("model.safetensors", "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db");

/// Reads the files of a folder. Misconfigured when one is missing or is not the pinned one: another model's vectors
/// could have the same dimension, and mixing them raises no error.
pub fn read(folder: &Path) -> Result<Files, ProviderError> {
    let [config, tokenizer, weights] = [CONFIG, TOKENIZER, WEIGHTS].map(|file| pinned(folder, file));
    Ok(Files { config: config?, tokenizer: tokenizer?, weights: weights? })
}

/// The folder that is given, else `STRATA_MODEL_DIR`, else the cache's. Misconfigured when no cache has one.
pub fn folder(given: Option<PathBuf>) -> Result<PathBuf, ProviderError> {
    match given.or_else(|| set("STRATA_MODEL_DIR")) {
        Some(folder) => Ok(folder),
        None => cached(),
    }
}

/// The first cache folder that has the model. A system-wide one is as good as the user's own, whoever runs us.
fn cached() -> Result<PathBuf, ProviderError> {
    let folders: Vec<PathBuf> =
        caches().into_iter().map(|cache| cache.join("models").join(super::MODEL)).collect();
    let found = folders.iter().find(|folder| folder.is_dir()).cloned();
    found.ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
        unusable(format!(
            "model {} is not installed: there is no folder {}",
            super::MODEL,
            looked.join(" or ")
        ))
    })
}

/// Where the set-up puts things: `STRATA_CACHE`, else root's cache or the user's.
fn caches() -> Vec<PathBuf> {
    if let Some(cache) = set("STRATA_CACHE") {
        return vec![cache];
    }
    let home = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let own = home.map(|cache| cache.join("strata"));
    [PathBuf::from("/var/cache/strata")].into_iter().chain(own).collect()
}

fn set(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn pinned(folder: &Path, (name, wanted): (&str, &str)) -> Result<Vec<u8>, ProviderError> {
    let path = folder.join(name);
    let bytes = std::fs::read(&path)
        .map_err(|cause| unusable(format!("model file {} cannot be read: {cause}", path.display())))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    match found == wanted {
        true => Ok(bytes),
        false => Err(unusable(format!(
            "model file {} is damaged or another model's: {} bytes, SHA-256 {found}, not {wanted}",
            path.display(),
            bytes.len()
        ))),
    }
}

fn unusable(reason: String) -> ProviderError {
    ProviderError::misconfigured(reason).with_hint(format!(
        "run \"cargo xtask setup\" to fetch the model, or set STRATA_MODEL_DIR to a folder that holds {}",
        super::MODEL
    ))
}
