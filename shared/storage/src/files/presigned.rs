//! Requests that whoever has them may send, for a while.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_s3::presigning::PresigningConfig;
use rollcall_bulk::upload::{InboxKey, UploadOptions};

use super::{
    Files,
    metadata::{META, metadata},
};
use crate::{StorageError, error::failed};

/// A request of the method PUT that is signed. What the signature covers must be sent as it is.
#[derive(Clone, Debug)]
pub struct PresignedPut {
    /// Where it goes.
    pub url: String,
    /// The headers that the signature covers. The host, every client sends by itself.
    pub headers: BTreeMap<String, String>,
}

const SIGNING: &str = "signing an upload";

impl Files {
    /// A URL that reads an object for a while, without any other permission.
    ///
    /// # Errors
    /// When it can't be signed.
    pub async fn presigned_get(&self, key: &str, name: &str, time: Duration) -> Result<String, StorageError> {
        const OPERATION: &str = "signing a download";
        let time = PresigningConfig::expires_in(time).map_err(|error| StorageError::unreadable(OPERATION, error))?;
        let get = self.client.get_object().bucket(&self.bucket).key(key);
        let get = get.response_content_disposition(format!("attachment; filename=\"{name}\""));
        let request = get.presigned(time).await.map_err(failed(OPERATION))?;
        Ok(request.uri().to_owned())
    }

    /// A request that drops a file of just this size for a job, for a while, without any other permission.
    ///
    /// # Errors
    /// When it can't be signed.
    pub async fn presigned_drop(
        &self,
        upload: &InboxKey,
        size: i64,
        options: &UploadOptions,
        time: Duration,
    ) -> Result<PresignedPut, StorageError> {
        self.presigned_put(&upload.key(), size, metadata(options), time).await
    }

    /// The same request once more, signed anew: `headers` are those that were given with it.
    ///
    /// # Errors
    /// When it can't be signed.
    pub async fn presigned_again(
        &self,
        upload: &InboxKey,
        headers: &BTreeMap<String, String>,
        time: Duration,
    ) -> Result<PresignedPut, StorageError> {
        let size = headers.get("content-length").and_then(|size| size.parse().ok());
        let size = size.ok_or_else(|| StorageError::unreadable(SIGNING, "no size was given"))?;
        let metadata = headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(META)?, value)));
        let metadata = metadata.map(|(name, value)| (name.to_owned(), value.clone())).collect();
        self.presigned_put(&upload.key(), size, Some(metadata), time).await
    }

    async fn presigned_put(
        &self,
        key: &str,
        size: i64,
        metadata: Option<HashMap<String, String>>,
        time: Duration,
    ) -> Result<PresignedPut, StorageError> {
        let time = PresigningConfig::expires_in(time).map_err(|error| StorageError::unreadable(SIGNING, error))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_length(size);
        let put = put.set_metadata(metadata);
        let request = put.presigned(time).await.map_err(failed(SIGNING))?;
        let signed = |name: &str| name == "content-length" || name.starts_with(META);
        let headers = request.headers().filter(|(name, _)| signed(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(PresignedPut { url: request.uri().to_owned(), headers })
    }
}
