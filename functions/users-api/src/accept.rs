//! What a client would rather have (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

/// Whether a client would rather have a CSV file than JSON. Of two that are liked alike, the one that is named first.
pub(crate) fn prefers_csv(headers: &HeaderMap) -> bool {
    prefers(headers, "csv")
}

/// Whether a client would rather have plain text than JSON.
pub(crate) fn prefers_text(headers: &HeaderMap) -> bool {
    prefers(headers, "plain")
}

fn prefers(headers: &HeaderMap, subtype: &str) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("*/*");
    let text = liking(accept, "text", subtype);
    let json = liking(accept, "application", "json");
    text.quality > 0.0 && (text.quality > json.quality || text.quality >= json.quality && text.place < json.place)
}

/// Whether a client asks for JSON by name, where a redirect is the usual answer.
pub(crate) fn names_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let json = liking(accept, "application", "json");
    json.exactness == EXACT && json.quality > 0.0
}

/// A range that names a type and its subtype.
const EXACT: u8 = 3;

/// How much a type is liked.
#[derive(Default)]
struct Liking {
    /// From 0, not at all, to 1.
    quality: f32,
    /// The place among the ranges of the header.
    place: usize,
    /// How exactly the range names the type: the most exact one counts.
    exactness: u8,
}

fn liking(accept: &str, kind: &str, subtype: &str) -> Liking {
    let mut best = Liking::default();
    for (place, range) in accept.split(',').enumerate() {
        let mut parts = range.split(';').map(str::trim);
        let exactness = match parts.next().and_then(|range| range.split_once('/')) {
            Some(("*", "*")) => 1,
            Some((a, "*")) if a.eq_ignore_ascii_case(kind) => 2,
            Some((a, b)) if a.eq_ignore_ascii_case(kind) && b.eq_ignore_ascii_case(subtype) => EXACT,
            _ => 0,
        };
        if exactness > best.exactness {
            let quality = parts.find_map(|parameter| parameter.strip_prefix("q=").or(parameter.strip_prefix("Q=")));
            let quality = quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0));
            best = Liking { quality, place, exactness };
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_given_in_place_of_a_redirect_to_who_names_it() {
        let names = |accept: &'static str| {
            names_json(&HeaderMap::from_iter([(header::ACCEPT, header::HeaderValue::from_static(accept))]))
        };
        assert!(names("application/json") && names("text/csv, Application/JSON;q=0.1"));
        assert!(!["", "*/*", "application/*", "text/csv", "application/json;q=0"].into_iter().any(names));
        assert!(!names_json(&HeaderMap::new()));
    }

    #[test]
    fn what_is_liked_most_is_given_and_json_when_nothing_is() {
        let prefers = |accept: &'static str| {
            let header = (header::ACCEPT, header::HeaderValue::from_static(accept));
            prefers_csv(&HeaderMap::from_iter([header]))
        };
        for accept in [
            "text/csv",
            "TEXT/CSV;charset=utf-8",
            "text/csv, */*",
            "text/csv, application/json",
            "application/json;q=0.5, text/csv; q=0.9",
            "text/*",
            "application/xml, text/csv;q=0.1",
        ] {
            assert!(prefers(accept), "{accept}");
        }
        for accept in [
            "",
            "*/*",
            "application/json",
            "application/json, text/csv",
            "text/csv;q=0",
            "text/csv;q=0.5, application/json;q=0.9",
            "text/csv;q=0.5, */*",
            "text/csv;q=0, text/*",
            "application/xml",
            "text/csvx",
            "text/csv;q=nonsense",
        ] {
            assert!(!prefers(accept), "{accept}");
        }
        assert!(!prefers_csv(&HeaderMap::new()));
    }
}
