//! Users and agents as CSV files.

use axum::{extract::State, response::Response};
use rollcall_bulk::user_upload;
use rollcall_tabular::Writer;

use super::list::{Filters, Wanted};
use crate::{Api, Shared, caller::Caller, file::CsvFile, problem::Problem};

/// Users that are read at a time.
const READS: usize = 1_000;

/// `GET /v1/users.csv`
pub(crate) async fn users(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    download(&api, &caller, "users.csv", &Filters::default().wanted()?).await
}

/// `GET /v1/agents.csv`
pub(crate) async fn agents(State(api): Shared, caller: Caller) -> Result<Response, Problem> {
    download(&api, &caller, "agents.csv", &Filters::of_agents().wanted()?).await
}

/// A file of the users that are wanted, straight away or by way of the bucket.
pub(super) async fn download(api: &Api, caller: &Caller, name: &str, wanted: &Wanted) -> Result<Response, Problem> {
    let mut csv = Writer::new(b',');
    user_upload::write_header(&mut csv);
    let mut file = CsvFile::new(api, caller, name);
    let mut after = None;
    loop {
        let (users, next) = wanted.page(api, caller, after, READS, READS).await?;
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
