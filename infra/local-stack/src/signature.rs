//! Who has signed a request, by AWS's Signature Version 4:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
//!
//! For services whose every request is a POST to `/`. S3, which signs in other ways too, verifies by itself.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use axum::http::HeaderMap;
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

use super::iam::Access;
use super::template::REGION;

/// How far a signer's clock may be from ours, as on AWS.
const MAX_SKEW: SignedDuration = SignedDuration::from_mins(5);

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Why a request isn't let in, in AWS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotSigned {
    Missing,
    Incomplete,
    UnknownKey,
    Expired,
    Wrong,
}

impl NotSigned {
    /// The error's code and message.
    pub(super) fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Self::Missing => ("MissingAuthenticationTokenException", "Missing Authentication Token"),
            Self::Incomplete => {
                ("IncompleteSignatureException", "The Authorization header can't be read, or signs too little.")
            }
            Self::UnknownKey => {
                ("UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            Self::Expired => ("InvalidSignatureException", "Signature expired, or not yet current."),
            Self::Wrong => (
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided.",
            ),
        }
    }
}

fn authorization(headers: &HeaderMap) -> Result<&str, NotSigned> {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).ok_or(NotSigned::Missing)?;
    authorization.strip_prefix(ALGORITHM).ok_or(NotSigned::Incomplete)
}

/// A part of what follows the algorithm.
fn part<'a>(parts: &'a str, name: &str) -> Result<&'a str, NotSigned> {
    let mut parts = parts.split(',').filter_map(|part| part.trim().split_once('='));
    parts.find(|(key, _)| *key == name).map(|(_, value)| value).ok_or(NotSigned::Incomplete)
}

/// Verifies the signature of a POST to `/` of a service. Gives the access key ID of who has signed.
pub(super) fn verify(
    access: &Access,
    service: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<String, NotSigned> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let parts = authorization(headers)?;
    let (key_id, scope) = part(parts, "Credential")?.split_once('/').ok_or(NotSigned::Incomplete)?;
    let credentials = access.credentials(key_id).ok_or(NotSigned::UnknownKey)?;

    let stamp = header("x-amz-date").ok_or(NotSigned::Incomplete)?;
    let signed = DateTime::strptime("%Y%m%dT%H%M%SZ", stamp)
        .and_then(|at| at.to_zoned(TimeZone::UTC))
        .map_err(|_| NotSigned::Incomplete)?;
    if now.duration_since(signed.timestamp()).abs() > MAX_SKEW {
        return Err(NotSigned::Expired);
    }
    let day = stamp.get(..8).ok_or(NotSigned::Incomplete)?;
    if scope != format!("{day}/{REGION}/{service}/aws4_request") {
        return Err(NotSigned::Wrong);
    }

    let names: Vec<&str> = part(parts, "SignedHeaders")?.split(';').collect();
    let must_be_signed = |name: &str| name == "host" || name.starts_with("x-amz-");
    if headers.keys().any(|name| must_be_signed(name.as_str()) && !names.contains(&name.as_str())) {
        return Err(NotSigned::Incomplete);
    }
    let mut canonical = "POST\n/\n\n".to_owned();
    for name in &names {
        let value = header(name).ok_or(NotSigned::Incomplete)?;
        let value: Vec<&str> = value.split_whitespace().collect();
        canonical.push_str(&format!("{name}:{}\n", value.join(" ")));
    }
    canonical.push_str(&format!("\n{}\n{}", names.join(";"), hex::encode(digest(&SHA256, body).as_ref())));
    let to_sign =
        format!("{ALGORITHM}\n{stamp}\n{scope}\n{}", hex::encode(digest(&SHA256, canonical.as_bytes()).as_ref()));

    let first = format!("AWS4{}", credentials.secret_access_key).into_bytes();
    let key = scope.split('/').fold(first, |key, step| mac(&key, step));
    let signature = hex::decode(part(parts, "Signature")?).map_err(|_| NotSigned::Incomplete)?;
    // In a time that tells nothing about where they differ.
    hmac::verify(&Key::new(HMAC_SHA256, &key), to_sign.as_bytes(), &signature).map_err(|_| NotSigned::Wrong)?;
    Ok(key_id.to_owned())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&Key::new(HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;
    use crate::data_dir::Credentials;

    const BODY: &[u8] = br#"{"SecretId":"x"}"#;

    fn at(stamp: &str) -> Timestamp {
        stamp.parse().expect("a time")
    }

    /// A request whose signature another implementation has made.
    fn signed() -> (Credentials, HeaderMap) {
        let credentials =
            Credentials { access_key_id: "AKIDEXAMPLE".to_owned(), secret_access_key: "wJalrXUtnFEMI".to_owned() };
        let headers = [
            ("host", "127.0.0.1:9"),
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-date", "20260101T120000Z"),
            ("x-amz-target", "secretsmanager.GetSecretValue"),
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/secretsmanager/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-target, \
                 Signature=3464ce03acc96dd1f99412218676775a4dda0e491cfb057ada7d51567d2294b1",
            ),
        ];
        let headers =
            headers.into_iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
        (credentials, headers.collect())
    }

    #[test]
    fn a_signature_holds_for_its_request_its_key_and_its_time_alone() {
        let (credentials, headers) = signed();
        let dir = tempfile::tempdir().expect("a directory");
        let with = |credentials: &Credentials| Access::new(dir.path(), credentials.clone(), &[]).expect("a log");
        let access = with(&credentials);
        let noon = at("2026-01-01T12:00:00Z");
        let verified = |headers: &HeaderMap, body: &[u8], now| verify(&access, "secretsmanager", headers, body, now);
        assert_eq!(verified(&headers, BODY, noon), Ok("AKIDEXAMPLE".to_owned()));
        assert_eq!(verified(&headers, BODY, at("2026-01-01T12:05:00Z")), Ok("AKIDEXAMPLE".to_owned()));
        assert_eq!(verified(&headers, BODY, at("2026-01-01T12:05:01Z")), Err(NotSigned::Expired));
        assert_eq!(verified(&headers, b"{}", noon), Err(NotSigned::Wrong));
        assert_eq!(verify(&access, "sqs", &headers, BODY, noon), Err(NotSigned::Wrong));
        assert_eq!(verified(&HeaderMap::new(), BODY, noon), Err(NotSigned::Missing));

        let changed = |name: &'static str, value: &'static str| {
            let mut headers = headers.clone();
            headers.insert(name, HeaderValue::from_static(value));
            verified(&headers, BODY, noon)
        };
        assert_eq!(changed("x-amz-target", "secretsmanager.PutSecretValue"), Err(NotSigned::Wrong));
        assert_eq!(changed("x-amz-security-token", "not signed"), Err(NotSigned::Incomplete));
        assert_eq!(changed("authorization", "Bearer x"), Err(NotSigned::Incomplete));
        assert_eq!(changed("x-amz-date", "noon"), Err(NotSigned::Incomplete));

        let other = Credentials { access_key_id: "OTHER".to_owned(), ..credentials.clone() };
        assert_eq!(verify(&with(&other), "secretsmanager", &headers, BODY, noon), Err(NotSigned::UnknownKey));
        let other = Credentials { secret_access_key: "other".to_owned(), ..credentials.clone() };
        assert_eq!(verify(&with(&other), "secretsmanager", &headers, BODY, noon), Err(NotSigned::Wrong));
    }
}
