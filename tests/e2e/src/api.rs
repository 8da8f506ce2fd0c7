//! The API of a stack, as a caller sees it.

use std::process::Command;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::{Stack, binaries};

/// Somebody who asks the API.
#[derive(Debug, Clone)]
pub struct Caller {
    api: String,
    token: Option<String>,
    client: Client<HttpConnector, Body>,
}

/// What the API said.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Stack {
    /// A caller with a token of these options of `rollcall token`.
    pub fn caller(&self, options: &[&str]) -> Caller {
        let mut command = Command::new(binaries().join("rollcall"));
        command.arg("--dir").arg(self.dir()).arg("token").args(options);
        let output = command.output().expect("rollcall runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let token = String::from_utf8(output.stdout).expect("a token is text");
        Caller { token: Some(token.trim().to_owned()), ..self.stranger() }
    }

    /// A caller without a token.
    pub fn stranger(&self) -> Caller {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Caller { api: self.output("ApiUrl").to_owned(), token: None, client }
    }
}

impl Caller {
    /// The token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Asks, with these headers beside the token.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        self.fetch(method, &format!("{}{path}", self.api), headers, body).await
    }

    /// Asks for what is at an address elsewhere.
    pub async fn fetch(&self, method: Method, url: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let mut request = Request::builder().method(method).uri(url);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let (reply, body) = self.client.request(request).await.expect("an answer").into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        Reply { status: reply.status, headers: reply.headers, body }
    }

    /// Asks for what is at a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[], Body::empty()).await
    }
}

impl Reply {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// A header, empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
