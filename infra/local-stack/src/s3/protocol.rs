//! S3's operations, as `s3s` asks for them. Long, for the trait wants all of them in one block; each is short: it reads its
//! request, has the index or the files do the work and says what came of it.

use std::ops::Range;

use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput,
    DeleteObjectsOutput, DeletedObject, ETag, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
    HeadObjectInput, HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    MetadataDirective, PutObjectInput, PutObjectOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use uuid::Uuid;

use super::access::Asker;
use super::condition::{ReadConditions, WriteConditions, timestamp};
use super::digest::Digests;
use super::lists::MAX_PAGE;
use super::objects::{Attributes, Change, Write};
use super::shared_fields::{attributes, described, read_conditions};
use super::{Store, content, digest, multipart, objects};
use crate::index::now_ms;
use crate::template::REGION;

/// A response with the checksums among its headers.
fn with_checksums<T>(output: T, checksums: &digest::Checksums) -> S3Response<T> {
    let mut response = S3Response::new(output);
    response.headers = digest::headers(checksums);
    response
}

/// An error as the caller may see it.
fn refusal(asker: Option<&Asker>, bucket: &str, error: S3Error) -> S3Error {
    match asker {
        Some(asker) => asker.refusal(bucket, error),
        None => error,
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
        let name = req.input.bucket;
        let created = self.index(|tx| {
            let sql = "INSERT OR IGNORE INTO buckets VALUES (?, ?, 0, 0)";
            Ok(tx.execute(sql, rusqlite::params![name, now_ms()])?)
        })?;
        if created == 0 {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{name}")) }))
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        self.index(|tx| objects::bucket(tx, &req.input.bucket))?;
        Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(REGION.to_owned()), ..HeadBucketOutput::default() }))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let buckets = self.index(|tx| {
            let mut all = tx.prepare_cached("SELECT name, created FROM buckets ORDER BY name")?;
            let buckets = all.query_map([], |row| {
                Ok(s3s::dto::Bucket {
                    bucket_region: Some(REGION.to_owned()),
                    name: row.get(0)?,
                    creation_date: Some(timestamp(row.get(1)?)),
                })
            })?;
            Ok(buckets.collect::<rusqlite::Result<Vec<_>>>()?)
        })?;
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(buckets), ..ListBucketsOutput::default() }))
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let mut digests = Digests::of(&req);
        let input = &mut req.input;
        // A body for a bucket that isn't there is refused before it is read.
        self.index(|tx| objects::bucket(tx, &input.bucket))?;
        let draft = self.contents.receive(input.body.take(), &mut digests).await?;
        let (etag, checksums) = digests.verify()?;
        let attributes = Attributes { checksums, ..attributes!(input) };
        let conditions = WriteConditions { if_match: input.if_match.take(), if_none_match: input.if_none_match.take() };
        let change = self.write(
            draft,
            &Write {
                bucket: &input.bucket,
                key: &input.key,
                etag: &etag,
                attributes: &attributes,
                conditions: &conditions,
                reason: "PutObject",
            },
        )?;
        let output = PutObjectOutput {
            e_tag: Some(ETag::Strong(etag)),
            version_id: change.version,
            ..PutObjectOutput::default()
        };
        Ok(with_checksums(output, &attributes.checksums))
    }

    async fn get_object(&self, mut req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let asker = req.extensions.get::<Asker>().cloned();
        let input = &mut req.input;
        let conditions = read_conditions!(input);
        let opened = self.open_object(&input.bucket, &input.key, input.version_id.as_deref(), &conditions);
        let (version, file) = opened.map_err(|error| refusal(asker.as_ref(), &input.bucket, error))?;
        let size = u64::try_from(version.size).unwrap_or_default();
        let whole = Range { start: 0, end: size };
        let range = match &input.range {
            // The last bytes of an empty object are no range either.
            Some(range) => range
                .check(size)
                .ok()
                .filter(|range| !range.is_empty())
                .ok_or_else(|| s3_error!(InvalidRange, "The requested range is not satisfiable"))?,
            None => whole.clone(),
        };
        let mut output = described!(GetObjectOutput, version);
        output.content_length = i64::try_from(range.end - range.start).ok();
        if input.range.is_some() {
            output.content_range = Some(format!("bytes {}-{}/{size}", range.start, range.end - 1));
        }
        // The checksums are the whole object's.
        let complete = range == whole && input.checksum_mode.is_some();
        output.body = Some(content::stream(file, range).await?);
        Ok(if complete { with_checksums(output, &version.attributes.checksums) } else { S3Response::new(output) })
    }

    async fn head_object(&self, mut req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let asker = req.extensions.get::<Asker>().cloned();
        let input = &mut req.input;
        let conditions = read_conditions!(input);
        let version = self.index(|tx| objects::read(tx, &input.bucket, &input.key, input.version_id.as_deref()));
        let version = version.map_err(|error| refusal(asker.as_ref(), &input.bucket, error))?;
        conditions.check(&version)?;
        let output = described!(HeadObjectOutput, version);
        Ok(match input.checksum_mode {
            Some(_) => with_checksums(output, &version.attributes.checksums),
            None => S3Response::new(output),
        })
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let input = req.input;
        let change = self.delete(&input.bucket, &input.key, input.version_id.as_deref())?;
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: change.delete_marker.then_some(true),
            version_id: change.version,
            ..DeleteObjectOutput::default()
        }))
    }

    async fn delete_objects(&self, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
        let input = req.input;
        let quiet = input.delete.quiet == Some(true);
        let mut deleted = Vec::new();
        for object in input.delete.objects {
            let change = self.delete(&input.bucket, &object.key, object.version_id.as_deref())?;
            if !quiet {
                deleted.push(DeletedObject {
                    delete_marker: change.delete_marker.then_some(true),
                    delete_marker_version_id: change.version.filter(|_| change.delete_marker),
                    key: Some(object.key),
                    version_id: object.version_id,
                });
            }
        }
        Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), ..DeleteObjectsOutput::default() }))
    }

    async fn list_objects_v2(&self, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.objects(req.input).map(S3Response::new)
    }

    async fn list_object_versions(
        &self,
        req: S3Request<ListObjectVersionsInput>,
    ) -> S3Result<S3Response<ListObjectVersionsOutput>> {
        self.versions(req.input).map(S3Response::new)
    }

    async fn copy_object(&self, mut req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
        let input = &mut req.input;
        let CopySource::Bucket { bucket, key, version_id } = &input.copy_source else {
            return Err(s3_error!(NotImplemented, "only an object of a bucket can be copied"));
        };
        let conditions = ReadConditions {
            if_match: input.copy_source_if_match.take(),
            if_none_match: input.copy_source_if_none_match.take(),
            if_modified_since: input.copy_source_if_modified_since.take(),
            if_unmodified_since: input.copy_source_if_unmodified_since.take(),
        };
        let (source, file) = self.open_object(bucket, key, version_id.as_deref(), &conditions).map_err(|error| {
            // To a copy, an unchanged source is no less of a failure than a changed one.
            if *error.code() == s3s::S3ErrorCode::NotModified { s3_error!(PreconditionFailed) } else { error }
        })?;
        let mut attributes = source.attributes;
        let replaces = MetadataDirective::from_static(MetadataDirective::REPLACE);
        if input.metadata_directive.as_ref() == Some(&replaces) {
            attributes = Attributes { checksums: attributes.checksums, ..attributes!(input) };
        }
        let draft = self.contents.join(self.contents.draft(), vec![file]).await?;
        let change = self.write(
            draft,
            &Write {
                bucket: &input.bucket,
                key: &input.key,
                etag: &source.etag,
                attributes: &attributes,
                conditions: &WriteConditions::NONE,
                reason: "CopyObject",
            },
        )?;
        Ok(S3Response::new(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(ETag::Strong(source.etag)),
                last_modified: Some(timestamp(now_ms())),
                ..CopyObjectResult::default()
            }),
            copy_source_version_id: Some(source.id).filter(|id| id != objects::NO_VERSION),
            version_id: change.version,
            ..CopyObjectOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        mut req: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = &mut req.input;
        let upload = Uuid::new_v4().simple().to_string();
        let attributes = attributes!(input);
        self.index(|tx| multipart::create(tx, &upload, &input.bucket, &input.key, &attributes))?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(req.input.bucket),
            key: Some(req.input.key),
            upload_id: Some(upload),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let mut digests = Digests::of(&req);
        let input = &mut req.input;
        self.index(|tx| multipart::find(tx, &input.upload_id, &input.bucket, &input.key))?;
        let draft = self.contents.receive(input.body.take(), &mut digests).await?;
        let (etag, checksums) = digests.verify()?;
        let replaced = self.index(|tx| {
            // Once more: the upload may have ended while the body came in.
            multipart::find(tx, &input.upload_id, &input.bucket, &input.key)?;
            Ok(multipart::add(tx, &input.upload_id, input.part_number, &draft.id, draft.size, &etag)?)
        })?;
        draft.keep();
        if let Some(replaced) = replaced {
            self.contents.delete(&replaced);
        }
        let output = UploadPartOutput { e_tag: Some(ETag::Strong(etag)), ..UploadPartOutput::default() };
        Ok(with_checksums(output, &checksums))
    }

    async fn list_parts(&self, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = req.input;
        let max = input.max_parts.unwrap_or(MAX_PAGE).clamp(0, MAX_PAGE);
        let mut parts = self.index(|tx| {
            multipart::find(tx, &input.upload_id, &input.bucket, &input.key)?;
            Ok(multipart::parts(tx, &input.upload_id, input.part_number_marker.unwrap_or(0))?)
        })?;
        let page = usize::try_from(max).unwrap_or_default();
        let truncated = parts.len() > page;
        parts.truncate(page);
        Ok(S3Response::new(ListPartsOutput {
            is_truncated: Some(truncated),
            next_part_number_marker: parts.last().map(|part| part.number).filter(|_| truncated),
            parts: Some(parts.into_iter().map(multipart::listed).collect()),
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: input.part_number_marker,
            max_parts: Some(max),
            ..ListPartsOutput::default()
        }))
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        Ok(S3Response::new(self.complete(req.input).await?))
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        let input = req.input;
        let unused = self.index(|tx| {
            multipart::find(tx, &input.upload_id, &input.bucket, &input.key)?;
            Ok(multipart::remove(tx, &input.upload_id)?)
        })?;
        self.settle(&Change { unused, ..Change::default() });
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }
}
