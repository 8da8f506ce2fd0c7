//! The bucket: dropped files in, result files out.

use async_trait::async_trait;
use rollcall_engine::world::{Bucket, Download, Upload};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use aws_sdk_s3::{
    Client,
    presigning::PresigningConfig,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use rollcall_bulk::upload::{InboxKey, UploadOptions};
use rollcall_model::{email::EmailAddress, jobs::ObjectVersion, permit::PermitId, user::Name};

use crate::{ErrorKind, StorageError, connect::Aws, error::failed};

/// The bucket of one deployment.
#[derive(Clone)]
pub struct Files {
    client: Client,
    bucket: String,
}

/// What the header of a metadata key begins with.
const META: &str = "x-amz-meta-";
const SIGNING: &str = "signing an upload";
/// The metadata key of an upload that names who gets its report.
const NOTIFY: &str = "notify";
/// The one that names the role of its users, percent-encoded: metadata travels in headers, which take ASCII alone.
const ROLE: &str = "role";
/// The one that, with the value `true`, has the job show what it would do.
const PREVIEW: &str = "preview";
/// Metadata that names the encoding of a file without a mark.
const ENCODING: &str = "encoding";
/// The one that names what was agreed on about the upload.
const PERMIT: &str = "permit";

impl Files {
    /// The files of this bucket.
    pub fn new(aws: &Aws, bucket: impl Into<String>) -> Self {
        Self { client: aws.s3(), bucket: bucket.into() }
    }

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

    /// A request that drops a file of just this size for a job, for a while, without any other permission: method, URL
    /// and headers that must be sent.
    ///
    /// # Errors
    /// When it can't be signed.
    pub async fn presigned_drop(
        &self,
        upload: &InboxKey,
        size: i64,
        terms: &UploadOptions,
        time: Duration,
    ) -> Result<(String, Vec<(String, String)>), StorageError> {
        self.presigned_put(&upload.key(), size, metadata(terms), time).await
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
    ) -> Result<(String, Vec<(String, String)>), StorageError> {
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
    ) -> Result<(String, Vec<(String, String)>), StorageError> {
        let time = PresigningConfig::expires_in(time).map_err(|error| StorageError::unreadable(SIGNING, error))?;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_length(size);
        let put = put.set_metadata(metadata);
        let request = put.presigned(time).await.map_err(failed(SIGNING))?;
        // What the signature covers must be sent as it is; the host, every client sends by itself.
        let signed = |name: &str| name == "content-length" || name.starts_with(META);
        let headers = request.headers().filter(|(name, _)| signed(name));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok((request.uri().to_owned(), headers))
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
}

#[async_trait]
impl Bucket for Files {
    fn bucket(&self) -> &str {
        &self.bucket
    }

    async fn open(&self, source: &ObjectVersion) -> Result<Box<dyn Download>, StorageError> {
        let mut download = ObjectDownload {
            client: self.client.clone(),
            source: source.clone(),
            body: ByteStream::default(),
            at: 0,
            terms: UploadOptions::default(),
            modified: Timestamp::UNIX_EPOCH,
            resumed: 0,
        };
        download.open().await?;
        Ok(Box::new(download))
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
        terms: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        const OPERATION: &str = "dropping the file";
        let size = bytes.len() as u64;
        let put = self.client.put_object().bucket(&self.bucket).key(key).content_type("text/csv");
        let put = put.set_metadata(metadata(terms));
        let answer = put.body(ByteStream::from(bytes)).send().await.map_err(failed(OPERATION))?;
        let version =
            answer.version_id.ok_or_else(|| StorageError::unreadable(OPERATION, "the bucket keeps no versions"))?;
        Ok(ObjectVersion { bucket: self.bucket.clone(), key: key.to_owned(), version, size })
    }

    async fn drop_file(
        &self,
        upload: &InboxKey,
        bytes: Vec<u8>,
        terms: &UploadOptions,
    ) -> Result<ObjectVersion, StorageError> {
        self.put_version(&upload.key(), bytes, terms).await
    }

    fn create(&self, key: &str, content_type: &'static str) -> Box<dyn Upload> {
        let (files, key, held) = (self.clone(), key.to_owned(), BytesMut::new());
        Box::new(MultipartUpload { files, key, content_type, held, parts: None })
    }
}

/// What a header's value can't hold, or changes its meaning by being encoded.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');

fn metadata(terms: &UploadOptions) -> Option<HashMap<String, String>> {
    let notify = terms.notify.as_ref().map(|address| (NOTIFY.to_owned(), address.to_string()));
    let role =
        terms.role.as_ref().map(|role| (ROLE.to_owned(), utf8_percent_encode(role.as_str(), UNSAFE).to_string()));
    let preview = terms.preview.then(|| (PREVIEW.to_owned(), "true".to_owned()));
    let permit = terms.permit.as_ref().map(|permit| (PERMIT.to_owned(), permit.as_str().to_owned()));
    let encoding = terms.encoding.as_ref().map(|encoding| (ENCODING.to_owned(), encoding.clone()));
    let metadata: HashMap<_, _> = encoding.into_iter().chain(notify).chain(role).chain(preview).chain(permit).collect();
    (!metadata.is_empty()).then_some(metadata)
}

/// What the metadata of an object say. What can't be read of them is named; **a preview that can't be read is one**, since it changes
/// nothing.
fn terms(metadata: &HashMap<String, String>, kept_back: bool) -> UploadOptions {
    let said = |key: &str| metadata.get(key);
    let notify = said(NOTIFY).map(|text| EmailAddress::parse_mailbox(text));
    let notify = notify.map(|read| read.ok().filter(EmailAddress::takes_reports));
    let role = said(ROLE).filter(|role| !role.trim().is_empty());
    let role = role.map(|role| Name::parse(&percent_decode_str(role).decode_utf8_lossy()).ok());
    let preview =
        said(PREVIEW).map(|preview| preview.trim().to_ascii_lowercase()).filter(|preview| !preview.is_empty());
    let preview = preview.map(|preview| match preview.as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    });
    let unread = [(ROLE, role == Some(None)), (PREVIEW, preview == Some(None))];
    UploadOptions {
        notify_unreadable: notify.as_ref().map_or(kept_back, Option::is_none),
        notify: notify.flatten(),
        permit: said(PERMIT).and_then(|permit| PermitId::parse(permit)),
        preview: preview.is_some_and(|preview| preview.unwrap_or(true)),
        encoding: said(ENCODING).cloned(),
        role: role.flatten(),
        unread: unread.into_iter().filter(|(_, unread)| *unread).map(|(name, _)| name).collect(),
    }
}

/// The bytes of a source, as they come.
pub(crate) struct ObjectDownload {
    client: Client,
    source: ObjectVersion,
    body: ByteStream,
    at: u64,
    terms: UploadOptions,
    modified: Timestamp,
    resumed: u32,
}

/// Broken connections that one download survives.
const MAX_RESUMED: u32 = 5;
const READING: &str = "reading the file";

impl ObjectDownload {
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
            self.terms = terms(object.metadata.as_ref().unwrap_or(&HashMap::new()), kept_back);
        }
        let modified = object.last_modified.and_then(|time| Timestamp::from_second(time.secs()).ok());
        self.modified = modified.unwrap_or(self.modified);
        self.body = object.body;
        Ok(())
    }
}

