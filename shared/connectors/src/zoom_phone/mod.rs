//! Zoom Phone, through version 2 of Zoom's API.
//!
//! We are a Server-to-Server OAuth app of the account, which gives a token for an hour.
//! <https://developers.zoom.us/docs/internal-apps/s2s-oauth/>
//!
//! Zoom has no policy that gives a user all numbers. A user has a customised list, or else those that come with the user: their own, the
//! site's, those of queues and of shared lines. Both are told number by number, so **every user's policy is custom**.

mod lists;
mod wire;

use std::num::NonZeroU32;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use rollcall_model::{
    caller_id::CallerId,
    phone_side::{DialPermission, PhoneSide, PhoneUser},
    secret::SecretText,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::Instant;

pub use lists::AccountNumbers;

use crate::{
    BaseUrl, ConnectorError, FailureKind, Http,
    base_url::encode,
    http_client::{HttpRequest, HttpResponse},
    refusal::Refusal,
    service::Service,
    session::Session,
    trail::Trail,
};

/// What an account's secret with its [`Credentials`] is called.
pub const SECRET: &str = "zoom-phone";

/// Calls a second that an account of the plan Pro has, for calls of the kind "light", as all of these are. Larger plans have twice as many.
/// All apps of an account share them. <https://developers.zoom.us/docs/api/rate-limits/>
pub const CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(20).expect("twenty");

/// Where Zoom is.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// Where tokens come from: `https://zoom.us`.
    pub login: BaseUrl,
    /// Where the API is: `https://api.zoom.us`.
    pub api: BaseUrl,
}

/// Who we are in an account: a Server-to-Server OAuth app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    /// Zoom's ID of the account.
    pub account_id: String,
    /// The app's ID.
    pub client_id: String,
    /// The app's secret.
    pub client_secret: SecretText,
}

/// One account's phone system.
pub struct ZoomPhone {
    session: Session,
    endpoints: Endpoints,
    credentials: Credentials,
}

/// Entries on a page: the most that these lists give.
const PAGE: &str = "100";
/// Users asked about at once: enough for the pace at usual distances.
const IN_FLIGHT: usize = 8;

const SIGN_IN: &str = "signing in to Zoom";
const USERS: &str = "listing Zoom's phone users";
const NUMBERS: &str = "reading a phone user's numbers from Zoom";

impl ZoomPhone {
    /// The phone system that these credentials open, asked at most so many times a second.
    pub fn new(http: Http, endpoints: Endpoints, credentials: Credentials, per_second: NonZeroU32) -> Self {
        Self { session: Session::new(Service::paced(http, per_second), SIGN_IN), endpoints, credentials }
    }

    /// Every user, with their numbers. It takes one call a user, and two for those without a customised list.
    ///
    /// # Errors
    /// See [`FailureKind`]. [`FailureKind::Malformed`] for a list that contradicts itself: it is never a short one.
    pub async fn read(&self, until: Instant) -> Result<PhoneSide, ConnectorError> {
        let listed = self.list::<wire::User>(USERS, "v2/phone/users", &[], until).await?;
        let users = stream::iter(listed).map(|user| self.user(user, until)).buffered(IN_FLIGHT);
        let users: Vec<PhoneUser> = users.try_collect().await?;
        PhoneSide::new(users).map_err(|error| ConnectorError::new(USERS, FailureKind::Malformed, error.to_string()))
    }

    /// Every user, without what each may dial from.
    ///
    /// # Errors
    /// As [`ZoomPhone::read`].
    pub async fn roster(&self, until: Instant) -> Result<PhoneSide, ConnectorError> {
        let listed = self.list::<wire::User>(USERS, "v2/phone/users", &[], until).await?;
        let users = listed.into_iter().map(|user| {
            let (login, email) = user.sign_in();
            PhoneUser { id: user.id, login, email, permission: None }
        });
        PhoneSide::new(users.collect())
            .map_err(|error| ConnectorError::new(USERS, FailureKind::Malformed, error.to_string()))
    }

