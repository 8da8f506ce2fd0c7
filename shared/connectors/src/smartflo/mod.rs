//! The Smartflo family: Smartflo, Acefone and Servetel, which have the same API at hosts of their own.
//!
//! Users come in, allowed caller IDs go out: **no read tells which numbers a user may dial from**, so the directory is in force there, and
//! [`Smartflo::set_caller_ids`] says so to the phone system. All calls of an account share what it may ask for a second, and its live
//! traffic does too. <https://docs.smartflo.tatatelebusiness.com/reference/rate-limiting-on-api-requests>

mod numbers;
mod wire;

use std::num::NonZeroU32;

use http::Method;
use rollcall_model::{
    catalog::CatalogEntry,
    phone_side::{PhoneSide, PhoneUser},
    secret::SecretText,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

pub use numbers::MyNumbers;

use crate::{
    BaseUrl, ConnectorError, FailureKind, Http,
    http_client::{HttpRequest, HttpResponse},
    refusal::Refusal,
    service::Service,
    session::Session,
    trail::Trail,
};

/// What an account's secret with its [`Credentials`] is called.
pub const SECRET: &str = "smartflo";

/// Calls a second that an account has where its contract says nothing else.
pub const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(3).expect("three");

/// Somebody who may log in to the account. Smartflo and Servetel ask for an `email`, Acefone for a `login_id`; it is sent as it is kept.
///
/// Smartflo's passwords end after 90 days.
/// <https://docs.smartflo.tatatelebusiness.com/reference/generate-a-token>
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Credentials {
    /// For Smartflo and Servetel.
    Email {
        /// The login ID, which they call so.
        email: String,
        /// The password.
        password: SecretText,
    },
    /// For Acefone.
    LoginId {
        /// The login ID.
        login_id: String,
        /// The password.
        password: SecretText,
    },
}

/// One account's phone system.
pub struct Smartflo {
    session: Session,
    base: BaseUrl,
    credentials: Credentials,
}

/// Users on a page. The documentation names no bound.
const PAGE: &str = "100";

const SIGN_IN: &str = "signing in to the phone system";
const USERS: &str = "listing the phone system's users";
const DEPARTMENTS: &str = "listing the phone system's departments";

impl Smartflo {
    /// The phone system that these credentials open, asked at most so many times a second.
    pub fn new(http: Http, base: BaseUrl, credentials: Credentials, per_second: NonZeroU32) -> Self {
        Self { session: Session::new(Service::paced(http, per_second), SIGN_IN), base, credentials }
    }

    /// Every user, without a permission.
    ///
    /// # Errors
    /// See [`FailureKind`]. [`FailureKind::Malformed`] for a list that contradicts itself: it is never a short one.
    pub async fn read(&self, until: Instant) -> Result<PhoneSide, ConnectorError> {
        let malformed = |detail: &str| ConnectorError::new(USERS, FailureKind::Malformed, detail);
        // A page may come again under another cursor, and for ever.
        let (mut trail, mut told) = (Trail::new(USERS), Trail::new(USERS));
        let mut users = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let mut query = vec![("limit", PAGE)];
            query.extend(after.as_deref().map(|after| ("last_seen_id", after)));
            let page: wire::UserPage = self.list(USERS, "v1/users", &query, until).await?;
            if page.count.0 != page.data.len() as u64 {
                return Err(malformed("a page has other users than it counts"));
            }
            for user in page.data {
                let user = PhoneUser::try_from(user).map_err(malformed)?;
                told.follow(user.id.as_str())?;
                users.push(user);
            }
            if !page.has_more {
                break;
            }
            let last = page.last_seen_id.ok_or_else(|| malformed("there are more users, and no word of where"))?;
            trail.follow(last.as_str())?;
            after = Some(last.as_str().to_owned());
        }
        PhoneSide::new(users).map_err(|error| malformed(&error.to_string()))
    }

    /// The account's departments.
    ///
    /// # Errors
    /// See [`FailureKind`].
    pub async fn departments(&self, until: Instant) -> Result<Vec<CatalogEntry>, ConnectorError> {
        let departments: Vec<wire::Department> = self.list(DEPARTMENTS, "v1/departments", &[], until).await?;
        let entries = departments.into_iter().map(CatalogEntry::try_from).collect::<Result<_, _>>();
        entries.map_err(|detail| ConnectorError::new(DEPARTMENTS, FailureKind::Malformed, detail))
    }

    async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
        until: Instant,
    ) -> Result<T, ConnectorError> {
        let address = self.base.address(operation, path, query)?;
        let answer = self.ask(HttpRequest::get(operation, address), until).await?;
        answer.json(operation)
    }

    /// Asks, and gives what is not a no.
    async fn ask(&self, ask: HttpRequest, until: Instant) -> Result<HttpResponse, ConnectorError> {
        let operation = ask.operation;
        let answer = self.session.ask(ask, || self.grant(), until).await?;
        if !answer.status.is_success() {
            return Err(Refusal::new(answer.status, None).into_error(operation));
        }
        if answer.says_no() {
            return Err(ConnectorError::new(operation, FailureKind::Refused, "the answer says that it is no success"));
        }
        Ok(answer)
    }

    fn grant(&self) -> Result<HttpRequest, ConnectorError> {
        let address = self.base.address(SIGN_IN, "v1/auth/login", &[])?;
        Ok(HttpRequest::json(SIGN_IN, Method::POST, address, &self.credentials))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_sent_as_they_are_kept_and_never_printed() {
        for json in
            [r#"{"email":"ops@example.com","password":"hush"}"#, r#"{"login_id":"ops@example.com","password":"hush"}"#]
        {
            let credentials: Credentials = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::to_string(&credentials).unwrap(), json);
            assert!(!format!("{credentials:?}").contains("hush"));
        }
        for json in [r#"{"password":"hush"}"#, r#"{"email":"x"}"#, r#"{"email":"x","login_id":"x","password":"hush"}"#]
        {
            let error = serde_json::from_str::<Credentials>(json).unwrap_err();
            assert!(!error.to_string().contains("hush"));
        }
    }
}
