//! Who asks.

use lambda_http::{Request, RequestExt, request::RequestContext};
use rollcall_model::{account::AccountId, audit::Actor, scim_key};
use rollcall_scim::ScimError;

/// Who asks, by the key that the authorizer has verified.
pub(crate) struct Caller {
    pub account: AccountId,
    /// The key's ID.
    pub key: String,
    /// Who it is in the audit trail.
    pub by: Actor,
    /// The address that the client knows us by.
    pub base: String,
}

impl Caller {
    pub(crate) fn of(request: &Request) -> Result<Self, ScimError> {
        let authorizer = match request.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => context.authorizer.as_ref(),
            _ => None,
        };
        let told = |name: &str| authorizer.and_then(|authorizer| authorizer.fields.get(name)?.as_str());
        let account = told("account").and_then(|account| account.parse().ok());
        let (Some(account), Some(key)) = (account, told("key")) else {
            return Err(ScimError::of(401, "The key names no account."));
        };
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let base = format!(
            "{}://{}/scim/v2",
            header("x-forwarded-proto").unwrap_or("https"),
            header("host").unwrap_or("localhost")
        );
        Ok(Self { account, key: key.to_owned(), by: scim_key::actor(key), base })
    }
}
