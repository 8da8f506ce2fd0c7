//! S3's lists: of a bucket's objects, and of their versions.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, ETag, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
    ListObjectsV2Output, Object, ObjectVersion,
};
use s3s::{S3Result, s3_error};

use super::Store;
use super::condition::timestamp;
use super::listing::{Query, Start};
use super::objects::{self, Version};

/// S3's most entries on a page, and its default.
pub(super) const MAX_PAGE: i32 = 1000;

impl Store {
    pub(super) fn objects(&self, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
        let start = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => BASE64_URL_SAFE_NO_PAD
                .decode(token)
                .ok()
                .and_then(|key| String::from_utf8(key).ok())
                .map(Start::at)
                .ok_or_else(|| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))?,
            (None, Some(key)) => Start::after(key),
            (None, None) => Start::at(""),
        };
        let max = input.max_keys.unwrap_or(MAX_PAGE).clamp(0, MAX_PAGE);
        let query = Query {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            all_versions: false,
            max: usize::try_from(max).unwrap_or_default(),
        };
        let page = self.page(&query, start)?;
        Ok(ListObjectsV2Output {
            key_count: i32::try_from(page.versions.len() + page.common_prefixes.len()).ok(),
            is_truncated: Some(page.next.is_some()),
            next_continuation_token: page.next.map(|start| BASE64_URL_SAFE_NO_PAD.encode(start.key)),
            contents: Some(page.versions.into_iter().map(listed).collect()),
            common_prefixes: Some(common_prefixes(page.common_prefixes)),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            continuation_token: input.continuation_token,
            start_after: input.start_after,
            max_keys: Some(max),
            ..ListObjectsV2Output::default()
        })
    }

    pub(super) fn versions(&self, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
        let start = match (&input.key_marker, &input.version_id_marker) {
            (Some(key), Some(id)) => {
                Start { before: self.index(|tx| objects::sequence(tx, &input.bucket, key, id))?, key: key.clone() }
            }
            (Some(key), None) => Start::after(key),
            (None, _) => Start::at(""),
        };
        let max = input.max_keys.unwrap_or(MAX_PAGE).clamp(0, MAX_PAGE);
        let query = Query {
            bucket: &input.bucket,
            prefix: input.prefix.as_deref().unwrap_or_default(),
            delimiter: input.delimiter.as_deref(),
            all_versions: true,
            max: usize::try_from(max).unwrap_or_default(),
        };
        let page = self.page(&query, start)?;
        let last = page.versions.last().filter(|_| page.next.is_some());
        let (next_key_marker, next_version_id_marker) =
            last.map(|version| (version.key.clone(), version.id.clone())).unzip();
        let (versions, markers): (Vec<_>, Vec<_>) =
            page.versions.into_iter().partition(|version| version.content.is_some());
        Ok(ListObjectVersionsOutput {
            is_truncated: Some(page.next.is_some()),
            next_key_marker,
            next_version_id_marker,
            versions: Some(versions.into_iter().map(listed_version).collect()),
            delete_markers: Some(markers.into_iter().map(listed_marker).collect()),
            common_prefixes: Some(common_prefixes(page.common_prefixes)),
            name: Some(input.bucket),
            prefix: input.prefix,
            delimiter: input.delimiter,
            key_marker: input.key_marker,
            version_id_marker: input.version_id_marker,
            max_keys: Some(max),
            ..ListObjectVersionsOutput::default()
        })
    }
}

fn listed(version: Version) -> Object {
    Object {
        key: Some(version.key),
        size: Some(version.size),
        e_tag: Some(ETag::Strong(version.etag)),
        last_modified: Some(timestamp(version.modified)),
        ..Object::default()
    }
}

fn listed_version(version: Version) -> ObjectVersion {
    ObjectVersion {
        key: Some(version.key),
        version_id: Some(version.id),
        is_latest: Some(version.latest),
        size: Some(version.size),
        e_tag: Some(ETag::Strong(version.etag)),
        last_modified: Some(timestamp(version.modified)),
        ..ObjectVersion::default()
    }
}

fn listed_marker(version: Version) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        key: Some(version.key),
        version_id: Some(version.id),
        is_latest: Some(version.latest),
        last_modified: Some(timestamp(version.modified)),
        ..DeleteMarkerEntry::default()
    }
}

fn common_prefixes(prefixes: Vec<String>) -> Vec<CommonPrefix> {
    prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect()
}
