//! A new job: leave to drop its file.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use rollcall_api_types::{JobRequest, PresignedUpload};
use rollcall_bulk::upload::{InboxKey, NOT_A_FILE_NAME, UploadOptions, is_file_name};
use rollcall_engine::world::{Accounts, Permits};
use rollcall_model::{code::ApiCode, email::EmailAddress, jobs::JobKind, permit::Permit};
use rollcall_storage::files::PresignedPut;
use rollcall_tabular::Encoding;
use tokio::time::Duration;
use uuid::Uuid;

use crate::{Api, Shared, body::Body, caller::Caller, problem::Problem};

/// How long the upload's address is good for: long enough for a large file over a slow line to begin.
const GOOD_FOR: Duration = Duration::from_mins(15);

/// `POST /v1/jobs`
pub(crate) async fn create(
    State(api): Shared,
    caller: Caller,
    Body(new): Body<JobRequest>,
) -> Result<(StatusCode, Json<PresignedUpload>), Problem> {
    if !is_file_name(&new.name) {
        return Err(Problem::field("/name", NOT_A_FILE_NAME));
    }
    if new.size == 0 || new.size > api.max_file_bytes {
        return Err(Problem::field("/size", format!("A file has 1 to {} bytes.", api.max_file_bytes)));
    }
    if new.notify.as_ref().is_some_and(|notify| !notify.takes_reports()) {
        let detail = "Reports go to addresses in ASCII. Write an international domain in Punycode (xn--…).";
        return Err(Problem::field("/notify", detail));
    }
    if new.role.is_some() && new.kind != JobKind::UploadUsers {
        return Err(Problem::field("/role", "A role goes with an upload of users."));
    }
    if new.kind == JobKind::DirectoryImport {
        return Err(Problem::field("/kind", "An import of the directory is asked for at /v1/directory/import."));
    }
    if new.kind == JobKind::Undo {
        return Err(Problem::field("/kind", "An undo is asked for at /v1/jobs/{id}/undo."));
    }
    if new.kind == JobKind::MappingResync {
        return Err(Problem::field("/kind", "A resync is asked for at /v1/mappings/resync."));
    }
    if new.kind == JobKind::PushLists {
        return Err(Problem::field("/kind", "A push is asked for at /v1/phone-system/push."));
    }
    if let Some(scope) = new.kind.changes() {
        caller.require(scope)?;
    }
    let notify = report_to(&api, &caller, new.notify).await?;
    // A folder of its own, so that nobody overwrites another's file of the same name.
    let name = format!("{}/{}", Uuid::new_v4(), new.name);
    let asked_by = caller.actor();
    let upload = InboxKey { account: caller.account.clone(), kind: new.kind, name };
    let permit = Permit { upload: upload.key(), asked_by, notify: notify.clone() };
    let permit = Some(api.directory.permit(&upload.account, &permit, Timestamp::now()).await?);
    let encoding = new.encoding.map(Encoding::name);
    let options =
        UploadOptions { notify, role: new.role, preview: new.preview, permit, encoding, ..UploadOptions::default() };
    let size = i64::try_from(new.size).unwrap_or(i64::MAX);
    let signed = api.files.presigned_drop(&upload, size, &options, GOOD_FOR).await?;
    Ok((StatusCode::CREATED, Json(presigned(&upload, signed))))
}

/// Who gets the report: who is named, if the account allows that, else the token's own address.
async fn report_to(api: &Api, caller: &Caller, named: Option<EmailAddress>) -> Result<Option<EmailAddress>, Problem> {
    let own = caller.email.clone().filter(EmailAddress::takes_reports);
    let Some(named) = named else { return Ok(own) };
    let is_own = own.is_some_and(|own| own.folded() == named.folded());
    if is_own || api.directory.settings(&caller.account).await?.allows_report_to(&named) {
        return Ok(Some(named));
    }
    let detail =
        "Reports go to the account's recipients, to the token's own address, and to whom the account's settings allow.";
    let code = ApiCode::ReportAddressNotAllowed;
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail).at("/notify"))
}

/// The answer that was given to the same request before, with a link that is good from now on.
pub(crate) async fn again(api: &Api, caller: &Caller, body: &str) -> Result<Response, Problem> {
    let given: PresignedUpload = serde_json::from_str(body).map_err(|_| unreadable())?;
    let upload = InboxKey::from_key(&given.upload).map_err(|_| unreadable())?;
    if let Some(scope) = upload.kind.changes() {
        caller.require(scope)?;
    }
    let signed = api.files.presigned_again(&upload, &given.headers, GOOD_FOR).await?;
    Ok((StatusCode::CREATED, Json(presigned(&upload, signed))).into_response())
}

fn unreadable() -> Problem {
    tracing::error!("an answer that was kept can't be read");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, ApiCode::Internal, "Something went wrong on our side.")
}

fn presigned(upload: &InboxKey, PresignedPut { url, headers }: PresignedPut) -> PresignedUpload {
    PresignedUpload {
        upload: upload.key(),
        method: "PUT".to_owned(),
        url,
        headers,
        expires_in_seconds: GOOD_FOR.as_secs(),
    }
}
