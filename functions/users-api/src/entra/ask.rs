//! Imports and syncs, which are jobs.

use axum::{Json, extract::State, http::StatusCode};
use rollcall_model::{
    catalog,
    directory_import::request::{Import, Request, Sync},
    email::EmailAddress,
    upload::{Kind, Terms, Upload},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{Api, Shared, body::Body, caller::Caller, problem::Problem};

/// Where to find the job.
#[derive(Serialize)]
pub(crate) struct Asked {
    /// The job appears in the list with this upload.
    upload: String,
}

/// `POST /v1/directory/import`
pub(crate) async fn import(
    State(api): Shared,
    caller: Caller,
    Body(import): Body<Import>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    if let Some(role) = &import.role {
        // Every row would fail over it.
        let roles = api.directory.catalog(&caller.account, catalog::Kind::Role).await?;
        if !roles.iter().any(|known| known.id == *role) {
            return Err(Problem::field("/role", "The account has no role with this ID."));
        }
    }
    ask(&api, caller, "import.json", &Request::Import(import)).await
}

/// `POST /v1/directory/sync`
pub(crate) async fn sync(
    State(api): Shared,
    caller: Caller,
    Body(sync): Body<Sync>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    ask(&api, caller, "sync.json", &Request::Sync(sync)).await
}

async fn ask(api: &Api, caller: Caller, name: &str, request: &Request) -> Result<(StatusCode, Json<Asked>), Problem> {
    super::credentials(api, &caller).await?;
    // A folder of its own, so that no request overwrites another.
    let name = format!("{}/{name}", Uuid::new_v4());
    let upload = Upload { account: caller.account, kind: Kind::DirectoryImport, name };
    let terms = Terms { notify: caller.email.filter(EmailAddress::takes_reports), role: None };
    api.files.drop_file(&upload, request.to_json(), &terms).await?;
    Ok((StatusCode::ACCEPTED, Json(Asked { upload: upload.key() })))
}
