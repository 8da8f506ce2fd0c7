//! The protocol by which a browser is driven: <https://www.w3.org/TR/webdriver2/>.
//!
//! The client is ours, since the crates that are one bring along some sixty others, among them one under the Mozilla Public License.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    http::{Method, Request},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};

use super::TIMEOUT;

/// What drives Chromium.
pub(super) const DRIVER: &str = "chromedriver";

/// A driver, and the session of its one browser. Both end when it is dropped.
pub(super) struct WebDriver {
    process: Child,
    session: String,
    client: Client<HttpConnector, Body>,
    _log: tempfile::TempDir,
}

/// What the driver says instead of an answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}: {message}")]
pub(super) struct DriverError {
    /// One of <https://www.w3.org/TR/webdriver2/#errors>.
    error: String,
    message: String,
}

impl DriverError {
    /// Whether it is so for a moment only: a page that draws itself anew.
    pub(super) fn passes(&self) -> bool {
        matches!(
            self.error.as_str(),
            "stale element reference" | "element click intercepted" | "element not interactable"
        )
    }
}

impl WebDriver {
    /// Starts a driver, and a browser with a profile that nobody has used before; `None` where the machine has no driver.
    pub(super) async fn start(capabilities: Value) -> Option<Self> {
        let log = tempfile::tempdir().expect("a directory for the log");
        let (process, port) = start_process(log.path()).await?;
        let client = Client::builder(TokioExecutor::new()).build_http();
        let session = format!("http://127.0.0.1:{port}/session");
        let mut driver = Self { process, session, client, _log: log };
        let made = driver.ask(Method::POST, "", json!({ "capabilities": { "alwaysMatch": capabilities } })).await;
        let made = made.unwrap_or_else(|error| panic!("no browser: {error}"));
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}"));
        driver.session = format!("{}/{id}", driver.session);
        Some(driver)
    }

    /// Asks for something of the session.
    ///
    /// # Errors
    /// [`DriverError`] when the driver can't do it.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Value) -> Result<Value, DriverError> {
        let request = Request::builder().method(&method).uri(format!("{}{path}", self.session));
        let body = if method == Method::GET { Body::empty() } else { Body::from(body.to_string()) };
        let request = request.header("content-type", "application/json").body(body).expect("a request");
        let answer = self.client.request(request).await.expect("the driver answers");
        let bytes = answer.into_body().collect().await.expect("a whole answer").to_bytes();
        let mut said: Value = serde_json::from_slice(&bytes).expect("JSON");
        match said["value"]["error"].as_str() {
            None => Ok(said["value"].take()),
            Some(error) => Err(DriverError {
                error: error.to_owned(),
                message: said["value"]["message"].as_str().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Does something with an element, such as a `click`.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(super) async fn act(&self, element: &str, command: &str, body: Value) -> Result<(), DriverError> {
        self.ask(Method::POST, &format!("/element/{element}/{command}"), body).await.map(drop)
    }

    /// Ends the session, and the browser with it. Nothing can be waited for where a value is dropped, so it is sent by hand.
    fn close(&self) -> std::io::Result<()> {
        let rest = self.session.trim_start_matches("http://");
        let Some((host, path)) = rest.split_once('/') else { return Ok(()) };
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        write!(stream, "DELETE /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
        // The driver answers when it is done, and keeps the connection whatever it is asked.
        stream.read_exact(&mut [0])
    }
}

impl Drop for WebDriver {
    fn drop(&mut self) {
        // Without it the driver ends alone, and leaves its browser running.
        if let Err(error) = self.close() {
            eprintln!("a browser could not be closed: {error}");
        }
        let _ = Command::new("kill").arg("-TERM").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
    }
}

/// Starts the driver's process, and waits until it tells its port; `None` if there is none.
async fn start_process(dir: &Path) -> Option<(Child, u16)> {
    let start = Instant::now();
    let log = dir.join("driver.log");
    loop {
        let output = fs::File::create(&log).expect("a log");
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").stdout(output).stderr(Stdio::null()).stdin(Stdio::null());
        let mut driver = command.spawn().ok()?;
        loop {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let port = said.split("successfully on port ").nth(1).and_then(|rest| rest.split('.').next()?.parse().ok());
            if let Some(port) = port {
                return Some((driver, port));
            }
            assert!(start.elapsed() < TIMEOUT, "waited too long for {DRIVER}: {said}");
            // It takes a port of IPv6 first, and ends where another has the same one of IPv4.
            if driver.try_wait().expect("the driver can be asked").is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
