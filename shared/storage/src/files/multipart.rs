//! An object, written piece by piece.

use async_trait::async_trait;
use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use rollcall_engine::world::Upload;
use rollcall_model::jobs::ObjectVersion;

use super::Files;
use crate::{StorageError, error::failed};

/// An object that is being written.
pub(super) struct MultipartUpload {
    files: Files,
    key: String,
    content_type: &'static str,
    held: BytesMut,
    parts: Option<Parts>,
    /// Bytes of all of it, so far.
    size: u64,
}

struct Parts {
    upload_id: String,
    done: Vec<CompletedPart>,
}

/// Bytes that go out at a time: S3 takes no part under 5 MiB but the last, and no more than 10,000 of them.
const PART_BYTES: usize = 8 * 1024 * 1024;
const GROWING: &str = "writing a result file";

impl MultipartUpload {
    /// Nothing is sent before a part is full.
    pub(super) fn new(files: Files, key: &str, content_type: &'static str) -> Self {
        Self { files, key: key.to_owned(), content_type, held: BytesMut::new(), parts: None, size: 0 }
    }

    /// Sends one part. What an interrupted job leaves behind is cleared away by the bucket's lifecycle rule.
    async fn send(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        let Files { client, bucket } = &self.files;
        if self.parts.is_none() {
            let create = client.create_multipart_upload().bucket(bucket).key(&self.key).content_type(self.content_type);
            let created = create.send().await.map_err(failed(GROWING))?;
            let upload_id =
                created.upload_id.ok_or_else(|| StorageError::unreadable(GROWING, "the upload has no name"))?;
            self.parts = Some(Parts { upload_id, done: Vec::new() });
        }
        let Some(parts) = &mut self.parts else { return Ok(()) };
        let number = i32::try_from(parts.done.len() + 1).map_err(|error| StorageError::unreadable(GROWING, error))?;
        let upload = client.upload_part().bucket(bucket).key(&self.key).upload_id(&parts.upload_id).part_number(number);
        let sent = upload.body(ByteStream::from(bytes)).send().await.map_err(failed(GROWING))?;
        parts.done.push(CompletedPart::builder().set_e_tag(sent.e_tag).part_number(number).build());
        Ok(())
    }
}

#[async_trait]
impl Upload for MultipartUpload {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.size += bytes.len() as u64;
        self.held.extend_from_slice(bytes);
        while self.held.len() >= PART_BYTES {
            let part = self.held.split_to(PART_BYTES).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<ObjectVersion, StorageError> {
        if !self.held.is_empty() && self.parts.is_some() {
            let last = self.held.split().freeze();
            self.send(last).await?;
        }
        let Self { files, key, content_type, held, parts, size } = *self;
        let Some(Parts { upload_id, done }) = parts else {
            return files.put_whole(GROWING, &key, content_type, held.freeze(), None).await;
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let complete = files.client.complete_multipart_upload().bucket(&files.bucket).key(&key);
        let answer = complete.upload_id(upload_id).multipart_upload(parts).send().await.map_err(failed(GROWING))?;
        files.version(GROWING, key, answer.version_id, size)
    }
}
