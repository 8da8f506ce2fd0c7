//! One object of the parts of an upload.

use std::fs;

use s3s::S3Result;
use s3s::dto::{CompleteMultipartUploadInput, CompleteMultipartUploadOutput, ETag};
use tokio::time::{Duration, timeout};

use super::condition::WriteConditions;
use super::content::Draft;
use super::objects::{Attributes, Write};
use super::{Store, digest, internal, multipart, objects};

/// How long an answer waits for its first byte. Clients put up with ten seconds and more.
const SILENCE: Duration = Duration::from_secs(1);

/// What an object is made of.
struct Whole {
    parts: Vec<fs::File>,
    draft: Draft,
    etag: String,
    attributes: Attributes,
    conditions: WriteConditions,
}

impl Store {
    /// Makes one object of the parts that the request lists.
    ///
    /// **Where that takes long, the answer begins before it is done**, with the ID of the version to come, and white space is sent from
    /// then on, so that nobody gives up waiting. So does S3, where it can take minutes
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>). What fails after that is told in the
    /// answer's body, which `s3s` writes with a second declaration: a client can't read it, and asks again.
    pub(super) async fn complete(
        &self,
        mut input: CompleteMultipartUploadInput,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let listed = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
        let conditions = WriteConditions { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        let (versioned, attributes, parts, etag) = self.index(|tx| {
            let attributes = multipart::find(tx, &input.upload_id, &input.bucket, &input.key)?;
            let parts = multipart::chosen(multipart::parts(tx, &input.upload_id, 0)?, &listed)?;
            conditions.check(objects::current(tx, &input.bucket, &input.key)?.as_ref())?;
            let versioned = objects::bucket(tx, &input.bucket)?.versioned;
            let files: std::io::Result<Vec<_>> = parts.iter().map(|part| self.contents.file(&part.content)).collect();
            let etags: Vec<_> = parts.into_iter().map(|part| part.etag).collect();
            Ok((versioned, attributes, files.map_err(internal)?, digest::multipart_etag(&etags)))
        })?;
        let draft = self.contents.draft();
        let version_id = versioned.then(|| draft.id.clone());
        let whole = Whole { parts, draft, etag, attributes, conditions };
        // Whoever asks may go away: what has begun goes on.
        let mut work = tokio::spawn(self.clone().write_whole(input, whole));
        if let Ok(done) = timeout(SILENCE, &mut work).await {
            return done.map_err(internal)?;
        }
        Ok(CompleteMultipartUploadOutput {
            version_id,
            future: Some(Box::pin(async move { work.await.map_err(internal)? })),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    async fn write_whole(
        self,
        input: CompleteMultipartUploadInput,
        whole: Whole,
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let Whole { parts, draft, etag, attributes, conditions } = whole;
        let draft = self.contents.join(draft, parts).await?;
        let write = Write {
            bucket: &input.bucket,
            key: &input.key,
            etag: &etag,
            attributes: &attributes,
            conditions: &conditions,
            reason: "CompleteMultipartUpload",
        };
        let change = self.index(|tx| {
            // Once more: of two completions at once, one is too late.
            multipart::find(tx, &input.upload_id, &input.bucket, &input.key)?;
            let mut change = objects::write(tx, &self.router, &write, &draft)?;
            change.unused.extend(multipart::remove(tx, &input.upload_id)?);
            Ok(change)
        })?;
        draft.keep();
        self.settle(&change);
        Ok(CompleteMultipartUploadOutput {
            e_tag: Some(ETag::Strong(etag)),
            location: Some(format!("/{}/{}", input.bucket, input.key)),
            bucket: Some(input.bucket),
            key: Some(input.key),
            version_id: change.version,
            ..CompleteMultipartUploadOutput::default()
        })
    }
}
