//! An object, read piece by piece.

use std::{collections::HashMap, time::Duration};

use async_trait::async_trait;
use aws_sdk_s3::{Client, primitives::ByteStream};
use bytes::Bytes;
use jiff::Timestamp;
use rollcall_bulk::upload::UploadOptions;
use rollcall_engine::world::Download;
use rollcall_model::jobs::ObjectVersion;

use super::metadata::options;
use crate::{StorageError, error::failed};

/// The bytes of a source, as they come.
pub(super) struct ObjectDownload {
    client: Client,
    source: ObjectVersion,
    body: ByteStream,
    at: u64,
    options: UploadOptions,
    modified: Timestamp,
    resumed: u32,
}

/// Broken connections that one download survives.
const MAX_RESUMED: u32 = 5;
const READING: &str = "reading the file";

impl ObjectDownload {
    /// The very version of an object.
    pub(super) async fn of(client: Client, source: &ObjectVersion) -> Result<Self, StorageError> {
        let mut download = Self {
            client,
            source: source.clone(),
            body: ByteStream::default(),
            at: 0,
            options: UploadOptions::default(),
            modified: Timestamp::UNIX_EPOCH,
            resumed: 0,
        };
        download.open().await?;
        Ok(download)
    }

    async fn open(&mut self) -> Result<(), StorageError> {
        let ObjectVersion { bucket, key, version, .. } = &self.source;
        let mut get = self.client.get_object().bucket(bucket).key(key).version_id(version);
        if self.at > 0 {
            get = get.range(format!("bytes={}-", self.at));
        }
        let object = get.send().await.map_err(failed(READING))?;
        if self.at == 0 {
            // What the store holds is the truth; an event may come without a size.
            self.source.size =
                object.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or(self.source.size);
            // S3 keeps back metadata that it can't write into a header, and says how much.
            let kept_back = object.missing_meta.is_some_and(|missing| missing > 0);
            self.options = options(object.metadata.as_ref().unwrap_or(&HashMap::new()), kept_back);
        }
        let modified = object.last_modified.and_then(|time| Timestamp::from_second(time.secs()).ok());
        self.modified = modified.unwrap_or(self.modified);
        self.body = object.body;
        Ok(())
    }
}

#[async_trait]
impl Download for ObjectDownload {
    fn options(&self) -> &UploadOptions {
        &self.options
    }

    fn modified(&self) -> Timestamp {
        self.modified
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        loop {
            match self.body.next().await {
                Some(Ok(bytes)) => {
                    self.at += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                None if self.at >= self.source.size => return Ok(None),
                Some(Err(error)) if self.resumed >= MAX_RESUMED => return Err(StorageError::transient(READING, error)),
                None if self.resumed >= MAX_RESUMED => {
                    return Err(StorageError::transient(READING, "the file ends too early"));
                }
                Some(Err(_)) | None => {
                    self.resumed += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    self.open().await?;
                }
            }
        }
    }
}
