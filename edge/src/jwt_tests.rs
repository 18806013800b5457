//! Every way in which a token may lie. Of the RSA key only the public half was kept.

use super::*;
use hmac::Hmac;
use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer;
use serde_json::{Value, json};

const NOW: f64 = 1_800_000_000.0;
const SECRET: &str = "super-secret-jwt-token-with-at-least-32-characters-long";
const RSA_N: &str = "tgqjJ1781chbLLHC8hA1pReu9UbeEAdabeBEbfXorjZ57oF2msJDEYjG76vQK8p-Ba3oLOMybE_OuTPVaLIz_2LOdA8HLVfvnzbkouL90kSr6jgxx4aahNCc-YJXC60Dt4N8sQylTne-x0-2DYx6U-lZfCLAnTfN_pE6YNeDHLe8NIBsWQcmXNOaHbdmKIOWa-yMHPHfsJiHCbUlpEuOkUjzEmO9lnlUX81qxJykvHj2gRuZez3YQoPn4AMA9FC22HN7V_qV-pRn_tLkz2YK9FIBej624GOGISR94kP65DYevjcYoqw5HlAtz1-ZHf_Px_FEwJd0eQNKyIyiu539bQ";
/// Signed by the private half: {"alg":"RS256","kid":"rsa"}, a user, valid until 2100.
const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6InJzYSJ9.eyJyb2xlIjoiYXV0aGVudGljYXRlZCIsImF1ZCI6ImF1dGhlbnRpY2F0ZWQiLCJzdWIiOiIxMDAwMDAwMC0wMDAwLTQwMDAtODAwMC0wMDAwMDAwMDAwMDEiLCJleHAiOjQxMDI0NDQ4MDB9.n1UOJTUofWRmck15dwLOylRj-CNsghFuDDUWEtpD_WSA7ID3HvRpVocFwZ1Rx_hRN20xK8OVaHCD-ql7-dZB452Yrir3KSSzZDOq33caclHEb3YPUY1wocyZrRx1xD4VdVl7oLXzBEs1_a3ynzkdiSJToUQpqJsgnR6zVSpDNLlwQYDOfxvasP85MnAs0IyaJc5VKbUSsbZp2CeS1d8bNFFWBGVfW9hgddT1m8RICPONL69Wi-31bz2StsQ3O7izIGy2AbFfp6unTlbrpSS9B98ZyuAhcWRXVE-HLpU_f-vnNN1Cau4qLXT34-VGQHk3hGp4Mi4VRLKp9Ex4yGKBeQ";

fn base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).unwrap()
}

/// The public half of an elliptic key, as a set has it.
fn ec() -> Value {
    let point = signing_key().verifying_key().to_encoded_point(false);
    json!({"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "use": "sig",
           "x": base64(point.x().unwrap()), "y": base64(point.y().unwrap())})
}

fn rsa_jwk() -> Value {
    json!({"kty": "RSA", "kid": "rsa", "n": RSA_N, "e": "AQAB"})
}

fn oct() -> Value {
    json!({"kty": "oct", "k": base64(SECRET.as_bytes())})
}

fn keys(all: &[Value]) -> Keys {
    Keys::read(&json!({"keys": all}).to_string()).unwrap()
}

