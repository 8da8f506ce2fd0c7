//! An answer as API Gateway takes it, payload format 2.0.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Serialize;

use crate::{
    Config, Request,
    files::{self, VERSION},
};

/// Headers that every answer has beside the policy of what scripts may do. The login goes away and comes back, and no page is shown the
/// console in a frame.
const GUARDS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("strict-transport-security", "max-age=63072000"),
];

/// An answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The status of HTTP.
    pub status_code: u16,
    /// By name, in lower case.
    pub headers: BTreeMap<&'static str, String>,
    /// Base64 where it isn't text.
    pub body: String,
    /// Whether it is.
    pub is_base64_encoded: bool,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status_code: status, headers: BTreeMap::new(), body: String::new(), is_base64_encoded: false }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        // What says that nothing is there says nothing of how long.
        if self.status_code < 400 || name != "cache-control" {
            self.headers.insert(name, value.into());
        }
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.body);
        self.header("content-type", "text/plain; charset=utf-8")
    }

    pub(crate) fn json(value: &impl Serialize) -> Self {
        let mut answer = Self::new(200).header("content-type", "application/json");
        answer.body = serde_json::to_string(value).unwrap_or_default();
        answer
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404).text("There is nothing here. The console is at /console.")
    }

    /// A packed file, or what says that the browser has it already.
    pub(crate) fn file(name: &str, request: &Request) -> Self {
        let (Some(file), Some(kind)) = (files::find(name), files::content_type(name)) else {
            return Self::not_found();
        };
        let (tag, bytes) = if request.takes_gzip() {
            (format!("\"{VERSION}-gzip\""), file.gzip)
        } else {
            (format!("\"{VERSION}\""), file.plain)
        };
        let has = request.header("if-none-match").split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
        let mut answer = Self::new(if has { 304 } else { 200 })
            .header("content-type", kind)
            .header("vary", "accept-encoding")
            .header("etag", tag);
        if has {
            return answer;
        }
        if request.takes_gzip() {
            answer = answer.header("content-encoding", "gzip");
        }
        answer.body = BASE64_STANDARD.encode(bytes);
        answer.is_base64_encoded = true;
        answer
    }

    /// With what the browser must hold the page to.
    pub(crate) fn guarded(self, config: &Config) -> Self {
        let guarded = self.header("content-security-policy", config.policy());
        GUARDS.into_iter().fold(guarded, |answer, (name, value)| answer.header(name, value))
    }
}
