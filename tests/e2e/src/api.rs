//! The API of a stack, as a caller sees it.

use std::process::Command;

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::{Stack, binaries, contract};

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

    /// A caller whose token has these claims beside the usual ones, or in their place; null takes one away. The stack's
    /// own key has signed it.
    pub fn caller_claiming(&self, claims: &Value) -> Caller {
        let key = std::fs::read(self.key_file()).expect("the stack has a key");
        self.signed(claims, &RsaKeyPair::from_pkcs8(&key).expect("a key"))
    }

    /// A caller whose token is a good one, but for who signed it.
    pub fn impostor(&self) -> Caller {
        self.signed(&Value::Null, &RsaKeyPair::generate(KeySize::Rsa2048).expect("a key"))
    }

    fn signed(&self, claims: &Value, key: &RsaKeyPair) -> Caller {
        let usual = self.caller(&[]).token.expect("a token");
        let [header, payload, _] = usual.split('.').collect::<Vec<_>>()[..] else { panic!("not a token") };
        let payload = BASE64.decode(payload).expect("base64");
        let mut payload: Value = serde_json::from_slice(&payload).expect("claims");
        for (name, value) in claims.as_object().into_iter().flatten() {
            payload[name] = value.clone();
        }
        payload.as_object_mut().expect("claims").retain(|_, value| !value.is_null());
        let text = format!("{header}.{}", BASE64.encode(payload.to_string()));
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).expect("a signature");
        Caller { token: Some(format!("{text}.{}", BASE64.encode(signature))), ..self.stranger() }
    }

    /// A caller with this token, whatever it is.
    pub fn bearer(&self, token: &str) -> Caller {
        Caller { token: Some(token.to_owned()), ..self.stranger() }
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

    /// Asks, with these headers beside the token, and sees that the answer is one that the contract gives.
    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Reply {
        let reply = self.fetch(method.clone(), &format!("{}{path}", self.api), headers, body).await;
        if let Err(broken) = contract().check(&method, path, &reply) {
            panic!("{method} {path:.200} breaks the contract: {broken}");
        }
        reply
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

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header, empty if it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
