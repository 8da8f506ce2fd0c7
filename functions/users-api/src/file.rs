//! CSV files as answers.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rollcall_engine::world::{Bucket, Upload};
use tokio::time::Duration;
use uuid::Uuid;

use crate::{Api, caller::Caller, problem::Problem};

/// A larger file goes by way of the bucket: a function's answer has 6 MB at most, and base64 makes four bytes of three.
const MAX_DIRECT_BYTES: usize = 4_000_000;
/// How long a download's address is good for.
const GOOD_FOR: Duration = Duration::from_mins(5);
const CSV: &str = "text/csv; charset=utf-8";

/// A file that grows, and is answered straight away or by way of the bucket.
pub(crate) struct CsvFile<'a> {
    api: &'a Api,
    name: &'a str,
    key: String,
    large: Box<dyn Upload>,
    is_large: bool,
    held: Vec<u8>,
}

impl<'a> CsvFile<'a> {
    /// An empty file of this name.
    pub(crate) fn new(api: &'a Api, caller: &Caller, name: &'a str) -> Self {
        let key = format!("exports/{}/{}/{name}", caller.account, Uuid::new_v4());
        let large = api.files.create(&key, CSV);
        Self { api, name, key, large, is_large: false, held: Vec::new() }
    }

    /// Adds to it.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub(crate) async fn write(&mut self, bytes: Vec<u8>) -> Result<(), Problem> {
        self.held.extend(bytes);
        self.is_large |= self.held.len() > MAX_DIRECT_BYTES;
        if self.is_large {
            self.large.write(&self.held).await?;
            self.held.clear();
        }
        Ok(())
    }

    /// The answer.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub(crate) async fn finish(self) -> Result<Response, Problem> {
        if !self.is_large {
            let disposition = format!("attachment; filename=\"{}\"", self.name);
            let headers = [(header::CONTENT_TYPE, CSV.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
            return Ok((headers, self.held).into_response());
        }
        self.large.finish().await?;
        let url = self.api.files.presigned_get(&self.key, self.name, GOOD_FOR).await?;
        Ok((StatusCode::SEE_OTHER, [(header::LOCATION, url)]).into_response())
    }
}
