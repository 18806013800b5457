//! The keys that tokens are verified with: a JSON Web Key Set (RFC 7517), as `SUPABASE_JWKS` has it.

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::EncodedPoint;
use p256::ecdsa::VerifyingKey as P256Key;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};
use serde::Deserialize;

/// Shortest secret of HS256: as long as its hash, which RFC 7518 asks for. Unit: bytes.
const SECRET: usize = 32;

/// Shortest modulus of RS256, which RFC 7518 asks for. Unit: bytes.
const MODULUS: usize = 256;

/// What a key verifies. A key has one algorithm for ever, whatever a token calls itself.
pub enum Material {
    /// HS256
    Secret(Vec<u8>),
    /// ES256
    P256(Box<P256Key>),
    /// RS256
    Rsa(Box<RsaPublicKey>),
}

impl Material {
    /// As a token's header names it.
    pub fn algorithm(&self) -> &'static str {
        match self {
            Material::Secret(_) => "HS256",
            Material::P256(_) => "ES256",
            Material::Rsa(_) => "RS256",
        }
    }
}

/// One key.
pub struct Key {
    /// What a token may name it by.
    pub id: Option<String>,
    /// What it verifies.
    pub material: Material,
}

/// All keys of a project.
#[derive(Default)]
pub struct Keys(pub Vec<Key>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Set {
    Object { keys: Vec<Jwk> },
    Array(Vec<Jwk>),
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    k: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    /// Reads a set. Keys of algorithms that we do not know, for encryption, or too weak are left out: a token that needs
    /// one of them is refused. The text itself must be a key set.
    pub fn read(text: &str) -> Result<Keys, String> {
        let set: Set = serde_json::from_str(text)
            .map_err(|cause| format!("SUPABASE_JWKS is no set of keys: {cause}"))?;
        let (Set::Object { keys } | Set::Array(keys)) = set;
        Ok(Keys(keys.iter().filter_map(Jwk::key).collect()))
    }
}

impl Jwk {
    fn key(&self) -> Option<Key> {
        let signs = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let verifies = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let material = match self.kty.as_str() {
            "oct" => self.secret(),
            "EC" => self.p256(),
            "RSA" => self.rsa(),
            _ => None,
        }?;
        let named = self.alg.as_deref().is_none_or(|alg| alg == material.algorithm());
        (signs && verifies && named).then(|| Key { id: self.kid.clone(), material })
    }

    fn secret(&self) -> Option<Material> {
        let bytes = bytes(&self.k)?;
        (bytes.len() >= SECRET).then_some(Material::Secret(bytes))
    }

    /// Refuses a point that is not on the curve.
    fn p256(&self) -> Option<Material> {
        if self.crv.as_deref() != Some("P-256") {
            return None;
        }
        let (x, y): ([u8; 32], [u8; 32]) =
            (bytes(&self.x)?.try_into().ok()?, bytes(&self.y)?.try_into().ok()?);
        let point = EncodedPoint::from_affine_coordinates(&x.into(), &y.into(), false);
        Some(Material::P256(Box::new(P256Key::from_encoded_point(&point).ok()?)))
    }

    fn rsa(&self) -> Option<Material> {
        let (n, e) = (BigUint::from_bytes_be(&bytes(&self.n)?), BigUint::from_bytes_be(&bytes(&self.e)?));
        let key = RsaPublicKey::new(n, e).ok()?;
        (key.size() >= MODULUS).then(|| Material::Rsa(Box::new(key)))
    }
}

fn bytes(part: &Option<String>) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(part.as_deref()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn algorithms(set: &str) -> Vec<&'static str> {
        Keys::read(set).unwrap().0.iter().map(|key| key.material.algorithm()).collect()
    }

    #[test]
    fn a_secret_is_a_key_when_it_is_long_enough() {
        let long = r#"{"keys":[{"kty":"oct","k":"c3VwZXItc2VjcmV0LWp3dC10b2tlbi13aXRoLWF0LWxlYXN0LTMyLWNoYXJhY3RlcnMtbG9uZw"}]}"#;
        assert_eq!(algorithms(long), ["HS256"]);
        assert!(algorithms(r#"[{"kty":"oct","k":"c2hvcnQ"}, {"kty":"oct","k":""}]"#).is_empty());
    }

    #[test]
    fn keys_for_something_else_are_left_out() {
        let secret = "c3VwZXItc2VjcmV0LWp3dC10b2tlbi13aXRoLWF0LWxlYXN0LTMyLWNoYXJhY3RlcnMtbG9uZw";
        for more in [r#""use":"enc""#, r#""key_ops":["encrypt"]"#, r#""alg":"HS512""#] {
            assert!(algorithms(&format!(r#"[{{"kty":"oct","k":"{secret}",{more}}}]"#)).is_empty(), "{more}");
        }
        assert!(algorithms(r#"[{"kty":"OKP","crv":"Ed25519","x":"AA"}]"#).is_empty());
    }

    #[test]
    fn a_point_that_is_not_on_the_curve_is_no_key() {
        let ones = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        assert!(
            algorithms(&format!(r#"[{{"kty":"EC","crv":"P-256","x":"{ones}","y":"{ones}"}}]"#)).is_empty()
        );
    }

    #[test]
    fn a_text_that_is_no_set_is_refused() {
        assert!(Keys::read("{}").is_err() && Keys::read("null").is_err() && Keys::read("[{}]").is_err());
    }
}
