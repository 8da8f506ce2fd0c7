//! Who asks.

use std::{ops::Deref, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{Extensions, StatusCode, request::Parts},
};
use lambda_http::{RequestExt, request::RequestContext};
use rollcall_model::{account::AccountId, audit::Actor, code::ApiCode, email::EmailAddress, scope::Scope};

use crate::problem::Problem;

/// Who asks, by the token that the gateway has verified. Read once for each request, whoever of its way through the function needs it.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Claims>);

/// What the token says.
pub(crate) struct Claims {
    pub account: AccountId,
    /// The token's subject. Not every kind of token has one.
    pub subject: Option<String>,
    /// The token's address, unless the issuer says that nobody has verified it.
    pub email: Option<EmailAddress>,
    scopes: Vec<String>,
}

/// The claim that names the account: Cognito's way to name an attribute of one's own.
const ACCOUNT_CLAIM: &str = "custom:account";

impl Caller {
    pub(crate) fn of(extensions: &Extensions) -> Result<Self, Problem> {
        match extensions.get::<Self>() {
            Some(known) => Ok(known.clone()),
            None => Self::read(extensions),
        }
    }

    fn read(extensions: &Extensions) -> Result<Self, Problem> {
        let jwt = match extensions.request_context_ref() {
            Some(RequestContext::ApiGatewayV2(context)) => {
                context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref())
            }
            _ => None,
        };
        let claims = jwt.map(|jwt| &jwt.claims);
        let claim = |name: &str| claims.and_then(|claims| claims.get(name));
        let account = claim(ACCOUNT_CLAIM).and_then(|account| account.parse().ok());
        let account = account.ok_or_else(|| {
            Problem::new(
                StatusCode::FORBIDDEN,
                ApiCode::NoAccount,
                format!("The token's claim {ACCOUNT_CLAIM} names no account."),
            )
        })?;
        Ok(Self(Arc::new(Claims {
            account,
            subject: claim("sub").cloned(),
            email: claim("email")
                .filter(|_| claim("email_verified").is_none_or(|verified| verified != "false"))
                .and_then(|email| EmailAddress::parse(email).ok()),
            scopes: scopes(jwt.and_then(|jwt| jwt.scopes.as_deref()), [claim("scope"), claim("scp")]),
        })))
    }

    /// Whether the token has a scope.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|has| has == scope.as_str())
    }

    /// Refuses a token without a scope that a job needs beside that of the route.
    pub(crate) fn require(&self, scope: Scope) -> Result<(), Problem> {
        if self.has(scope) {
            return Ok(());
        }
        let detail = format!("The token lacks the scope {}, which this job needs besides.", scope.as_str());
        Err(Problem::new(StatusCode::FORBIDDEN, ApiCode::ScopeMissing, detail))
    }

    /// Who it is in the audit trail.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Call(self.subject.clone().unwrap_or_default())
    }
}

impl Deref for Caller {
    type Target = Claims;

    fn deref(&self) -> &Claims {
        &self.0
    }
}

/// The token's scopes: as the gateway has parted them, and by the claim, a text (`scope`, RFC 8693) or a list (`scp`), which the gateway
/// writes as a text in brackets.
fn scopes(parted: Option<&[String]>, claims: [Option<&String>; 2]) -> Vec<String> {
    let claimed = claims.into_iter().flatten().flat_map(|claim| claim.trim_matches(['[', ']']).split([' ', ',']));
    let all = parted.unwrap_or_default().iter().map(String::as_str).chain(claimed);
    all.filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::of(&parts.extensions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_however_the_gateway_hands_them_on() {
        let text = |text: &str| text.to_owned();
        let parted = [text("rollcall/jobs.write")];
        for (parted, scope, scp, expected) in [
            (Some(&parted[..]), None, None, vec!["rollcall/jobs.write"]),
            (None, Some(text("a b")), None, vec!["a", "b"]),
            (None, None, Some(text("[a b]")), vec!["a", "b"]),
            (None, None, Some(text("[a, b]")), vec!["a", "b"]),
            (None, None, None, vec![]),
        ] {
            assert_eq!(scopes(parted, [scope.as_ref(), scp.as_ref()]), expected);
        }
    }
}
