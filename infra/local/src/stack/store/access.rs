//! Which permission an operation needs:
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.

use std::sync::Arc;

use s3s::access::{S3Access, S3AccessContext};
use s3s::path::S3Path;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::stack::access::{Access, Wish};
use crate::stack::template::PARTITION;

/// Lets callers do what they may.
pub(in crate::stack) struct Guard(pub(in crate::stack) Arc<Access>);

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
        self.0.check(&key_id, Wish { action: &action, resource: &resource, keys: &[] }).map_err(refused)?;
        cx.extensions_mut().insert(Asker { access: Arc::clone(&self.0), key_id });
        Ok(())
    }
}

impl Asker {
    /// Hides that there is no such object from who may not list the bucket, as S3 does.
    pub(super) fn told(&self, bucket: &str, error: S3Error) -> S3Error {
        if !matches!(error.code(), S3ErrorCode::NoSuchKey | S3ErrorCode::NoSuchVersion) {
            return error;
        }
        let resource = format!("arn:{PARTITION}:s3:::{bucket}");
        let wish = Wish { action: "s3:ListBucket", resource: &resource, keys: &[] };
        self.access.check(&self.key_id, wish).map_or_else(refused, |()| error)
    }
}

fn refused(denied: impl std::fmt::Display) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, denied.to_string())
}
