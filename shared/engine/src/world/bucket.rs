//! The bucket: what was dropped, and what jobs keep.

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_model::jobs::ObjectVersion;

use crate::StorageError;

/// The bytes of a source, as they come.
#[async_trait]
pub trait Download: Send {
    /// What the upload says of its job.
    fn options(&self) -> &UploadOptions;

    /// When it was written, in whole seconds.
    fn modified(&self) -> Timestamp;

    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// When the bucket can't be read.
    async fn next(&mut self) -> Result<Option<Bytes>, StorageError>;
}

/// An object that is being written. It appears when it is finished, and not before.
#[async_trait]
pub trait Upload: Send {
    /// Adds bytes.
    ///
    /// # Errors
    /// When the bucket can't be written.
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Makes the object appear, and gives the version that has been written.
    ///
    /// # Errors
    /// When the bucket can't be written.
    async fn finish(self: Box<Self>) -> Result<ObjectVersion, StorageError>;
}

/// The bucket: what was dropped, and what jobs keep.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// The bucket's name.
    fn bucket(&self) -> &str;

    /// Opens the very version that a job works on.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it has been deleted; otherwise when the bucket can't be read.
    async fn open(&self, source: &ObjectVersion) -> Result<Box<dyn Download>, StorageError>;

    /// A version of an object, whole.
    ///
    /// # Errors
    /// As [`Bucket::open`].
    async fn read(&self, source: &ObjectVersion) -> Result<Vec<u8>, StorageError> {
        self.read_dated(source).await.map(|(bytes, _)| bytes)
    }

    /// A version of an object, whole, and when it was written, in whole seconds.
    ///
    /// # Errors
    /// As [`Bucket::open`].
    async fn read_dated(&self, source: &ObjectVersion) -> Result<(Vec<u8>, Timestamp), StorageError> {
        let mut download = self.open(source).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = download.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok((bytes, download.modified()))
    }

    /// The version that an object of this bucket has now; `None` when there is none, or it was deleted.
    ///
    /// # Errors
    /// When the bucket can't be read.
    async fn latest(&self, key: &str) -> Result<Option<String>, StorageError>;

    /// An object of this bucket, whole; `None` when there is none.
    ///
    /// # Errors
    /// When the bucket can't be read.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StorageError>;

    /// An object of this bucket, whole, and its entity tag; `None` when there is none.
    ///
    /// # Errors
    /// When the bucket can't be read.
    async fn get_tagged(&self, key: &str) -> Result<Option<(Bytes, String)>, StorageError>;

    /// The size of an object of this bucket, in bytes.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none; otherwise when the bucket can't be read.
    async fn size(&self, key: &str) -> Result<u64, StorageError>;

    /// Writes an object whole.
    ///
    /// # Errors
    /// When the bucket can't be written.
    async fn put(&self, key: &str, content_type: &str, bytes: Bytes) -> Result<(), StorageError>;

    /// Writes a JSON object whole, in place of the one with this tag, or where there is none.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) when something else is there by now; otherwise when the bucket can't be written.
    async fn replace(&self, key: &str, tag: Option<&str>, json: Bytes) -> Result<(), StorageError>;

    /// Writes an object whole and gives its version.
    ///
    /// # Errors
    /// When the bucket can't be written.
    async fn put_version(
        &self,
        key: &str,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError>;

    /// Drops a file for a job. Gives the version that the job will read.
    ///
    /// # Errors
    /// When the bucket can't be written.
    async fn drop_file(
        &self,
        upload: &InboxKey,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError>;

    /// Begins an object that grows as it is written. It appears when it is finished, and not before.
    fn create(&self, key: &str, content_type: &'static str) -> Box<dyn Upload>;
}
