//! Users and agents as CSV files.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_bulk::user_upload;
use rollcall_engine::world::Bucket;
use rollcall_storage::directory::{FilterValue, UserFilter};
use rollcall_tabular::Writer;
use tokio::time::Duration;
use uuid::Uuid;

use super::list::READS;
use crate::{Api, Shared, caller::Caller, problem::Problem};

/// A larger file goes by way of the bucket: a function's answer has 6 MB at most, and base64 makes four bytes of three.
const MAX_DIRECT_BYTES: usize = 4_000_000;
/// How long a download's address is good for.
const GOOD_FOR: Duration = Duration::from_mins(5);
const CSV: &str = "text/csv; charset=utf-8";

/// `GET /v1/users.csv`
pub(crate) async fn users(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    download(&api, &caller, "users.csv", &UserFilter::default()).await
}

/// `GET /v1/agents.csv`
pub(crate) async fn agents(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    let agents = UserFilter { equal: vec![("calling_agent", FilterValue::Flag(true))], ..UserFilter::default() };
    download(&api, &caller, "agents.csv", &agents).await
}

/// A file of the users that the filter lets through, straight away or by way of the bucket.
pub(super) async fn download(api: &Api, caller: &Caller, name: &str, filter: &UserFilter) -> Result<Response, Problem> {
    let mut csv = Writer::new(b',');
    user_upload::write_header(&mut csv);
    let key = format!("exports/{}/{}/{name}", caller.account, Uuid::new_v4());
    let (mut large, mut is_large) = (api.files.create(&key, CSV), false);
    let mut held = Vec::new();
    let mut after = None;
    loop {
        let (users, next) = api.directory.users_page(&caller.account, filter, after.as_ref(), READS, READS).await?;
        for user in &users {
            user_upload::write_user(&mut csv, user);
        }
        held.extend(csv.take());
        is_large |= held.len() > MAX_DIRECT_BYTES;
        if is_large {
            large.write(&held).await?;
            held.clear();
        }
        after = next;
        if after.is_none() {
            break;
        }
    }
    if !is_large {
        let disposition = format!("attachment; filename=\"{name}\"");
        return Ok(([(header::CONTENT_TYPE, CSV.to_owned()), (header::CONTENT_DISPOSITION, disposition)], held)
            .into_response());
    }
    large.finish().await?;
    let url = api.files.presigned_get(&key, name, GOOD_FOR).await?;
    Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
}
