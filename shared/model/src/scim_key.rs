//! The keys by which a company's directory pushes users into an account, by SCIM.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{account::AccountId, audit::Actor};

/// Keys that an account has at a time: two, so that one can be changed for another without a gap.
pub const MAX_KEYS: usize = 2;

/// A key as it is kept: **not the token**, but its hash. A token has 256 random bits, so nobody finds it by trying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScimKey {
    /// Its ID: 16 hexadecimal digits.
    pub id: String,
    /// SHA-256 of the token, as hexadecimal digits.
    pub hash: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who made it.
    pub created_by: Actor,
    /// When.
    pub created: Timestamp,
    /// The day of its last use.
    #[serde(skip)]
    pub last_used: Option<Date>,
}

/// A token: `rcs_{account}_{id}_{secret}`. Whoever finds one in a text knows whose it is.
#[derive(Clone, PartialEq, Eq)]
pub struct ScimToken {
    /// The account that it is for. **Nothing else says so.**
    pub account: AccountId,
    /// The key's ID.
    pub id: String,
    secret: String,
}

const PREFIX: &str = "rcs_";
const ID: usize = 16;
/// 32 bytes as base64.
const SECRET: usize = 43;

impl ScimToken {
    /// A token of these random bytes: eight for the ID, and 43 characters of base64 for the secret.
    pub fn new(account: AccountId, id: [u8; 8], secret: String) -> Self {
        Self { account, id: hex::encode(id), secret }
    }

    /// Reads a token. An account's name and a secret may hold the separator, so the lengths tell where they end.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX).filter(|text| text.is_ascii())?;
        let (rest, secret) = text.split_at_checked(text.len().checked_sub(SECRET)?)?;
        let rest = rest.strip_suffix('_')?;
        let (rest, id) = rest.split_at_checked(rest.len().checked_sub(ID)?)?;
        let account = AccountId::parse(rest.strip_suffix('_')?).ok()?;
        let is_secret = secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let is_id = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_secret && is_id).then(|| Self { account, id: id.to_owned(), secret: secret.to_owned() })
    }

    /// As it is given to whoever asks for a key, once.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}_{}", self.account, self.id, self.secret)
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(self.reveal()))
    }

    /// Whether it is the token of this key. How long the answer takes says nothing of the hash.
    pub fn is_of(&self, key: &ScimKey) -> bool {
        let (ours, kept) = (self.hash(), key.hash.as_str());
        let differ = ours.bytes().zip(kept.bytes()).fold(0, |differ, (one, other)| differ | (one ^ other));
        self.id == key.id && ours.len() == kept.len() && differ == 0
    }
}

/// A secret: a debug print shows whose it is alone.
impl fmt::Debug for ScimToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScimToken({}, {})", self.account, self.id)
    }
}

/// Who a key is in the audit trail: `call:scim:{id}`.
pub fn actor(id: &str) -> Actor {
    Actor::Call(format!("scim:{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_whatever_separators_it_holds() {
        for account in ["acme", "a_b", "_", "acme-2_in"] {
            let token = ScimToken::new(account.parse().unwrap(), [7; 8], "_".repeat(SECRET));
            assert_eq!(ScimToken::parse(&token.reveal()), Some(token.clone()));
            let key = ScimKey {
                id: token.id.clone(),
                hash: token.hash(),
                name: None,
                created_by: Actor::Schedule,
                created: Timestamp::UNIX_EPOCH,
                last_used: None,
            };
            assert!(token.is_of(&key) && !format!("{token:?}").contains(&token.secret));
            let other = ScimToken { secret: "a".repeat(SECRET), ..token.clone() };
            // The same secret of another account is another token.
            let elsewhere = ScimToken { account: "other".parse().unwrap(), ..token };
            assert!(!other.is_of(&key) && !elsewhere.is_of(&key));
        }
    }

    #[test]
    fn what_is_no_token_is_none() {
        let good = ScimToken::new("acme".parse().unwrap(), [7; 8], "a".repeat(SECRET)).reveal();
        for text in
            ["", "rcs_", &good[1..], &good[..good.len() - 1], &good.replace("acme", "ACME"), &good.replace("07", "0é")]
        {
            assert_eq!(ScimToken::parse(text), None, "{text}");
        }
    }
}
