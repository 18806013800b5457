//! Who calls, and with which credentials the database is asked for them.

use crate::fault::Fault;
use crate::jwt;
use crate::keys::Keys;
use sha2::{Digest, Sha256};
use strata_core::Kind;
use subtle::{Choice, ConstantTimeEq};

/// How keys begin that are no tokens.
const OPAQUE: &str = "sb_";

/// The header lines that say who calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shown<'a> {
    /// `Authorization`
    pub authorization: Option<&'a str>,
    /// `apikey`
    pub apikey: Option<&'a str>,
}

/// What the project knows its callers by.
#[derive(Default)]
pub struct Project {
    /// Keys of tokens.
    pub tokens: Keys,
    /// Keys that everybody may see, the anonymous one of older projects among them. The first is shown to the API with
    /// the token of a user.
    pub publishable: Vec<String>,
    /// Keys that may do everything, the service key of older projects among them.
    pub secret: Vec<String>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody.
    Anonymous,
    /// Somebody who has signed in.
    User(Credentials),
    /// The project itself: a service, a schedule, an operator.
    Service(Credentials),
}

/// What the API is shown on behalf of a caller: their own, and nothing more.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `apikey`
    pub apikey: String,
    /// `Authorization: Bearer`; a key that is no token goes without.
    pub bearer: Option<String>,
}

/// Nobody's log gets them.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials")
    }
}

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// Everybody. Who they are is not even looked at.
    Anybody,
    /// Users and services.
    SignedIn,
    /// Services alone.
    Service,
}

impl Project {
    /// Whom these header lines belong to. `now`: seconds since 1970. What is shown must be right: a wrong key or token
    /// does not make its bearer anonymous.
    pub fn caller(&self, shown: Shown<'_>, now: f64) -> Result<Caller, Fault> {
        match bearer(shown.authorization)? {
            Some(token) if !token.starts_with(OPAQUE) && !self.is_secret(token) => self.holder(token, now),
            Some(key) => self.owner(key),
            None => shown.apikey.map_or(Ok(Caller::Anonymous), |key| self.owner(key)),
        }
    }

    /// Of a key.
    fn owner(&self, key: &str) -> Result<Caller, Fault> {
        if self.is_secret(key) {
            let bearer = (!key.starts_with(OPAQUE)).then(|| key.to_owned());
            return Ok(Caller::Service(Credentials { apikey: key.to_owned(), bearer }));
        }
        if is_one_of(key, &self.publishable) {
            return Ok(Caller::Anonymous);
        }
        Err(Fault::unauthorized("the key is not one of this project")
            .hint("look into the project's API keys"))
    }

    /// Of a token.
    fn holder(&self, token: &str, now: f64) -> Result<Caller, Fault> {
        let claims = jwt::verify(token, &self.tokens, now).map_err(|refusal| {
            Fault::unauthorized(refusal.text()).hint("sign in again, then repeat the request")
        })?;
        let apikey = self.publishable.first().cloned().unwrap_or_default();
        let credentials = Credentials { apikey, bearer: Some(token.to_owned()) };
        match (claims.role.as_str(), claims.sub) {
            ("service_role", _) => Ok(Caller::Service(credentials)),
            ("authenticated", Some(_)) => Ok(Caller::User(credentials)),
            ("anon", _) => Ok(Caller::Anonymous),
            (role, _) => Err(Fault::of(Kind::Forbidden, format!("role \"{role}\" has no access here"))),
        }
    }

    fn is_secret(&self, key: &str) -> bool {
        is_one_of(key, &self.secret)
    }
}

impl Caller {
    /// The credentials of a caller who has this right.
    pub fn require(&self, right: Right) -> Result<Option<&Credentials>, Fault> {
        match (self, right) {
            (_, Right::Anybody) => Ok(None),
            (Caller::Service(credentials), _) | (Caller::User(credentials), Right::SignedIn) => {
                Ok(Some(credentials))
            }
            (Caller::User(_), Right::Service) => {
                Err(Fault::of(Kind::Forbidden, "this is not for users of the application")
                    .hint("call it with a secret key"))
            }
            (Caller::Anonymous, Right::SignedIn) => {
                Err(Fault::unauthorized("nobody is signed in").hint("sign in, then repeat the request"))
            }
            (Caller::Anonymous, Right::Service) => {
                Err(Fault::unauthorized("a secret key is missing").hint("call it with a secret key"))
            }
        }
    }
}

/// The token or key of `Authorization: Bearer`.
fn bearer(authorization: Option<&str>) -> Result<Option<&str>, Fault> {
    let Some(line) = authorization.map(str::trim).filter(|line| !line.is_empty()) else { return Ok(None) };
    match line.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Fault::unauthorized("Authorization must be `Bearer`, a space, and a token")),
    }
}

