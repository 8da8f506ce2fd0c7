//! Files to start from.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use rollcall_bulk::{append, number_upload, rotation, user_upload};

use crate::{caller::Caller, problem::Problem};

/// `GET /v1/samples/{name}`
pub(crate) async fn get(_: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    let sample = match name.as_str() {
        "append-caller-ids.csv" => append::sample(),
        "rotate-caller-ids.csv" => rotation::sample(),
        "users.csv" => user_upload::sample(),
        "numbers.csv" => number_upload::sample(),
        _ => return Err(Problem::not_found("sample")),
    };
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, sample).into_response())
}