fn user() -> Value {
    json!({"role": "authenticated", "aud": "authenticated", "sub": "me", "exp": NOW + 600.0})
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn without(mut claims: Value, name: &str) -> Value {
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", base64(header.to_string().as_bytes()), base64(claims.to_string().as_bytes()))
}

fn hs256_by(secret: &[u8], header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let mac = Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(text.as_bytes());
    format!("{text}.{}", base64(&mac.finalize().into_bytes()))
}

fn hs256(claims: &Value) -> String {
    hs256_by(SECRET.as_bytes(), &json!({"alg": "HS256", "typ": "JWT"}), claims)
}

fn es256_with(header: &Value, claims: &Value) -> String {
    let text = unsigned(header, claims);
    let signature: p256::ecdsa::Signature = signing_key().sign(text.as_bytes());
    format!("{text}.{}", base64(&signature.to_bytes()))
}

fn es256(claims: &Value) -> String {
    es256_with(&json!({"alg": "ES256", "kid": "ec"}), claims)
}

fn all() -> Keys {
    keys(&[ec(), rsa_jwk(), oct()])
}

fn refusal(token: &str) -> Refusal {
    verify(token, &all(), NOW).unwrap_err()
}

#[test]
fn a_token_of_each_algorithm_is_believed() {
    for token in [hs256(&user()), es256(&user()), RSA_TOKEN.to_owned()] {
        assert_eq!(verify(&token, &all(), NOW).unwrap().role, "authenticated", "{token}");
    }
    assert_eq!(verify(&es256(&user()), &all(), NOW).unwrap().sub.as_deref(), Some("me"));
}

#[test]
fn a_changed_part_makes_it_a_strangers() {
    for token in [hs256(&user()), es256(&user()), RSA_TOKEN.to_owned()] {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let claims = base64(with(user(), "role", json!("service_role")).to_string().as_bytes());
        assert_eq!(refusal(&format!("{header}.{claims}.{signature}")), Refusal::NotOurs);
        let half = &signature[..signature.len() / 8 * 4];
        assert_eq!(refusal(&format!("{signed}.{half}")), Refusal::NotOurs);
        assert_eq!(refusal(&format!("{signed}.")), Refusal::NotOurs);
    }
}

#[test]
fn no_algorithm_is_no_signature() {
    for name in ["none", "None", "NONE", "", "HS512", "es256"] {
        let text = unsigned(&json!({"alg": name}), &user());
        assert_eq!(refusal(&format!("{text}.")), Refusal::NotOurs, "{name}");
    }
    assert_eq!(refusal(&unsigned(&json!({"alg": "none"}), &user())), Refusal::Malformed);
}

#[test]
fn a_public_key_is_not_a_secret() {
    let point = signing_key().verifying_key().to_encoded_point(false);
    let modulus = Base64UrlUnpadded::decode_vec(RSA_N).unwrap();
    let confused: [&[u8]; 4] = [point.as_bytes(), RSA_N.as_bytes(), &modulus, &[]];
    for secret in confused {
        for kid in ["ec", "rsa"] {
            let token = hs256_by(secret, &json!({"alg": "HS256", "kid": kid}), &user());
            assert_eq!(refusal(&token), Refusal::NotOurs);
        }
        assert_eq!(refusal(&hs256_by(secret, &json!({"alg": "HS256"}), &user())), Refusal::NotOurs);
    }
}

#[test]
fn an_algorithm_is_the_keys_and_not_the_tokens() {
    let header = json!({"alg": "RS256", "kid": "ec"});
    assert_eq!(refusal(&es256_with(&header, &user())), Refusal::NotOurs);
    assert_eq!(verify(RSA_TOKEN, &keys(&[ec(), oct()]), NOW).unwrap_err(), Refusal::NotOurs);
    assert_eq!(verify(&hs256(&user()), &keys(&[ec()]), NOW).unwrap_err(), Refusal::NotOurs);
}

#[test]
fn a_token_means_the_key_that_it_names() {
    assert_eq!(refusal(&es256_with(&json!({"alg": "ES256", "kid": "other"}), &user())), Refusal::NotOurs);
    assert!(verify(&es256_with(&json!({"alg": "ES256"}), &user()), &all(), NOW).is_ok());
}

#[test]
fn an_extension_that_must_be_understood_is_not() {
    let header = json!({"alg": "ES256", "kid": "ec", "crit": ["b64"], "b64": false});
    assert_eq!(refusal(&es256_with(&header, &user())), Refusal::NotOurs);
}

#[test]
fn clocks_may_be_half_a_minute_apart_and_no_more() {
    let exp = |seconds: f64| hs256(&with(user(), "exp", json!(NOW + seconds)));
    assert!(verify(&exp(-29.0), &all(), NOW).is_ok());
    assert_eq!(refusal(&exp(-30.0)), Refusal::Expired);
    let nbf = |seconds: f64| hs256(&with(user(), "nbf", json!(NOW + seconds)));
    assert!(verify(&nbf(30.0), &all(), NOW).is_ok());
    assert_eq!(refusal(&nbf(31.0)), Refusal::TooEarly);
}

#[test]
fn a_token_for_ever_is_none() {
    assert_eq!(refusal(&hs256(&without(user(), "exp"))), Refusal::Malformed);
    assert_eq!(refusal(&hs256(&with(user(), "exp", json!("4102444800")))), Refusal::Malformed);
    assert_eq!(refusal(&hs256(&without(user(), "role"))), Refusal::Malformed);
}

#[test]
fn a_users_token_is_for_users() {
    for audience in [json!("other"), json!(["other"]), json!("")] {
        assert_eq!(refusal(&hs256(&with(user(), "aud", audience))), Refusal::WrongAudience);
    }
    assert_eq!(refusal(&hs256(&without(user(), "aud"))), Refusal::WrongAudience);
    assert!(verify(&hs256(&with(user(), "aud", json!(["x", "authenticated"]))), &all(), NOW).is_ok());
    let key = without(with(user(), "role", json!("service_role")), "aud");
    assert!(verify(&hs256(&key), &all(), NOW).is_ok(), "a project's own key has no audience");
    assert_eq!(refusal(&hs256(&with(key, "aud", json!("other")))), Refusal::WrongAudience);
}

#[test]
fn what_is_no_token_is_malformed() {
    for text in ["", ".", "..", "a.b", "a.b.c.d", "not a token", "e30.e30.e30=", &"a".repeat(20_000)] {
        assert!(matches!(refusal(text), Refusal::Malformed | Refusal::NotOurs), "{text}");
    }
    let twice = format!("{}.{}", base64(br#"{"alg":"HS256","alg":"none"}"#), base64(b"{}"));
    assert_eq!(refusal(&format!("{twice}.")), Refusal::Malformed);
}
