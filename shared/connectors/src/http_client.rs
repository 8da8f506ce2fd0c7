//! One request, one answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::{Instant, timeout_at};

use crate::{ConnectorError, FailureKind};

/// Makes connections, and keeps them for the next request. Shared by every system; a clone is the same.
#[derive(Clone)]
pub struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// What is asked.
#[derive(Clone)]
pub struct HttpRequest {
    /// What it is for, in the words of the domain: errors name it.
    pub operation: &'static str,
    /// The method.
    pub method: Method,
    /// Where to.
    pub address: Uri,
    /// The headers, without the user agent.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// What was answered.
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A service that takes longer to say yes to a connection is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest silence, before an answer begins and within one: a search over a large directory takes seconds.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a connection is kept unused. Services hang up after minutes, and a function may sleep in between.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer in bytes: twenty times a page of 999 users.
const MAX_ANSWER: usize = 16 << 20;
/// Largest file that is fetched, in bytes: the results of the largest file that is taken, a row of which comes back with what came of
/// it.
const MAX_FILE: usize = 2 << 30;
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("rollcall/", env!("CARGO_PKG_VERSION")));

impl Http {
    /// Trusts the certificates that this machine trusts.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`] where the machine has none.
    pub fn new() -> Result<Self, ConnectorError> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        let cryptography = rustls::crypto::aws_lc_rs::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(cryptography).map_err(|error| {
            ConnectorError::new("finding trusted certificates", FailureKind::Unavailable, error.to_string())
        })?;
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(tls.https_or_http().enable_http1().wrap_connector(tcp));
        Ok(Self { client })
    }

    /// Asks once. A status of any kind is an answer; redirections are not followed.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`] without an answer, [`FailureKind::Malformed`] for one that is too large.
    pub async fn ask(&self, ask: &HttpRequest, until: Instant) -> Result<HttpResponse, ConnectorError> {
        self.exchange(ask, until, until.min(Instant::now() + READ_TIMEOUT), MAX_ANSWER).await
    }

    /// Sends or fetches a file, once. A large one may take as long as there is time.
    ///
    /// # Errors
    /// [`FailureKind::Unavailable`] without an answer, [`FailureKind::Malformed`] for one that is too large.
    pub async fn carry(&self, ask: &HttpRequest, until: Instant) -> Result<HttpResponse, ConnectorError> {
        self.exchange(ask, until, until, MAX_FILE).await
    }

    async fn exchange(
        &self,
        ask: &HttpRequest,
        until: Instant,
        sent_until: Instant,
        most: usize,
    ) -> Result<HttpResponse, ConnectorError> {
        let broken = |detail: String| ConnectorError::new(ask.operation, FailureKind::Unavailable, detail);
        let silence = || until.min(Instant::now() + READ_TIMEOUT);
        let mut request = Request::new(Full::new(ask.body.clone()));
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.address.clone();
        *request.headers_mut() = ask.headers.clone();
        request.headers_mut().insert(header::USER_AGENT, USER_AGENT);

        let answered = timeout_at(sent_until, self.client.request(request)).await;
        let answer = answered.map_err(|_| broken("no answer in time".to_owned()))?;
        let (parts, mut body) = answer.map_err(|error| broken(causes(&error)))?.into_parts();
        let mut bytes = Vec::new();
        loop {
            let frame = timeout_at(silence(), body.frame()).await;
            let Some(frame) = frame.map_err(|_| broken("no whole answer in time".to_owned()))? else { break };
            let frame = frame.map_err(|error| broken(causes(&error)))?;
            let Ok(piece) = frame.into_data() else { continue };
            if bytes.len() + piece.len() > most {
                let detail = format!("the answer is larger than {most} bytes");
                return Err(ConnectorError::new(ask.operation, FailureKind::Malformed, detail));
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(HttpResponse { status: parts.status, headers: parts.headers, body: bytes.into() })
    }
}

impl HttpRequest {
    /// Asks for what is at an address.
    pub fn get(operation: &'static str, address: Uri) -> Self {
        Self { operation, method: Method::GET, address, headers: HeaderMap::new(), body: Bytes::new() }
    }

    /// Sends a form.
    pub(crate) fn form(operation: &'static str, address: Uri, form: String) -> Self {
        Self::get(operation, address).with(Method::POST, "application/x-www-form-urlencoded", form)
    }

    /// Sends JSON.
    ///
    /// # Panics
    /// If what is sent has a map whose keys are no texts.
    pub fn json(operation: &'static str, method: Method, address: Uri, json: &impl Serialize) -> Self {
        let json = serde_json::to_string(json).expect("what we send has names for its fields");
        Self::get(operation, address).with(method, "application/json", json)
    }

    fn with(mut self, method: Method, of: &'static str, body: String) -> Self {
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(of));
        Self { method, body: body.into(), ..self }
    }
}

impl HttpResponse {
    /// Whether it says itself that it is a no, whatever its status: `"success": false`, or `"false"`.
    pub(crate) fn says_no(&self) -> bool {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Success {
            Flag(bool),
            Text(String),
        }
        #[derive(Deserialize)]
        struct Said {
            success: Success,
        }
        let object = self.body.trim_ascii_start().starts_with(b"{");
        match object.then(|| serde_json::from_slice::<Said>(&self.body)) {
            Some(Ok(Said { success: Success::Flag(yes) })) => !yes,
            Some(Ok(Said { success: Success::Text(text) })) => text.eq_ignore_ascii_case("false"),
            Some(Err(_)) | None => false,
        }
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`FailureKind::Malformed`] says where, and not what stands there.
    pub fn json<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T, ConnectorError> {
        let mut json = serde_json::Deserializer::from_slice(&self.body);
        let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let place = error.path().to_string();
            match error.inner() {
                // The path of a value of the wrong type leads through fields that we know by name.
                inner if inner.is_data() => format!("{place} is missing or holds what it can't"),
                inner => format!("no JSON at line {}, column {}", inner.line(), inner.column()),
            }
        });
        let read = read.and_then(|read| match json.end() {
            Ok(()) => Ok(read),
            Err(_) => Err("something follows the JSON".to_owned()),
        });
        read.map_err(|detail| ConnectorError::new(operation, FailureKind::Malformed, detail))
    }
}

/// What lies behind a broken connection. Neither hyper nor rustls repeats what was sent.
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