#[async_trait]
impl Download for ObjectDownload {
    fn terms(&self) -> &UploadOptions {
        &self.terms
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

/// An object that is being written.
struct MultipartUpload {
    files: Files,
    key: String,
    content_type: &'static str,
    held: BytesMut,
    parts: Option<Parts>,
}

struct Parts {
    upload_id: String,
    done: Vec<CompletedPart>,
}

/// Bytes that go out at a time: S3 takes no part under 5 MiB but the last, and no more than 10,000 of them.
const PART_BYTES: usize = 8 * 1024 * 1024;
const GROWING: &str = "writing a result file";

impl MultipartUpload {
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
        self.held.extend_from_slice(bytes);
        while self.held.len() >= PART_BYTES {
            let part = self.held.split_to(PART_BYTES).freeze();
            self.send(part).await?;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        if self.parts.is_none() {
            return self.files.put(&self.key, self.content_type, self.held.freeze()).await;
        }
        if !self.held.is_empty() {
            let last = self.held.split().freeze();
            self.send(last).await?;
        }
        let Some(Parts { upload_id, done }) = self.parts else { return Ok(()) };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(done)).build();
        let complete = self.files.client.complete_multipart_upload().bucket(&self.files.bucket).key(&self.key);
        complete.upload_id(upload_id).multipart_upload(parts).send().await.map_err(failed(GROWING))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_cannot_be_read_are_named_and_an_unreadable_preview_changes_nothing() {
        let of = |said: &[(&str, &str)]| {
            let metadata = said.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let UploadOptions { role, preview, unread, .. } = terms(&metadata, false);
            (role.is_some(), preview, unread)
        };
        assert_eq!(of(&[("role", "Team%20Lead")]), (true, false, vec![]));
        for (preview, expected) in [("true", true), ("True", true), ("yes", true), ("false", false), ("", false)] {
            assert_eq!(of(&[("preview", preview)]), (false, expected, vec![]), "{preview}");
        }
        assert_eq!(of(&[("preview", "please")]), (false, true, vec!["preview"]));
    }
}
