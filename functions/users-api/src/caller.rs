//! Who asks.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::{account::AccountId, audit::Actor, code::ApiCode, email::EmailAddress};

use crate::problem::Problem;

/// Who asks, by the token that the gateway has verified.
pub(crate) struct Caller {
    pub account: AccountId,
    /// The token's subject. Not every kind of token has one.
    pub subject: Option<String>,
    pub email: Option<EmailAddress>,
}

/// The claim that names the account: Cognito's way to name an attribute of one's own.
const ACCOUNT_CLAIM: &str = "custom:account";

impl Caller {
    pub(crate) fn of(extensions: &lambda_http::http::Extensions) -> Result<Self, Problem> {
        let claims = match extensions.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref()).map(|jwt| &jwt.claims)
            }
            _ => None,
        };
        let claim = |name: &str| claims.and_then(|claims| claims.get(name));
        let account = claim(ACCOUNT_CLAIM).and_then(|account| account.parse().ok());
        let account = account.ok_or_else(|| {
            Problem::new(
                StatusCode::FORBIDDEN,
                ApiCode::NoAccount,
                format!("The token's claim {ACCOUNT_CLAIM} names no account."),
            )
        })?;
        Ok(Self {
            account,
            subject: claim("sub").cloned(),
            email: claim("email").and_then(|email| EmailAddress::parse(email).ok()),
        })
    }

    /// Who it is in the audit trail.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Call(self.subject.clone().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions)
    }
}
