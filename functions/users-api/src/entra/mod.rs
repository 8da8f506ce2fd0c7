//! The organisation's own directory, Entra ID, that users come from.

pub(crate) mod ask;
pub(crate) mod one;
pub(crate) mod users;

use rollcall_engine::world::Accounts;
use std::sync::Arc;

use axum::http::StatusCode;
use rollcall_connectors::{
    ConnectorError, FailureKind,
    entra::{Credentials, Entra, SECRET},
};
use rollcall_model::code::ApiCode;

use crate::{Api, caller::Caller, problem::Problem};

/// How the caller's account reaches its directory.
async fn credentials(api: &Api, caller: &Caller) -> Result<Credentials, Problem> {
    api.secrets.read(&caller.account, SECRET).await?.ok_or_else(|| {
        let detail = "The account has no directory connected.";
        Problem::new(StatusCode::NOT_FOUND, ApiCode::DirectoryNotConnected, detail)
    })
}

/// The directory that the caller's account has connected.
async fn open(api: &Api, caller: &Caller) -> Result<Arc<Entra>, Problem> {
    let credentials = credentials(api, caller).await?;
    let country = api.directory.settings(&caller.account).await?.country.unwrap_or(api.country);
    api.tenants.open(&caller.account, credentials, country).map_err(|error| failed(api, caller, &error))
}

/// The directory fails. The caller is told who must do something about it.
fn failed(api: &Api, caller: &Caller, error: &ConnectorError) -> Problem {
    tracing::error!(error = error.chain(), "the directory failed");
    let (status, code, detail) = match error.kind {
        FailureKind::Unavailable => (
            StatusCode::SERVICE_UNAVAILABLE,
            ApiCode::DirectoryUnavailable,
            "The directory doesn't answer now, or asks for patience. Please try again in a minute.",
        ),
        FailureKind::Denied => {
            // A new secret may be there already.
            api.secrets.forget(&caller.account, SECRET);
            let detail = "The directory denied our credentials, or they lack a permission. They must be renewed.";
            (StatusCode::BAD_GATEWAY, ApiCode::DirectoryDenied, detail)
        }
        FailureKind::Refused | FailureKind::Malformed => (
            StatusCode::BAD_GATEWAY,
            ApiCode::DirectoryUnavailable,
            "The directory's answer makes no sense. An operator must look into it.",
        ),
    };
    Problem::new(status, code, detail)
}
