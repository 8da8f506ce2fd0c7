//! Who issues tokens, where files go, and what scripts of the page may therefore do.

use std::env::{VarError, var};

use rollcall_model::scope::Scope;
use serde::Serialize;
use strum::VariantArray;

/// The end of a host that stands for whoever serves the API: there is no such host anywhere (RFC 6761 section 6.4).
const NO_ISSUER: &str = ".invalid";

/// Where things are. Nothing of it is secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// The issuer of tokens; empty where the API's own origin is.
    issuer: String,
    /// What the console is called there.
    client_id: String,
    /// Where people log in, if the issuer's own discovery isn't asked for that.
    login_url: String,
    /// The origin of the bucket.
    files: String,
}

/// What a browser is told.
#[derive(Serialize)]
pub(crate) struct Public<'a> {
    issuer: &'a str,
    client_id: &'a str,
    login_url: &'a str,
    scopes: Vec<&'static str>,
}

impl Config {
    /// As the environment says.
    ///
    /// # Errors
    /// If a variable isn't there.
    pub fn from_env() -> Result<Self, VarError> {
        let variable = |name: &str| var(name);
        let (own, audience) = (variable("CONSOLE_CLIENT_ID")?, variable("JWT_AUDIENCE")?);
        let client_id = if own.is_empty() { audience } else { own };
        let files = variable("FILES_URL")?;
        // Where the SDK of the other functions finds S3, if that is elsewhere.
        let files = var("AWS_ENDPOINT_URL_S3").unwrap_or(files);
        Ok(Self::new(&variable("JWT_ISSUER")?, client_id, &variable("CONSOLE_LOGIN_URL")?, files))
    }

    /// Of these parts.
    pub fn new(issuer: &str, client_id: String, login_url: &str, files: String) -> Self {
        let host = issuer.split('/').nth(2).unwrap_or_default();
        let issuer = if host.ends_with(NO_ISSUER) { String::new() } else { issuer.trim_end_matches('/').to_owned() };
        Self { issuer, client_id, login_url: login_url.trim_end_matches('/').to_owned(), files }
    }

    pub(crate) fn public(&self) -> Public<'_> {
        Public {
            issuer: &self.issuer,
            client_id: &self.client_id,
            login_url: &self.login_url,
            scopes: Scope::VARIANTS.iter().map(|scope| scope.as_str()).collect(),
        }
    }

    /// The policy of what the page may load and whom it may ask. No script is written into the page, nor made of text.
    pub(crate) fn policy(&self) -> String {
        let mut asked: Vec<&str> = [&self.files, &self.issuer, &self.login_url].iter().map(|url| origin(url)).collect();
        asked.retain(|origin| !origin.is_empty());
        asked.sort_unstable();
        asked.dedup();
        format!(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {}; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
            asked.join(" ")
        )
    }
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let Some(host) = url.find("://").map(|at| at + 3) else { return "" };
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}
