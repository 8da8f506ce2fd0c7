//! Which permission an operation needs:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::iam::{Access, AccessRequest};
use crate::template::PARTITION;

/// Lets callers do what they may.
pub(crate) struct Guard(pub(crate) Arc<Access>);

/// Whether who asks for an object may be told that there is none.
#[derive(Clone)]
pub(super) struct Asker {
    access: Arc<Access>,
    key_id: String,
}

#[async_trait::async_trait]
impl S3Access for Guard {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = cx.credentials() else {
            return Err(s3_error!(AccessDenied, "Signature is required"));
        };
        let key_id = credentials.access_key.clone();
        if let Some(header) = not_signed(cx.uri().query().unwrap_or_default(), cx.headers()) {
            tracing::debug!(header, "a header of a request to S3 is not signed");
            return Err(s3_error!(AccessDenied, "There were headers present in the request which were not signed"));
        }
        let versioned = cx.uri().query().is_some_and(|query| query.split('&').any(|one| one.starts_with("versionId=")));
        let action = match (cx.s3_op().name(), versioned) {
            ("GetObject" | "HeadObject", false) => "s3:GetObject".to_owned(),
            ("GetObject" | "HeadObject", true) => "s3:GetObjectVersion".to_owned(),
            ("PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload", _) => {
                "s3:PutObject".to_owned()
            }
            ("ListObjectsV2" | "HeadBucket", _) => "s3:ListBucket".to_owned(),
            // A copy would need the permission of its source too. No function copies, nor does what else comes here.
            (other, _) => format!("s3:{other}"),
        };
        let resource = match cx.s3_path() {
            S3Path::Root => "*".to_owned(),
            S3Path::Bucket { bucket } => format!("arn:{PARTITION}:s3:::{bucket}"),
            S3Path::Object { bucket, key } => format!("arn:{PARTITION}:s3:::{bucket}/{key}"),
        };
        self.0.check(&key_id, AccessRequest { action: &action, resource: &resource, keys: &[] }).map_err(refused)?;
        cx.extensions_mut().insert(Asker { access: Arc::clone(&self.0), key_id });
        Ok(())
    }
}

/// A header of S3's own that the signature doesn't cover. S3 refuses it, or who has a link could say what the link doesn't:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>.
fn not_signed<'a>(query: &str, headers: &'a axum::http::HeaderMap) -> Option<&'a str> {
    let signed_by_link = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "X-Amz-SignedHeaders")
        .map(|(_, names)| names.into_owned());
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let in_header = authorization.split([',', ' ']).find_map(|part| part.strip_prefix("SignedHeaders="));
    let signed = signed_by_link.unwrap_or_else(|| in_header.unwrap_or_default().to_owned());
    let covered = |name: &str| signed.split(';').any(|one| one.eq_ignore_ascii_case(name));
    headers.keys().map(axum::http::HeaderName::as_str).find(|name| name.starts_with("x-amz-") && !covered(name))
}

impl Asker {
    /// Hides that there is no such object from who may not list the bucket, as S3 does.
    pub(super) fn refusal(&self, bucket: &str, error: S3Error) -> S3Error {
        if !matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::NoSuchVersion) {
            return error;
        }
        let resource = format!("arn:{PARTITION}:s3:::{bucket}");
        let wish = AccessRequest { action: "s3:ListBucket", resource: &resource, keys: &[] };
        self.access.check(&self.key_id, wish).map_or_else(refused, |()| error)
    }
}

fn refused(denied: impl std::fmt::Display) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, denied.to_string())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;

    #[test]
    fn a_header_of_s3s_own_that_is_not_signed_is_found_in_links_and_in_requests() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, value): &(&'static str, &'static str)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
            };
            pairs.iter().map(pair).collect::<HeaderMap>()
        };
        let link = "X-Amz-SignedHeaders=content-length%3Bhost%3Bx-amz-meta-notify&X-Amz-Signature=0";
        let role = [("x-amz-meta-role", "admin"), ("x-amz-meta-notify", "a@b.example")];
        assert_eq!(not_signed(link, &headers(&role)), Some("x-amz-meta-role"));
        assert_eq!(not_signed(link, &headers(&role[1..])), None);
        assert_eq!(not_signed(link, &headers(&[("content-type", "text/csv"), ("user-agent", "curl")])), None);
        let request = "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host;x-amz-date, Signature=0";
        assert_eq!(not_signed("", &headers(&[("authorization", request), ("x-amz-date", "now")])), None);
        let sneaked = headers(&[("authorization", request), ("x-amz-acl", "public-read")]);
        assert_eq!(not_signed("versionId=1", &sneaked), Some("x-amz-acl"));
    }
}