/// Compares by digest, so that neither a length nor a common beginning shows in the time, and with every key, so that
/// it does not tell which one it was.
fn is_one_of(shown: &str, keys: &[String]) -> bool {
    let digest = |text: &str| <[u8; 32]>::from(Sha256::digest(text.as_bytes()));
    let shown = digest(shown);
    let found = keys.iter().fold(Choice::from(0), |found, key| found | shown.ct_eq(&digest(key)));
    found.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64UrlUnpadded, Encoding};
    use hmac::{Hmac, Mac};
    use serde_json::{Value, json};

    const SECRET: &[u8] = b"super-secret-jwt-token-with-at-least-32-characters-long";
    const NOW: f64 = 1_800_000_000.0;

    fn token(claims: &Value) -> String {
        let part = |value: &Value| Base64UrlUnpadded::encode_string(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&json!({"alg": "HS256"})), part(claims));
        let mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap().chain_update(text.as_bytes());
        format!("{text}.{}", Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes()))
    }

    fn of_role(role: &str) -> String {
        token(&json!({"role": role, "aud": "authenticated", "sub": "me", "exp": NOW + 60.0}))
    }

    fn project() -> Project {
        let secret = Base64UrlUnpadded::encode_string(SECRET);
        let set = json!({"keys": [{"kty": "oct", "k": secret}]});
        Project {
            tokens: Keys::read(&set.to_string()).unwrap(),
            publishable: vec!["sb_publishable_p".into(), of_role("anon")],
            secret: vec!["sb_secret_s".into(), "sb_secret_t".into(), of_role("service_role")],
        }
    }

    fn caller(authorization: Option<&str>, apikey: Option<&str>) -> Result<Caller, Fault> {
        project().caller(Shown { authorization, apikey }, NOW)
    }

    fn service(apikey: &str, bearer: Option<&str>) -> Caller {
        Caller::Service(Credentials { apikey: apikey.into(), bearer: bearer.map(str::to_owned) })
    }

    #[test]
    fn a_secret_key_is_a_service_in_either_header() {
        for key in ["sb_secret_s", "sb_secret_t"] {
            assert_eq!(caller(None, Some(key)), Ok(service(key, None)));
            assert_eq!(caller(Some(&format!("Bearer {key}")), None), Ok(service(key, None)));
        }
        let old = of_role("service_role");
        assert_eq!(caller(None, Some(&old)), Ok(service(&old, Some(&old))));
        assert_eq!(caller(Some(&format!("bearer {old}")), None), Ok(service(&old, Some(&old))));
    }

    #[test]
    fn a_secret_key_that_was_replaced_lives_on_as_a_token_only_while_its_signature_does() {
        let other = token(&json!({"role": "service_role", "exp": NOW + 61.0}));
        assert_eq!(
            caller(Some(&format!("Bearer {other}")), None),
            Ok(service("sb_publishable_p", Some(&other)))
        );
        assert_eq!(caller(None, Some(&other)).unwrap_err().status, 401, "a token is no key");
    }

    #[test]
    fn a_users_token_is_passed_on_and_no_key_of_the_project_with_it() {
        let mine = of_role("authenticated");
        let expected = Credentials { apikey: "sb_publishable_p".into(), bearer: Some(mine.clone()) };
        let line = format!("Bearer {mine}");
        assert_eq!(caller(Some(&line), Some("sb_publishable_p")), Ok(Caller::User(expected.clone())));
        assert_eq!(caller(Some(&line), Some("sb_secret_s")), Ok(Caller::User(expected)), "the token decides");
    }

    #[test]
    fn who_shows_nothing_or_what_everybody_has_is_anonymous() {
        assert_eq!(caller(None, None), Ok(Caller::Anonymous));
        assert_eq!(caller(Some(""), None), Ok(Caller::Anonymous));
        assert_eq!(caller(None, Some("sb_publishable_p")), Ok(Caller::Anonymous));
        let anon = of_role("anon");
        assert_eq!(caller(Some(&format!("Bearer {anon}")), Some(&anon)), Ok(Caller::Anonymous));
    }

    #[test]
    fn what_is_wrong_is_refused_and_not_taken_for_nothing() {
        for (authorization, apikey) in [
            (None, Some("sb_secret_")),
            (None, Some("sb_secret_sb_secret_s")),
            (None, Some("")),
            (Some("Bearer sb_secret_x"), Some("sb_secret_s")),
            (Some("Bearer x.y.z"), None),
            (Some("Basic c2I6c2I="), None),
            (Some("Bearer"), None),
        ] {
            let fault = caller(authorization, apikey).unwrap_err();
            assert_eq!(
                (fault.status, fault.body.code.as_str()),
                (401, "28P01"),
                "{authorization:?} {apikey:?}"
            );
        }
    }

    #[test]
    fn a_role_that_we_do_not_know_is_forbidden() {
        let fault = caller(Some(&format!("Bearer {}", of_role("postgres"))), None).unwrap_err();
        assert_eq!((fault.status, fault.body.code.as_str()), (403, "42501"));
    }

    #[test]
    fn a_right_is_had_or_told_apart() {
        let user = caller(Some(&format!("Bearer {}", of_role("authenticated"))), None).unwrap();
        let service = caller(None, Some("sb_secret_s")).unwrap();
        let status = |caller: &Caller, right| caller.require(right).map_err(|fault| fault.status).map(drop);
        assert_eq!(status(&Caller::Anonymous, Right::Anybody), Ok(()));
        assert_eq!(status(&Caller::Anonymous, Right::SignedIn), Err(401));
        assert_eq!(status(&Caller::Anonymous, Right::Service), Err(401));
        assert_eq!(status(&user, Right::SignedIn), Ok(()));
        assert_eq!(status(&user, Right::Service), Err(403));
        assert_eq!(status(&service, Right::SignedIn), Ok(()));
        assert_eq!(status(&service, Right::Service), Ok(()));
    }

    #[test]
    fn no_log_gets_a_credential() {
        let shown = format!("{:?}", caller(None, Some("sb_secret_s")).unwrap());
        assert!(!shown.contains("sb_"), "{shown}");
    }
}
