//! Entity tags, and what a request makes of them (RFC 9110, section 13).

use axum::{
    Json,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// The tag of a version.
pub(crate) fn tag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The tag of what is shown, where no version tells it.
pub(crate) fn tag_of(shown: &impl Serialize) -> String {
    let shown = serde_json::to_vec(shown).expect("what is shown can be written as JSON");
    format!("\"{}\"", hex::encode(&Sha256::digest(shown)[..12]))
}

/// Answers with a tagged value, or 304 when the client has it.
pub(crate) fn tagged(headers: &HeaderMap, tag: &str, value: &impl Serialize) -> Response {
    tagged_with(headers, tag, || value)
}

/// The same for a value that is made only when the client lacks it.
pub(crate) fn tagged_with<T: Serialize>(headers: &HeaderMap, tag: &str, value: impl FnOnce() -> T) -> Response {
    let etag = [(header::ETAG, tag.to_owned())];
    // Whether a tag is weak makes no difference here (section 13.1.2): a proxy that compresses makes ours so.
    if named(headers, &header::IF_NONE_MATCH, |given| given.strip_prefix("W/").unwrap_or(given) == tag) == Some(true) {
        return (StatusCode::NOT_MODIFIED, etag).into_response();
    }
    (etag, Json(value())).into_response()
}

/// Refuses a change that was decided on another version. A weak tag promises no version, and never matches (section 13.1.1).
pub(crate) fn check_match(headers: &HeaderMap, tag: &str) -> Result<(), Problem> {
    match named(headers, &header::IF_MATCH, |given| given == tag) {
        Some(false) if named(headers, &header::IF_MATCH, is_tag) == Some(false) => {
            Err(Problem::parameter("If-Match", "It holds no entity tag. Ours stand in quotation marks, such as \"2\"."))
        }
        Some(false) => Err(Problem::changed()),
        Some(true) | None => Ok(()),
    }
}

/// Refuses to write over another version, or over anything where nothing should be (`If-None-Match: *`), or to create what
/// should be there. `tag` is that of what is there.
pub(crate) fn check_write(headers: &HeaderMap, tag: Option<&str>) -> Result<(), Problem> {
    check_match(headers, tag.unwrap_or_default())?;
    let conflicts = match tag {
        Some(tag) => named(headers, &header::IF_NONE_MATCH, |given| given.strip_prefix("W/").unwrap_or(given) == tag),
        None => named(headers, &header::IF_MATCH, |_| true),
    };
    if conflicts == Some(true) { Err(Problem::changed()) } else { Ok(()) }
}

/// Whether a text has the form of an entity tag (section 8.8.3).
fn is_tag(text: &str) -> bool {
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).is_some_and(|opaque| !opaque.contains('"'))
}

/// Whether one of a header's tags matches; `None` without the header.
fn named(headers: &HeaderMap, header: &HeaderName, matches: impl Fn(&str) -> bool) -> Option<bool> {
    let value = headers.get(header)?.to_str().unwrap_or_default();
    Some(value.split(',').map(str::trim).any(|given| given == "*" || matches(given)))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_write_creates_or_changes_as_it_was_asked_to() {
        for (name, value, there, absent) in [
            (header::IF_NONE_MATCH, "*", false, true),
            (header::IF_NONE_MATCH, "\"2\"", false, true),
            (header::IF_NONE_MATCH, "\"1\"", true, true),
            (header::IF_MATCH, "*", true, false),
            (header::IF_MATCH, "\"2\"", true, false),
            (header::IF_MATCH, "\"1\"", false, false),
        ] {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(check_write(&headers, Some(&tag(2))).is_ok(), there, "{headers:?}");
            assert_eq!(check_write(&headers, None).is_ok(), absent, "{headers:?}");
        }
        assert!(check_write(&HeaderMap::new(), Some(&tag(2))).is_ok());
        assert!(check_write(&HeaderMap::new(), None).is_ok());
    }

    #[test]
    fn a_tag_is_found_in_a_list_and_a_weak_one_is_good_for_reading_alone() {
        let with =
            |name: HeaderName, value: &'static str| HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
        for (value, reads, writes) in [
            (r#""2""#, true, true),
            (r#""1", "2""#, true, true),
            ("*", true, true),
            (r#"W/"2""#, true, false),
            (r#"W/"1",W/"2""#, true, false),
            (r#""1""#, false, false),
            ("2", false, false),
            (r#""22""#, false, false),
            ("", false, false),
        ] {
            let answer = tagged(&with(header::IF_NONE_MATCH, value), &tag(2), &"");
            assert_eq!(answer.status() == StatusCode::NOT_MODIFIED, reads, "{value}");
            assert_eq!(check_match(&with(header::IF_MATCH, value), &tag(2)).is_ok(), writes, "{value}");
        }
        assert!(check_match(&HeaderMap::new(), &tag(2)).is_ok());
        for (value, status) in [("\"1\"", 412), ("W/\"2\"", 412), ("2", 400), ("", 400), ("\"", 400), ("W/2", 400)] {
            let refused = check_match(&with(header::IF_MATCH, value), &tag(2)).map_err(IntoResponse::into_response);
            assert_eq!(refused.expect_err("refused").status().as_u16(), status, "{value}");
        }
    }
}
