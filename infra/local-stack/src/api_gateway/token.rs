//! JSON Web Tokens (RFC 7519), and what a JWT authorizer of API Gateway asks of one.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>

use std::fmt;

use aws_lc_rs::signature::{KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Map, Value};

use super::signing_key::SigningKey;
use crate::error::{Context, Result};
use crate::template::Authorizer;

/// The one algorithm that is signed with and accepted.
pub(super) const ALGORITHM: &str = "RS256";

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// Why a token is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is none.
    Missing,
    /// It isn't valid, and why.
    Invalid(&'static str),
    /// It is valid, but has none of the scopes that are asked for.
    Scope(Vec<String>),
}

/// The answer's `WWW-Authenticate` (RFC 6750 section 3).
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Bearer"),
            Self::Invalid(why) => write!(f, r#"Bearer scope="" error="invalid_token" error_description="{why}""#),
            Self::Scope(scopes) => write!(
                f,
                r#"Bearer scope="{}" error="insufficient_scope" error_description="the token has none of the scopes""#,
                scopes.join(" ")
            ),
        }
    }
}

/// Verifies tokens.
#[derive(Debug)]
pub(super) struct Verifier {
    key: ParsedPublicKey,
    key_id: String,
    authorizer: Authorizer,
}

impl Verifier {
    pub(super) fn new(key: &SigningKey, authorizer: Authorizer) -> Result<Self> {
        let public = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.pair.public_key().as_ref());
        Ok(Self { key: public.context("could not read the key for tokens")?, key_id: key.id.clone(), authorizer })
    }

    /// The claims of the token in an `Authorization` header, if it is valid at this time, in seconds since 1970.
    pub(super) fn verify(&self, header: Option<&str>, now: f64) -> std::result::Result<Claims, Refusal> {
        // The word may be left out.
        let header = header.map(str::trim).filter(|header| !header.is_empty()).ok_or(Refusal::Missing)?;
        let token = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("Bearer") => token.trim_start(),
            _ => header,
        };
        let claims = self.signed_claims(token)?;
        self.check(&claims, now).map(|()| claims)
    }

    fn signed_claims(&self, token: &str) -> std::result::Result<Claims, Refusal> {
        let malformed = Refusal::Invalid("the token is not a signed JWT");
        let (signed, signature) = token.rsplit_once('.').ok_or(malformed.clone())?;
        let (header, payload) = signed.split_once('.').ok_or(malformed.clone())?;
        let json = |part: &str| -> Option<Claims> { serde_json::from_slice(&BASE64.decode(part).ok()?).ok() };
        let header = json(header).ok_or(malformed.clone())?;
        // Never what the token asks for: "none" and the key confusion of RFC 8725 section 2.1 end here.
        if header.get("alg").and_then(Value::as_str) != Some(ALGORITHM) {
            return Err(Refusal::Invalid("the token's algorithm is not RS256"));
        }
        // An extension that must be understood (RFC 7515 section 4.1.11); none is.
        if header.contains_key("crit") {
            return Err(malformed);
        }
        if header.get("kid").and_then(Value::as_str) != Some(&self.key_id) {
            return Err(Refusal::Invalid("the token's key is not one of the issuer's"));
        }
        let signature = BASE64.decode(signature).map_err(|_| malformed.clone())?;
        if self.key.verify_sig(signed.as_bytes(), &signature).is_err() {
            return Err(Refusal::Invalid("the token's signature is not valid"));
        }
        json(payload).ok_or(malformed)
    }

    fn check(&self, claims: &Claims, now: f64) -> std::result::Result<(), Refusal> {
        let refuse = |why| Err(Refusal::Invalid(why));
        let time = |name: &str| claims.get(name).map(|value| value.as_f64().ok_or(Refusal::Invalid(BAD_TIME)));
        if claims.get("iss").and_then(Value::as_str) != Some(&self.authorizer.issuer) {
            return refuse("the token does not have a valid issuer");
        }
        // A client ID counts only where there is no audience, as in Cognito's access tokens.
        let audience = claims.get("aud").or_else(|| claims.get("client_id"));
        if !items(audience).any(|one| self.authorizer.audiences.iter().any(|audience| audience == one)) {
            return refuse("the token does not have a valid audience");
        }
        match time("exp").transpose()? {
            Some(expiry) if now < expiry => {}
            Some(_) => return refuse("the token has expired"),
            None => return refuse("the token does not expire"),
        }
        for start in ["nbf", "iat"] {
            if time(start).transpose()?.is_some_and(|start| start > now) {
                return refuse("the token is not valid yet");
            }
        }
        Ok(())
    }
}

