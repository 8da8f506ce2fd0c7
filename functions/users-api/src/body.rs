//! Bodies of requests.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::StatusCode,
};
use rollcall_model::code::ApiCode;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::problem::Problem;

/// A JSON body.
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(|_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, ApiCode::TooLarge, "The body is too large."))?;
        let mut value: Value = serde_json::from_slice(&bytes).map_err(|error| {
            Problem::new(StatusCode::BAD_REQUEST, ApiCode::MalformedJson, format!("The body is not JSON: {error}."))
        })?;
        // Serde would take an array for an object, by the order of its fields.
        if !value.is_object() {
            return Err(Problem::field("", "The body is not a JSON object."));
        }
        make_whole(&mut value);
        read(value).map(Self)
    }
}

/// Turns numbers such as 2.0 into integers: in JSON they are the same (JSON Schema 2020-12, section 6.1.1), and no field of
/// ours takes a fraction.
fn make_whole(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            if let Some(whole) = text.strip_suffix(".0").and_then(|whole| whole.parse::<i64>().ok()) {
                *number = whole.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_whole),
        Value::Object(fields) => fields.values_mut().for_each(make_whole),
        _ => {}
    }
}

/// Reads a value, naming the field that is wrong by its pointer (RFC 6901).
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut pointer: String = error
            .path()
            .iter()
            .filter_map(|segment| match segment {
                serde_path_to_error::Segment::Seq { index } => Some(format!("/{index}")),
                serde_path_to_error::Segment::Map { key } => {
                    Some(format!("/{}", key.replace('~', "~0").replace('/', "~1")))
                }
                _ => None,
            })
            .collect();
        let detail = error.into_inner().to_string();
        // A field that isn't there has no path of its own.
        if let Some(name) = detail.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
            pointer.push('/');
            pointer.push_str(name);
        }
        Problem::field(pointer, detail)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_integers_however_they_are_written() {
        let mut value = serde_json::from_str(r#"{"a":[1.0,2e2,-3.0,1.5,1e300,4]}"#).expect("JSON");
        make_whole(&mut value);
        assert_eq!(value, json!({ "a": [1, 200, -3, 1.5, 1e300, 4] }));
    }
}
