//! What may be wrong with the lists.

use std::collections::HashMap;

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::no;

/// What is wrong with every list from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmartfloSpoil {
    /// It is 200 and HTML.
    Rubbish,
    /// It breaks off.
    HalfJson,
    /// It is 200 and says `"success": false`.
    SaysNo,
    /// It is 200 and says `"success": "false"`.
    SaysNoAsText,
    /// It has half of what it counts.
    HalfPage,
    /// There is more, from where it began.
    RepeatedCursor,
    /// There is more, from where nobody says.
    NoCursor,
    /// The next page is this one again, under another cursor, and so for ever.
    RepeatedPage,
    /// An ID is an object.
    ChangedType,
    /// A login ID is a number.
    ChangedLogin,
    /// It is empty, and says so.
    Empty,
    /// It is elsewhere.
    Redirect,
    /// It is an error of the server's.
    Broken,
    /// The account may not read it.
    Forbidden,
}

/// What is answered instead of a list.
pub(super) fn spoilt(spoil: SmartfloSpoil, mut list: Value, query: &HashMap<String, String>, url: &str) -> Response {
    let entries = |list: &mut Value| -> Vec<Value> {
        let place = if list.is_array() { list } else { &mut list["data"] };
        place.as_array_mut().map(std::mem::take).unwrap_or_default()
    };
    match spoil {
        SmartfloSpoil::Rubbish => return (StatusCode::OK, "<html>agent1@acme.example</html>").into_response(),
        SmartfloSpoil::HalfJson => {
            let text = list.to_string();
            return (StatusCode::OK, text[..text.len() / 2].to_owned()).into_response();
        }
        SmartfloSpoil::SaysNo => return no(StatusCode::OK, "agent1@acme.example may not"),
        SmartfloSpoil::SaysNoAsText => {
            return Json(json!({ "success": "false", "message": "agent1@acme.example may not" })).into_response();
        }
        SmartfloSpoil::Broken => return no(StatusCode::INTERNAL_SERVER_ERROR, "agent1@acme.example"),
        SmartfloSpoil::Forbidden => return no(StatusCode::FORBIDDEN, "agent1@acme.example"),
        SmartfloSpoil::Redirect => {
            return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!("{url}/v1/users"))]).into_response();
        }
        SmartfloSpoil::HalfPage => {
            let mut half = entries(&mut list);
            half.truncate(half.len() / 2);
            list["data"] = half.into();
        }
        SmartfloSpoil::RepeatedCursor => {
            list["has_more"] = true.into();
            list["last_seen_id"] = query.get("last_seen_id").map_or("314001", String::as_str).into();
        }
        SmartfloSpoil::NoCursor => {
            list["has_more"] = true.into();
            list["last_seen_id"] = Value::Null;
        }
        SmartfloSpoil::RepeatedPage => {
            let after = query.get("last_seen_id").map_or(Ok(0), |id| id.parse::<u64>()).unwrap_or_default();
            list["has_more"] = true.into();
            list["count"] = 1.into();
            list["last_seen_id"] = (after + 1).into();
            list["data"] = json!([{ "id": 314_001, "login_id": "agent1" }]);
        }
        SmartfloSpoil::ChangedType | SmartfloSpoil::ChangedLogin => {
            let field = if spoil == SmartfloSpoil::ChangedType { "id" } else { "login_id" };
            let mut changed = entries(&mut list);
            let value = if field == "id" { json!({ "of": "agent1" }) } else { json!(7) };
            for entry in &mut changed {
                entry[field] = value.clone();
            }
            list["data"] = changed.into();
        }
        SmartfloSpoil::Empty => list = json!({ "has_more": false, "count": 0, "last_seen_id": null, "data": [] }),
    }
    Json(list).into_response()
}
