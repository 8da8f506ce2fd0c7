//! Users and agents as CSV files.

use axum::{extract::State, response::Response};
use rollcall_bulk::user_upload;
use rollcall_storage::directory::{FilterValue, UserFilter};
use rollcall_tabular::Writer;

use crate::{Api, Shared, caller::Caller, file::CsvFile, problem::Problem};

/// Users that are read at a time.
const READS: usize = 1_000;

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
    let mut file = CsvFile::new(api, caller, name);
    let mut after = None;
    loop {
        let (users, next) = api.directory.users_page(&caller.account, filter, after.as_ref(), READS, READS).await?;
        for user in &users {
            user_upload::write_user(&mut csv, user);
        }
        file.write(csv.take()).await?;
        after = next;
        if after.is_none() {
            return file.finish().await;
        }
    }
}
