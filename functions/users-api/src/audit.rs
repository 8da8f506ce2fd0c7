//! The audit trail: who changed whose numbers.

use axum::{Json, extract::State};
use jiff::Timestamp;
use rollcall_api_types::AuditPage;
use rollcall_model::{
    audit::{AuditFilter, AuditRange},
    jobs::JobId,
    user::LoginId,
};
use rollcall_storage::trail::TrailPlace;
use serde::Deserialize;

use crate::{Shared, caller::Caller, numbers::written, page::ListQuery, problem::Problem};

/// The list's own parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filters {
    user: Option<LoginId>,
    number: Option<String>,
    job: Option<String>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    #[serde(default)]
    order: Order,
}

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// The oldest.
    #[default]
    Asc,
    /// The latest.
    Desc,
}

/// `GET /v1/audit`
pub(crate) async fn list(
    State(api): Shared,
    caller: Caller,
    ListQuery { filters: asked, page }: ListQuery<Filters>,
) -> Result<Json<AuditPage>, Problem> {
    let job = asked.job.as_deref().map(|job| {
        JobId::parse(job).ok_or_else(|| Problem::parameter("job", "A job's ID has 32 digits of 0-9 and a-f."))
    });
    let number = match &asked.number {
        Some(number) => {
            let unread = |_| Problem::parameter("number", "It is no telephone number.");
            Some(written(&api, &caller, number).await.map_err(unread)?)
        }
        None => None,
    };
    let filter = AuditFilter { user: asked.user, number, job: job.transpose()? };
    let list = page.of(&api, &caller, format!("{} {:?}", list_name(&filter, asked.from, asked.to), asked.order))?;
    let after: Option<TrailPlace> = list.after().await?;
    let settled_until = Timestamp::now() - api.audit_settle;
    let range = AuditRange::ask(asked.from, asked.to, settled_until);
    let range = range.map_err(|bad| Problem::parameter("from", bad.to_string()))?;
    let (files, account) = (&api.files, &caller.account);
    let (items, next) = match asked.order {
        Order::Asc => files.trail(account, range, &filter, after.as_ref(), list.limit).await?,
        Order::Desc => files.latest_of_trail(account, range, &filter, after.as_ref(), list.limit).await?,
    };
    Ok(Json(AuditPage { page: list.page(items, next).await?, settled_until }))
}

/// The list that a cursor belongs to. Debug prints of users and numbers hide what tells them apart.
fn list_name(
    AuditFilter { user, number, job }: &AuditFilter,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> String {
    let user = user.as_ref().map(LoginId::folded);
    let number = number.map(|number| number.to_string());
    format!("audit {user:?} {number:?} {job:?} {from:?} {to:?}")
}
