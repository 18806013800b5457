//! Tokens: a JSON Web Token (RFC 7519) is believed when a key of the project has signed it, now, for us.

use crate::keys::{Key, Keys, Material};
use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, Mac};
use p256::ecdsa::signature::Verifier;
use serde::Deserialize;
use sha2::Sha256;

/// How far two clocks may be apart: PostgREST's allowance. Unit: seconds.
const SKEW: f64 = 30.0;

/// Longest token that is looked at. Unit: bytes. Supabase's are below 2,000, with large metadata of a user 8,000.
const LONGEST: usize = 16_384;

/// Whom Supabase's tokens of users are for.
const AUDIENCE: &str = "authenticated";

/// What a token says of whom it was given to.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Claims {
    /// A role of the database.
    pub role: String,
    /// The user's id; keys of a project have none.
    pub sub: Option<String>,
    aud: Option<Audience>,
    exp: f64,
    nbf: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn has(&self, wanted: &str) -> bool {
        match self {
            Audience::One(name) => name == wanted,
            Audience::Many(names) => names.iter().any(|name| name == wanted),
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Extensions that must be understood; we understand none.
    crit: Option<serde_json::Value>,
}

/// Why a token is not believed. The words are for the caller and tell nothing of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no three parts, or they are no JSON.
    Malformed,
    /// No key of the project has signed it: other key, other algorithm, no algorithm, changed.
    NotOurs,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    TooEarly,
    /// It was given for somebody else.
    WrongAudience,
}

impl Refusal {
    /// For the caller.
    pub const fn text(self) -> &'static str {
        match self {
            Refusal::Malformed => "the token is malformed",
            Refusal::NotOurs => "the token is not signed by a key of this project",
            Refusal::Expired => "the token has expired",
            Refusal::TooEarly => "the token is not valid yet",
            Refusal::WrongAudience => "the token is meant for somebody else",
        }
    }
}

/// The claims of a token that is believed. `now`: seconds since 1970.
pub fn verify(token: &str, keys: &Keys, now: f64) -> Result<Claims, Refusal> {
    if token.len() > LONGEST {
        return Err(Refusal::Malformed);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Malformed)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Malformed)?;
    let header: Header = part(header)?;
    let signature = decode(signature)?;
    if header.crit.is_some() {
        return Err(Refusal::NotOurs);
    }
    let fits = |key: &&Key| fits(key, &header);
    if !keys.0.iter().filter(fits).any(|key| is_signed(&key.material, signed.as_bytes(), &signature)) {
        return Err(Refusal::NotOurs);
    }
    let claims: Claims = part(claims)?;
    in_time(&claims, now)?;
    for_us(&claims)?;
    Ok(claims)
}

/// The key decides the algorithm. A token that names a key means that one; one that names none may mean any.
fn fits(key: &Key, header: &Header) -> bool {
    key.material.algorithm() == header.alg && header.kid.as_ref().is_none_or(|id| key.id.as_ref() == Some(id))
}

fn is_signed(material: &Material, signed: &[u8], signature: &[u8]) -> bool {
    match material {
        Material::Secret(secret) => Hmac::<Sha256>::new_from_slice(secret)
            .is_ok_and(|mac| mac.chain_update(signed).verify_slice(signature).is_ok()),
        Material::P256(key) => p256::ecdsa::Signature::from_slice(signature)
            .is_ok_and(|signature| key.verify(signed, &signature).is_ok()),
        Material::Rsa(key) => rsa::pkcs1v15::Signature::try_from(signature).is_ok_and(|signature| {
            rsa::pkcs1v15::VerifyingKey::<Sha256>::new(*key.clone()).verify(signed, &signature).is_ok()
        }),
    }
}

fn in_time(claims: &Claims, now: f64) -> Result<(), Refusal> {
    if claims.exp + SKEW <= now {
        return Err(Refusal::Expired);
    }
    match claims.nbf {
        Some(nbf) if nbf - SKEW > now => Err(Refusal::TooEarly),
        _ => Ok(()),
    }
}

/// A user's token must be for users; the keys of older projects are tokens without an audience.
fn for_us(claims: &Claims) -> Result<(), Refusal> {
    let user = claims.role == AUDIENCE;
    match &claims.aud {
        Some(audience) if audience.has(AUDIENCE) => Ok(()),
        None if !user => Ok(()),
        _ => Err(Refusal::WrongAudience),
    }
}

fn part<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, Refusal> {
    serde_json::from_slice(&decode(text)?).map_err(|_| Refusal::Malformed)
}

fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    Base64UrlUnpadded::decode_vec(text).map_err(|_| Refusal::Malformed)
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
