//! Where a system is.

use std::{fmt, str::FromStr};

use http::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use crate::{ConnectorError, FailureKind};

/// The beginning of every address of a system: `https`, a host and perhaps a path. Plain `http` is taken for this
/// machine alone, since secrets travel on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl {
    /// Without a slash at its end.
    text: String,
    origin: Origin,
}

/// The text is not where a system can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a base URL: https://host, without user, query or fragment; http for this machine alone")]
pub struct NotABaseUrl;

/// Scheme, host and port (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    https: bool,
    host: String,
    port: u16,
}

impl BaseUrl {
    /// As it was given, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an address has this system's origin: what may be sent here may be sent there.
    pub(crate) fn has(&self, address: &Uri) -> bool {
        Origin::of(address).as_ref() == Some(&self.origin)
    }
}

impl BaseUrl {
    /// The address of something here. The path is taken as it is, the values of the query are escaped.
    ///
    /// # Errors
    /// [`FailureKind::Refused`] when that makes no address.
    pub fn address(&self, operation: &'static str, path: &str, query: &[(&str, &str)]) -> Result<Uri, ConnectorError> {
        let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        let address = format!("{}/{path}{mark}{}", self.text, query.join("&"));
        address
            .parse()
            .map_err(|_| ConnectorError::new(operation, FailureKind::Refused, "what is asked for makes no address"))
    }
}

/// A value in a query, or a part of a path. A space is `%20`: as `+` it would be a plus sign to some.
pub fn encode(value: &str) -> PercentEncode<'_> {
    const VALUE: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',');
    utf8_percent_encode(value, &VALUE)
}

impl Origin {
    /// `None` for an address without a scheme or host, of another scheme, or with a user.
    fn of(address: &Uri) -> Option<Self> {
        let https = match address.scheme_str()? {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let authority = address.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let port = authority.port_u16().unwrap_or(if https { 443 } else { 80 });
        Some(Self { https, host: authority.host().to_ascii_lowercase(), port })
    }

    fn is_here(&self) -> bool {
        matches!(self.host.as_str(), "127.0.0.1" | "localhost" | "[::1]")
    }
}

impl FromStr for BaseUrl {
    type Err = NotABaseUrl;

    fn from_str(text: &str) -> Result<Self, NotABaseUrl> {
        let address: Uri = text.parse().map_err(|_| NotABaseUrl)?;
        let origin = Origin::of(&address).ok_or(NotABaseUrl)?;
        let plain = address.query().is_none() && !text.contains('#') && (origin.https || origin.is_here());
        if plain { Ok(Self { text: text.trim_end_matches('/').to_owned(), origin }) } else { Err(NotABaseUrl) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_in_the_clear_on_this_machine_alone() {
        for text in ["https://graph.microsoft.com", "https://h:8443/a/", "http://127.0.0.1:80", "http://[::1]:9"] {
            let base: BaseUrl = text.parse().unwrap();
            assert_eq!(base.as_str(), text.trim_end_matches('/'));
        }
        for text in [
            "",
            "/v1.0",
            "graph.microsoft.com",
            "http://graph.microsoft.com",
            "http://127.0.0.1.evil.example",
            "ftp://127.0.0.1",
            "https://user@host",
            "https://host?x=1",
            "https://host/#x",
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(NotABaseUrl), "{text}");
        }
    }

    #[test]
    fn only_the_same_origin_is_the_same_system() {
        let base: BaseUrl = "https://graph.microsoft.com".parse().unwrap();
        let has = |text: &str| base.has(&text.parse().unwrap());
        for text in ["https://graph.microsoft.com/v1.0/users?$skiptoken=x", "https://GRAPH.microsoft.com:443/"] {
            assert!(has(text), "{text}");
        }
        for text in [
            "http://graph.microsoft.com/v1.0/users",
            "https://graph.microsoft.com:8443/v1.0/users",
            "https://graph.microsoft.com.evil.example/v1.0/users",
            "https://graph.microsoft.com@evil.example/v1.0/users",
            "https://x@graph.microsoft.com/v1.0/users",
            "/v1.0/users",
        ] {
            assert!(!has(text), "{text}");
        }
    }
}
