//! Who asks.

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{StatusCode, request::Parts},
};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::{account::AccountId, code::ApiCode, email::EmailAddress};

use crate::problem::Problem;

/// Who asks, by the token that the gateway has verified.
pub(crate) struct Caller {
    pub account: AccountId,
    pub email: Option<EmailAddress>,
}

/// The claim that names the account: Cognito's way to name an attribute of one's own.
const ACCOUNT_CLAIM: &str = "custom:account";

impl Caller {
    pub(crate) fn of(extensions: &lambda_http::http::Extensions) -> Result<Self, Problem> {
        check_route(extensions)?;
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
        Ok(Self { account, email: claim("email").and_then(|email| EmailAddress::parse(email).ok()) })
    }
}

/// Refuses a path that the gateway, which has checked the scope, reads otherwise than the router does. The event has the
/// path decoded; made an URL again, `..` has gone up, `\\` is a slash, `#` ends it, and a line end is gone.
fn check_route(extensions: &lambda_http::http::Extensions) -> Result<(), Problem> {
    let allowed = match extensions.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.as_deref(),
        _ => None,
    };
    let allowed = allowed.and_then(|route| route.split_once(' ')).map(|(_, path)| path);
    let taken = extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let path = extensions.raw_http_path();
    let plain = !path.contains(|c: char| c.is_control() || matches!(c, '#' | '\\'))
        && !path.split('/').any(|part| matches!(part, "." | ".."));
    if allowed == taken && plain { Ok(()) } else { Err(Problem::not_found("thing")) }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions)
    }
}