    async fn user(&self, user: wire::User, until: Instant) -> Result<PhoneUser, ConnectorError> {
        let (login, email) = user.sign_in();
        let path = format!("v2/phone/users/{}", encode(user.id.as_str()));
        let customised = format!("{path}/outbound_caller_id/customized_numbers");
        let customised: Vec<wire::CustomisedNumber> =
            self.list(NUMBERS, &customised, &[("selected", "true")], until).await?;
        let caller_ids: Vec<CallerId> = if customised.is_empty() {
            let settings: wire::Settings = self.get(NUMBERS, &format!("{path}/settings"), &[], until).await?;
            settings.caller_ids().map_err(|detail| ConnectorError::new(NUMBERS, FailureKind::Malformed, detail))?
        } else {
            customised.into_iter().map(|number| number.phone_number).collect()
        };
        Ok(PhoneUser { id: user.id, login, email, permission: Some(DialPermission::custom(caller_ids)) })
    }

    /// A whole list, page by page.
    async fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
        until: Instant,
    ) -> Result<Vec<T>, ConnectorError> {
        let malformed = |detail: &str| Err(ConnectorError::new(operation, FailureKind::Malformed, detail));
        let mut trail = Trail::new(operation);
        let mut entries = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = [query, &[("page_size", PAGE)]].concat();
            query.extend(token.as_deref().map(|token| ("next_page_token", token)));
            let page: wire::Page<T> = self.get(operation, path, &query, until).await?;
            entries.extend(page.entries);
            if entries.len() as u64 > page.total_records {
                return malformed("a list has more entries than it counts");
            }
            let Some(next) = page.next_page_token.filter(|token| !token.is_empty()) else {
                let whole = entries.len() as u64 == page.total_records;
                return if whole { Ok(entries) } else { malformed("a list has fewer entries than it counts") };
            };
            trail.follow(&next)?;
            token = Some(next);
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
        until: Instant,
    ) -> Result<T, ConnectorError> {
        let address = self.endpoints.api.address(operation, path, query)?;
        self.ask(HttpRequest::get(operation, address), until).await?.json(operation)
    }

    /// Asks, and gives what is not a no.
    async fn ask(&self, ask: HttpRequest, until: Instant) -> Result<HttpResponse, ConnectorError> {
        let operation = ask.operation;
        let answer = self.session.ask(ask, || self.grant(), until).await?;
        if matches!(answer.status, StatusCode::OK | StatusCode::CREATED | StatusCode::NO_CONTENT) {
            return Ok(answer);
        }
        let code = serde_json::from_slice::<wire::Refusal>(&answer.body).ok().map(|refusal| refusal.code.to_string());
        let refusal = Refusal::new(answer.status, code);
        // Said with status 400, it means that the app lacks a scope.
        let denied = refusal.has_code("4711");
        Err(if denied { refusal.told(operation, FailureKind::Denied) } else { refusal.into_error(operation) })
    }

    /// What asks for a token.
    fn grant(&self) -> Result<HttpRequest, ConnectorError> {
        let Credentials { account_id, client_id, client_secret } = &self.credentials;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "account_credentials")
            .append_pair("account_id", account_id)
            .finish();
        let mut ask = HttpRequest::form(SIGN_IN, self.endpoints.login.address(SIGN_IN, "oauth/token", &[])?, form);
        let basic = BASE64_STANDARD.encode(format!("{client_id}:{}", client_secret.expose()));
        let mut basic = HeaderValue::from_str(&format!("Basic {basic}")).expect("base 64 can stand in a header");
        basic.set_sensitive(true);
        ask.headers.insert(header::AUTHORIZATION, basic);
        Ok(ask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let json = r#"{"account_id": "acme", "client_id": "app", "client_secret": "hush"}"#;
        let credentials: Credentials = serde_json::from_str(json).unwrap();
        assert_eq!(credentials.client_secret.expose(), "hush");
        assert!(!format!("{credentials:?}").contains("hush"));
    }
}
