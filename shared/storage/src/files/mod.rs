//! The bucket: dropped files in, result files out.

mod download;
mod metadata;
mod multipart;
mod presigned;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_s3::{Client, primitives::ByteStream};
use bytes::Bytes;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_engine::world::{Bucket, Download, Upload};
use rollcall_model::jobs::ObjectVersion;

pub use presigned::PresignedPut;

use crate::{ErrorKind, StorageError, connect::Aws, error::failed};
use download::ObjectDownload;
use metadata::metadata;
use multipart::MultipartUpload;

/// The bucket of one deployment.
#[derive(Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

impl Files {
    /// The files of this bucket.
    pub fn new(aws: &Aws, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }

    /// Writes an object whole, and never over another: one that is there under this key was written by an earlier try.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn put_once(&self, key: &str, content_type: &str, bytes: impl Into<Bytes>) -> Result<(), StorageError> {
        let body = ByteStream::from(bytes.into());
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body);
        match put.if_none_match("*").send().await.map_err(failed("writing an object once")) {
            Err(error) if error.kind != ErrorKind::Conflict => Err(error),
            _ => Ok(()),
        }
    }

    /// Objects whose keys begin with `prefix` and come after `after`, in the order of their keys: the rest of the key, and the
    /// size in bytes. At most `most`, of which one request gives a thousand.
    ///
    /// # Errors
    /// When the bucket can't be read.
    pub async fn list(&self, prefix: &str, after: &str, most: usize) -> Result<Vec<(String, u64)>, StorageError> {
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let list = list.start_after(format!("{prefix}{after}")).max_keys(i32::try_from(most).unwrap_or(i32::MAX));
        let page = list.send().await.map_err(failed("listing objects"))?;
        let found = page.contents().iter().filter_map(|object| {
            let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
            Some((object.key()?.strip_prefix(prefix)?.to_owned(), size))
        });
        Ok(found.collect())
    }

    /// Writes an object whole, and gives its version.
    async fn put_whole(
        &self,
        operation: &'static str,
        key: &str,
        content_type: &str,
        bytes: Bytes,
        metadata: Option<HashMap<String, String>>,
    ) -> Result<ObjectVersion, StorageError> {
        let size = bytes.len() as u64;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type);
        let put = put.set_metadata(metadata).body(ByteStream::from(bytes));
        let answer = put.send().await.map_err(failed(operation))?;
        self.version(operation, key.to_owned(), answer.version_id, size)
    }

    /// The version that an answer names.
    fn version(
        &self,
        operation: &'static str,
        key: String,
        version: Option<String>,
        size: u64,
    ) -> Result<ObjectVersion, StorageError> {
        let version = version.ok_or_else(|| StorageError::unreadable(operation, "the bucket keeps no versions"))?;
        Ok(ObjectVersion { bucket: self.bucket.clone(), key, version, size })
    }
}

#[async_trait]
impl Bucket for Files {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn open(&self, source: &ObjectVersion) -> Result<Box<dyn Download>, StorageError> {
        Ok(Box::new(ObjectDownload::of(self.client.clone(), source).await?))
    }

    async fn latest(&self, key: &str) -> Result<Option<String>, StorageError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        match head.map_err(failed("looking for the latest version")) {
            Ok(head) => Ok(head.version_id),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StorageError> {
        const OPERATION: &str = "reading a result file";
        match self.client.get_object().bucket(&self.bucket).key(key).send().await.map_err(failed(OPERATION)) {
            Ok(object) => {
                let bytes = object.body.collect().await.map_err(|error| StorageError::transient(OPERATION, error))?;
                Ok(Some(bytes.into_bytes()))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn get_tagged(&self, key: &str) -> Result<Option<(Bytes, String)>, StorageError> {
        const OPERATION: &str = "reading what is to be replaced";
        match self.client.get_object().bucket(&self.bucket).key(key).send().await.map_err(failed(OPERATION)) {
            Ok(object) => {
                let tag = object.e_tag.ok_or_else(|| StorageError::unreadable(OPERATION, "it has no entity tag"))?;
                let bytes = object.body.collect().await.map_err(|error| StorageError::transient(OPERATION, error))?;
                Ok(Some((bytes.into_bytes(), tag)))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn size(&self, key: &str) -> Result<u64, StorageError> {
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let head = head.map_err(failed("measuring a result file"))?;
        Ok(head.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(0))
    }

    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<(), StorageError> {
        let body = ByteStream::from(bytes);
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body);
        put.send().await.map_err(failed("writing a result file"))?;
        Ok(())
    }

    async fn replace(&self, key: &str, tag: Option<&str>, json: Bytes) -> Result<(), StorageError> {
        let body = ByteStream::from(json);
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type("application/json").body(body);
        let put = match tag {
            Some(tag) => put.if_match(tag),
            None => put.if_none_match("*"),
        };
        put.send().await.map(drop).map_err(failed("replacing an object"))
    }

    async fn put_version(
        &self,
        key: &str,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        self.put_whole("dropping the file", key, "text/csv", bytes.into(), metadata(options)).await
    }

    async fn drop_file(
        &self,
        upload: &InboxKey,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        self.put_version(&upload.key(), bytes, options).await
    }

    fn create(&self, key: &str, content_type: &'static str) -> Box<dyn Upload> {
        Box::new(MultipartUpload::new(self.clone(), key, content_type))
    }
}
