//! The bucket and the mail service.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use rollcall_bulk::{
    job::MailState,
    job_email::JobEmail,
    upload::{InboxKey, UploadOptions, file_name},
};
use rollcall_engine::{
    ErrorKind, StorageError,
    world::{Attachment, Bucket, Download, Mails, Upload},
};
use rollcall_model::{email::EmailAddress, jobs::ObjectVersion};

use crate::{Memory, State, log::By};

/// Bytes that come at a time: few, so that there is a moment between two pieces of a small file.
const PIECE: usize = 200;

const READING: &str = "reading a file";
const WRITING: &str = "writing a file";

/// The bucket in memory.
pub(crate) struct Files(pub Arc<Memory>);

#[async_trait]
impl Bucket for Files {
    fn bucket(&self) -> &'static str {
        "files"
    }

    async fn open(&self, source: &ObjectVersion) -> Result<Box<dyn Download>, StorageError> {
        let found = self.0.ask(READING, |state| {
            let versions = state.objects.get(&source.key)?;
            versions.iter().find(|object| object.version.to_string() == source.version).cloned()
        });
        let missing = || StorageError::new(READING, ErrorKind::NotFound, "there is no such version");
        let object = found.await?.ok_or_else(missing)?;
        let (options, modified) = (object.options, object.modified);
        Ok(Box::new(Pieces { memory: self.0.clone(), left: object.bytes, options, modified }))
    }

    async fn latest(&self, key: &str) -> Result<Option<String>, StorageError> {
        self.0.ask(READING, |state| Some(state.objects.get(key)?.last()?.version.to_string())).await
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, StorageError> {
        self.0.ask(READING, |state| state.object(key).cloned()).await
    }

    async fn get_tagged(&self, key: &str) -> Result<Option<(Bytes, String)>, StorageError> {
        self.0
            .ask(READING, |state| {
                let object = state.objects.get(key)?.last()?;
                Some((object.bytes.clone(), object.version.to_string()))
            })
            .await
    }

    async fn size(&self, key: &str) -> Result<u64, StorageError> {
        let size = self.0.ask(READING, |state| state.object(key).map(|bytes| bytes.len() as u64)).await?;
        size.ok_or_else(|| StorageError::new(READING, ErrorKind::NotFound, "there is no such object"))
    }

    async fn put(&self, key: &str, _: &str, bytes: Bytes) -> Result<(), StorageError> {
        self.0.ask(WRITING, |state| state.put(key, bytes, UploadOptions::default())).await.map(drop)
    }

    async fn replace(&self, key: &str, tag: Option<&str>, json: Bytes) -> Result<(), StorageError> {
        let replaced = self.0.ask_again(WRITING, |state| {
            let now = state.objects.get(key).and_then(|versions| versions.last());
            let holds = now.map(|object| object.version.to_string()).as_deref() == tag;
            if holds {
                state.put(key, json.clone(), UploadOptions::default());
            }
            holds
        });
        let changed = || StorageError::new(WRITING, ErrorKind::Conflict, "something else is there");
        if replaced.await? { Ok(()) } else { Err(changed()) }
    }

    async fn put_version(
        &self,
        key: &str,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        self.0.ask(WRITING, |state| state.put(key, bytes.into(), options.clone())).await
    }

    async fn drop_file(
        &self,
        upload: &InboxKey,
        bytes: Vec<u8>,
        options: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        self.put_version(&upload.key(), bytes, options).await
    }

    fn create(&self, key: &str, _: &'static str) -> Box<dyn Upload> {
        Box::new(Growing { memory: self.0.clone(), key: key.to_owned(), held: BytesMut::new() })
    }
}

struct Pieces {
    memory: Arc<Memory>,
    left: Bytes,
    options: UploadOptions,
    modified: Timestamp,
}

#[async_trait]
impl Download for Pieces {
    fn options(&self) -> &UploadOptions {
        &self.options
    }

    fn modified(&self) -> Timestamp {
        self.modified
    }

    async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        if self.left.is_empty() {
            return Ok(None);
        }
        self.memory.ask(READING, |_| ()).await?;
        let piece = self.left.split_to(self.left.len().min(PIECE));
        Ok(Some(piece))
    }
}

struct Growing {
    memory: Arc<Memory>,
    key: String,
    held: BytesMut,
}

#[async_trait]
impl Upload for Growing {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<ObjectVersion, StorageError> {
        let bytes = self.held.freeze();
        self.memory.ask(WRITING, |state| state.put(&self.key, bytes, UploadOptions::default())).await
    }
}

impl State {
    /// Counts a mail for the job that sends it.
    fn count_mail(&mut self, subject: &str) {
        let By::Job(job) = self.by.clone() else { unreachable!("a mail is sent by a job: {subject}") };
        assert!(subject.contains(file_name(&self.jobs[&job].upload.name)), "a mail names its job's file: {subject}");
        let sent = self.mails.entry(job.clone()).or_default();
        *sent += 1;
        let again = *sent == 1 || self.forsaken.contains(&job);
        let first = self.unnoted.insert(job);
        assert!(again || !first, "a second mail, though the first is noted: {subject}");
    }
}

#[async_trait]
impl Mails for Memory {
    async fn send(
        &self,
        _: &[EmailAddress],
        job_email: &JobEmail,
        _: Option<Attachment>,
    ) -> Result<MailState, StorageError> {
        self.ask("sending the mail", |state| state.count_mail(&job_email.subject)).await?;
        Ok(MailState::Sent { message_id: "1".to_owned() })
    }
}
