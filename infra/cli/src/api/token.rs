//! A token for the API, as its holder may read it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use http::HeaderValue;
use jiff::Timestamp;
use rollcall_model::account::AccountId;
use serde::Deserialize;

/// A JSON Web Token (RFC 7519). Whether it is good is for the API to say: **what is read here decides nothing**, and tells people whose
/// account they look at, and that a token is too old.
#[derive(Clone, Debug)]
pub struct ApiToken {
    /// Marked as sensitive: a debug print hides it.
    header: HeaderValue,
    account: Option<AccountId>,
    expires: Option<Timestamp>,
}

/// The text is no token. It isn't repeated, since it may be a secret all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a JSON Web Token: three parts in base64, with dots between")]
pub struct NotAToken;

#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "custom:account")]
    account: Option<String>,
    /// In seconds since 1970; a fraction is allowed.
    exp: Option<f64>,
}

impl ApiToken {
    /// Reads a token.
    ///
    /// # Errors
    /// [`NotAToken`]
    pub fn parse(text: &str) -> Result<Self, NotAToken> {
        let [_, claims, _] = text.split('.').collect::<Vec<_>>()[..] else { return Err(NotAToken) };
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).map_err(|_| NotAToken)?;
        let claims: Claims = serde_json::from_slice(&claims).map_err(|_| NotAToken)?;
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).map_err(|_| NotAToken)?;
        header.set_sensitive(true);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a time past the range of seconds is past that of timestamps"
        )]
        let expires = claims.exp.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
        Ok(Self { header, account: claims.account.and_then(|account| account.parse().ok()), expires })
    }

    /// The account that it is for, if it names one.
    pub fn account(&self) -> Option<&AccountId> {
        self.account.as_ref()
    }

    /// When it ends, if it says so.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// The header that it is sent in.
    pub fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Why the API may not take it, in a sentence.
    pub(super) fn why_not_taken(&self) -> String {
        match self.expires.filter(|expires| *expires <= Timestamp::now()) {
            Some(expires) => format!("The token has expired, at {expires:.0}."),
            None => "The API doesn't take the token: another issuer or audience may have been set for it.".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_token_tells_its_account_and_its_end_and_no_print_shows_it() {
        let text = token(r#"{"custom:account":"acme","exp":1000.5,"sub":"ann"}"#);
        let read = ApiToken::parse(&text).unwrap();
        assert_eq!(read.account().map(AccountId::as_str), Some("acme"));
        assert_eq!(read.why_not_taken(), "The token has expired, at 1970-01-01T00:16:40Z.");
        assert!(!format!("{read:?}").contains(&text[4..20]), "{read:?}");
        let other = ApiToken::parse(&token(r#"{"exp":99999999999}"#)).unwrap();
        assert!(other.account().is_none() && other.why_not_taken().contains("issuer"));
    }

    #[test]
    fn what_is_no_token_is_none() {
        for text in ["", "abc", "a.b", "a.b.c", "e30.e30.a.b", "e30.!!!.c2ln", "e30.e30.c\n"] {
            assert_eq!(ApiToken::parse(text).map(drop), Err(NotAToken), "{text}");
        }
    }
}
