//! What functions log, as people read it: a JSON line as a short text, measurements as what they are of.

use serde_json::{Map, Value};

/// Characters of an ID that tell it from the others on a screen.
const SHORT: usize = 8;
/// What a line says beside its message, and isn't worth showing.
const NOT_SHOWN: [&str; 6] = ["timestamp", "level", "message", "target", "span", "_aws"];

/// A line as it is shown. What isn't JSON is shown as it is.
pub(super) fn readable(line: &[u8]) -> String {
    let text = || String::from_utf8_lossy(line).into_owned();
    match serde_json::from_slice(line) {
        Ok(Value::Object(fields)) if fields.contains_key("_aws") => measured(&fields),
        Ok(Value::Object(fields)) if fields.contains_key("message") => said(&fields),
        _ => text(),
    }
}

/// Whether a line says no more than that something was read and is as it should be: an answer to a `GET`. It is in the function's log alone, since
/// lists and pages of them would fill the screen.
pub(super) fn is_a_reading(line: &[u8]) -> bool {
    let Ok(Value::Object(fields)) = serde_json::from_slice(line) else { return false };
    let text = |name: &str| fields.get(name).and_then(Value::as_str);
    let is_get = text("route").is_some_and(|route| route.starts_with("GET "));
    let status = fields.get("status").and_then(Value::as_u64);
    is_get && text("level") == Some("INFO") && status.is_some_and(|status| (200..400).contains(&status))
}

fn said(fields: &Map<String, Value>) -> String {
    let level = fields.get("level").and_then(Value::as_str).filter(|level| *level != "INFO");
    let message = fields.get("message").and_then(Value::as_str);
    let shown = fields.iter().filter(|(name, _)| !NOT_SHOWN.contains(&name.as_str()));
    let shown: Vec<_> = shown.map(|(name, value)| format!("{name}={}", plain(value))).collect();
    let span = &fields.get("span").cloned().unwrap_or_default();
    let of = ["account", "job.id"].map(|name| span[name].as_str().map(|id| short(name, id)));
    let of = of.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let of = (!of.is_empty()).then(|| format!("({of})"));
    let parts = level.map(str::to_owned).into_iter().chain(message.map(str::to_owned)).chain(shown).chain(of);
    parts.collect::<Vec<_>>().join(" ")
}

/// What is zero says nothing.
fn measured(fields: &Map<String, Value>) -> String {
    let says_something = |value: &Value| value.as_f64() != Some(0.0);
    let shown =
        fields.iter().filter(|(name, value)| *name != "_aws" && *name != "FunctionName" && says_something(value));
    let shown = shown.map(|(name, value)| match value.as_str() {
        Some(id) => short(name, id),
        None => format!("{name}={}", plain(value)),
    });
    format!("measured {}", shown.collect::<Vec<_>>().join(" "))
}

fn short(name: &str, id: &str) -> String {
    match name {
        "job" | "job.id" => id.chars().take(SHORT).collect(),
        _ => id.to_owned(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => format!("{:.3}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_not_worth_a_line_unless_it_was_refused() {
        let line = |route: &str, status: u16, level: &str| {
            format!(r#"{{"level":"{level}","message":"answered","route":"{route}","status":{status}}}"#)
        };
        assert!(is_a_reading(line("GET /v1/users", 200, "INFO").as_bytes()));
        for other in [
            line("GET /v1/users", 404, "INFO"),
            line("GET /v1/users", 200, "WARN"),
            line("POST /v1/users", 201, "INFO"),
        ] {
            assert!(!is_a_reading(other.as_bytes()), "{other}");
        }
        assert!(!is_a_reading(b"GET /"));
    }

    #[test]
    fn lines_are_short_and_lose_nothing_that_somebody_looks_for() {
        let said = br#"{"timestamp":"t","level":"INFO","message":"claimed","attempt":1,"target":"rollcall_engine",
            "span":{"account":"acme","job.id":"0123456789abcdef","name":"delivery"}}"#;
        assert_eq!(readable(said), "claimed attempt=1 (acme 01234567)");
        let warned = br#"{"level":"ERROR","message":"it failed","error":"no table"}"#;
        assert_eq!(readable(warned), "ERROR it failed error=no table");
        let measured = br#"{"_aws":{},"FunctionName":"f","account":"acme","job":"0123456789","RowsApplied":2,"RowsFailed":0,"Duration":0.25}"#;
        let shown = readable(measured);
        for part in ["measured ", "acme", " 01234567", "RowsApplied=2", "Duration=0.250"] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(!shown.contains("RowsFailed"), "{shown}");
        for other in ["thread 'main' panicked", "{\"a\":1}", ""] {
            assert_eq!(readable(other.as_bytes()), other);
        }
    }
}
