//! Files to start from.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use rollcall_model::append;

use crate::{caller::Caller, problem::Problem};

/// `GET /v1/samples/{name}`
pub(crate) async fn get(_: Caller, Path(name): Path<String>) -> Result<Response, Problem> {
    match name.as_str() {
        "append-caller-ids.csv" => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"append-caller-ids.csv\""),
            ];
            Ok((headers, append::sample()).into_response())
        }
        _ => Err(Problem::not_found("sample")),
    }
}