const BAD_TIME: &str = "a time of the token is not a number";

/// The scopes of a token: `scp`, else `scope`; a list, or words of one text.
///
/// # Errors
/// If scopes are asked for, and it has none of them.
pub(super) fn scopes<'a>(claims: &'a Claims, wanted: &[String]) -> std::result::Result<Vec<&'a str>, Refusal> {
    let claim = claims.get("scp").or_else(|| claims.get("scope"));
    let had: Vec<_> = items(claim).flat_map(str::split_whitespace).collect();
    if wanted.is_empty() || wanted.iter().any(|scope| had.contains(&scope.as_str())) {
        return Ok(had);
    }
    Err(Refusal::Scope(wanted.to_vec()))
}

/// The texts of a claim that may be one or a list.
fn items(claim: Option<&Value>) -> impl Iterator<Item = &str> {
    let list = match claim {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    list.iter().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api_gateway::Grant;
    use crate::data_dir::Issuer;

    const NOW: i64 = 1_800_000_000;
    const NOW_SECONDS: f64 = 1_800_000_000.0;

    struct Fixture {
        key: SigningKey,
        verifier: Verifier,
    }

    fn key() -> SigningKey {
        let dir = tempfile::tempdir().expect("a directory");
        SigningKey::open(&dir.path().join("key")).expect("a key")
    }

    fn fixture() -> Fixture {
        let key = key();
        let audiences = vec!["rollcall".to_owned(), "other".to_owned()];
        let verifier = Verifier::new(&key, Authorizer { issuer: "https://i".to_owned(), audiences });
        Fixture { key, verifier: verifier.expect("a verifier") }
    }

    fn claims() -> Value {
        let issuer = Issuer { url: "https://i".to_owned(), audience: "rollcall".to_owned(), ..Issuer::default() };
        let scopes = ["a".to_owned(), "b".to_owned()];
        let grant =
            Grant { account: "acme", subject: "ann@example.com", scopes: &scopes, issued: NOW, expires: NOW + 60 };
        grant.claims(&issuer)
    }

    impl Fixture {
        /// What comes of a token with claims that differ in this.
        fn with(&self, change: &Value) -> std::result::Result<Claims, Refusal> {
            let mut claims = claims();
            for (name, value) in change.as_object().expect("claims") {
                claims[name] = value.clone();
            }
            claims.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
            self.take(&self.key.sign(&claims).expect("a token"))
        }

        fn take(&self, token: &str) -> std::result::Result<Claims, Refusal> {
            self.verifier.verify(Some(&format!("Bearer {token}")), NOW_SECONDS)
        }
    }

    fn why(result: &std::result::Result<Claims, Refusal>) -> &'static str {
        match result {
            Err(Refusal::Invalid(why)) => why,
            Err(Refusal::Missing | Refusal::Scope(_)) => "refused",
            Ok(_) => "taken",
        }
    }

    #[test]
    fn a_token_of_the_issuer_is_taken() {
        let fixture = fixture();
        let found = fixture.with(&json!({})).expect("a valid token");
        assert_eq!((&found["sub"], &found["email"]), (&"ann@example.com".into(), &"ann@example.com".into()));
        assert_eq!(found["custom:account"], "acme");
        for change in [
            json!({ "aud": ["x", "other"] }),
            json!({ "aud": null, "client_id": "rollcall" }),
            json!({ "nbf": NOW, "exp": 1_800_000_000.5 }),
            json!({ "iat": null }),
        ] {
            assert_eq!(why(&fixture.with(&change)), "taken", "{change}");
        }
        let token = fixture.key.sign(&claims()).expect("a token");
        for header in [format!("bearer  {token} "), token] {
            assert!(fixture.verifier.verify(Some(&header), NOW_SECONDS).is_ok(), "{header}");
        }
    }

    #[test]
    fn claims_that_are_wrong_are_named() {
        let fixture = fixture();
        for (change, expected) in [
            (json!({ "exp": NOW }), "the token has expired"),
            (json!({ "exp": null }), "the token does not expire"),
            (json!({ "exp": "1900000000" }), BAD_TIME),
            (json!({ "nbf": NOW + 1 }), "the token is not valid yet"),
            (json!({ "iat": NOW + 1 }), "the token is not valid yet"),
            (json!({ "iss": "https://j" }), "the token does not have a valid issuer"),
            (json!({ "iss": null }), "the token does not have a valid issuer"),
            (json!({ "iss": ["https://i"] }), "the token does not have a valid issuer"),
            (json!({ "aud": "x", "client_id": "rollcall" }), "the token does not have a valid audience"),
            (json!({ "aud": null }), "the token does not have a valid audience"),
            (json!({ "aud": [] }), "the token does not have a valid audience"),
        ] {
            assert_eq!(why(&fixture.with(&change)), expected, "{change}");
        }
    }

    #[test]
    fn nothing_but_the_key_makes_a_token() {
        let fixture = fixture();
        assert_eq!(fixture.verifier.verify(None, 0.0), Err(Refusal::Missing));
        assert_eq!(fixture.verifier.verify(Some(" "), 0.0), Err(Refusal::Missing));
        for garbage in ["x", "..", "a.b.c", "\u{e9}.\u{e9}.\u{e9}", "Basic YTpi", "e30.e30."] {
            assert!(fixture.take(garbage).is_err(), "{garbage}");
        }
        let token = fixture.key.sign(&claims()).expect("a token");
        let parts: Vec<_> = token.split('.').collect();
        let header = |header: Value| BASE64.encode(header.to_string());
        let (id, payload, signature) = (&fixture.key.id, parts[1], parts[2]);

        let none = header(json!({ "alg": "none", "kid": id }));
        for unsigned in [format!("{none}.{payload}."), format!("{none}.{payload}.{signature}")] {
            assert_eq!(why(&fixture.take(&unsigned)), "the token's algorithm is not RS256");
        }
        // Signed with the public key as if it were a shared secret.
        let symmetric = header(json!({ "alg": "HS256", "kid": id }));
        assert_eq!(
            why(&fixture.take(&format!("{symmetric}.{payload}.{signature}"))),
            "the token's algorithm is not RS256"
        );
        let other = BASE64.encode(claims().to_string().replace("acme", "evil"));
        assert_eq!(
            why(&fixture.take(&format!("{}.{other}.{signature}", parts[0]))),
            "the token's signature is not valid"
        );
        let critical = header(json!({ "alg": ALGORITHM, "kid": id, "crit": ["x"] }));
        assert_eq!(why(&fixture.take(&format!("{critical}.{payload}.{signature}"))), "the token is not a signed JWT");

        let stranger = key();
        let foreign = stranger.sign(&claims()).expect("a token");
        assert_eq!(why(&fixture.take(&foreign)), "the token's key is not one of the issuer's");
        let posing = SigningKey { id: id.clone(), ..stranger };
        let posing = posing.sign(&claims()).expect("a token");
        assert_eq!(why(&fixture.take(&posing)), "the token's signature is not valid");
    }

    #[test]
    fn one_of_the_scopes_is_enough() {
        let claims = |value: Value| value.as_object().expect("claims").clone();
        let wanted = ["a".to_owned(), "b".to_owned()];
        for (given, expected) in [
            (json!({ "scope": "x b" }), Some(vec!["x", "b"])),
            (json!({ "scp": ["a"], "scope": "x" }), Some(vec!["a"])),
            (json!({ "scp": "b a" }), Some(vec!["b", "a"])),
            (json!({ "scope": "ab A" }), None),
            (json!({ "scope": 1 }), None),
            (json!({}), None),
        ] {
            assert_eq!(scopes(&claims(given.clone()), &wanted).ok(), expected, "{given}");
        }
        assert_eq!(scopes(&claims(json!({})), &[]), Ok(vec![]));
        let refusal = scopes(&claims(json!({})), &wanted).expect_err("no scope");
        assert!(refusal.to_string().starts_with(r#"Bearer scope="a b" error="insufficient_scope""#), "{refusal}");
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("key");
        let made = SigningKey::open(&file).expect("a key");
        assert_eq!(SigningKey::open(&file).expect("a key").id, made.id);
        assert_eq!(std::fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
        let set = made.key_set();
        assert_eq!((&set["keys"][0]["kid"], &set["keys"][0]["e"]), (&made.id.as_str().into(), &"AQAB".into()));
    }
}
