//! A request as API Gateway tells it, payload format 2.0.

use std::collections::HashMap;

use serde::Deserialize;

/// What is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    raw_path: String,
    /// By name, in lower case.
    #[serde(default)]
    headers: HashMap<String, String>,
    #[serde(rename = "requestContext")]
    context: Context,
}

#[derive(Debug, Default, Deserialize)]
struct Context {
    http: Http,
}

#[derive(Debug, Default, Deserialize)]
struct Http {
    method: String,
}

impl Request {
    /// The method of HTTP.
    pub fn method(&self) -> &str {
        &self.context.http.method
    }

    /// The path, decoded.
    pub fn path(&self) -> &str {
        &self.raw_path
    }

    /// A header; empty without one.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Whether the browser takes gzip.
    pub(crate) fn takes_gzip(&self) -> bool {
        let taken = |coding: &str| {
            let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
            name.trim().eq_ignore_ascii_case("gzip")
                && !quality.trim().trim_start_matches("q=").starts_with("0.000")
                && quality.trim() != "q=0"
        };
        self.header("accept-encoding").split(',').any(taken)
    }
}
