//! The index of buckets and of the versions of their objects. Every function works within a transaction of its caller.

use rusqlite::{OptionalExtension, Row, Transaction, params};
use s3s::s3_error;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use uuid::Uuid;

use super::Failure;
use super::condition::WriteConditions;
use super::content::Draft;
use super::digest::Checksums;
use crate::eventbridge::{Created, Router};
use crate::index::now_ms;

/// The version of an object in a bucket that keeps none.
pub(super) const NO_VERSION: &str = "null";

/// A bucket.
pub(super) struct Bucket {
    pub(super) versioned: bool,
    emits_events: bool,
}

/// What is kept with an object besides its bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) cache_control: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) metadata: HashMap<String, String>,
    pub(super) checksums: Checksums,
}

/// One version of an object.
#[derive(Debug)]
pub(super) struct Version {
    /// Orders the versions of a key.
    pub(super) sequence: i64,
    pub(super) key: String,
    pub(super) id: String,
    pub(super) latest: bool,
    /// The file with its bytes; none for a delete marker.
    pub(super) content: Option<String>,
    pub(super) size: i64,
    pub(super) etag: String,
    /// Milliseconds since 1970.
    pub(super) modified: i64,
    pub(super) attributes: Attributes,
}

/// An object to be written.
pub(super) struct Write<'a> {
    pub(super) bucket: &'a str,
    pub(super) key: &'a str,
    pub(super) etag: &'a str,
    pub(super) attributes: &'a Attributes,
    pub(super) conditions: &'a WriteConditions,
    /// The operation, in EventBridge's words.
    pub(super) reason: &'static str,
}

/// What a change left to do once it is committed.
#[derive(Default)]
pub(super) struct Change {
    /// The version written or deleted; none in a bucket without versions.
    pub(super) version: Option<String>,
    pub(super) delete_marker: bool,
    /// Files that nothing refers to any more.
    pub(super) unused: Vec<String>,
    /// Queues that got a message.
    pub(super) woken: Vec<String>,
}

/// Columns of [`Version`], in the order of [`Version::from_row`].
pub(super) const COLUMNS: &str = "id, key, version, latest, content, size, etag, modified, attributes";

impl Version {
    pub(super) fn from_row(row: &Row) -> rusqlite::Result<Self> {
        let attributes: String = row.get(8)?;
        Ok(Self {
            sequence: row.get(0)?,
            key: row.get(1)?,
            id: row.get(2)?,
            latest: row.get(3)?,
            content: row.get(4)?,
            size: row.get(5)?,
            etag: row.get(6)?,
            modified: row.get(7)?,
            attributes: serde_json::from_str(&attributes).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(8, rusqlite::types::Type::Text, error.into())
            })?,
        })
    }
}

/// The bucket of that name, or `NoSuchBucket`.
pub(super) fn bucket(tx: &Transaction, name: &str) -> Result<Bucket, Failure> {
    tx.prepare_cached("SELECT versioned, emits_events FROM buckets WHERE name = ?")?
        .query_row([name], |row| Ok(Bucket { versioned: row.get(0)?, emits_events: row.get(1)? }))
        .optional()?
        .ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist").into())
}

/// The latest version of an object; none if that is a delete marker.
pub(super) fn current(tx: &Transaction, bucket: &str, key: &str) -> rusqlite::Result<Option<Version>> {
    Ok(latest(tx, bucket, key)?.filter(|version| version.content.is_some()))
}

/// The place of a version among all, or past them all if there is no such version.
pub(super) fn sequence(tx: &Transaction, bucket: &str, key: &str, id: &str) -> Result<i64, Failure> {
    Ok(named(tx, bucket, key, id)?.map_or(i64::MAX, |version| version.sequence))
}

/// The version that a read means, as S3 answers: a delete marker reads as no object when it is merely the latest, and
/// can't be read at all when it is named.
pub(super) fn read(tx: &Transaction, bucket: &str, key: &str, version: Option<&str>) -> Result<Version, Failure> {
    self::bucket(tx, bucket)?;
    let found = match version {
        Some(id) => named(tx, bucket, key, id)?
            .ok_or_else(|| s3_error!(NoSuchVersion, "The specified version does not exist."))?,
        None => latest(tx, bucket, key)?.ok_or_else(no_such_key)?,
    };
    if found.content.is_some() {
        return Ok(found);
    }
    let mut error = if version.is_some() {
        s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.")
    } else {
        no_such_key()
    };
    error.set_headers(
        [("x-amz-delete-marker", "true"), ("x-amz-version-id", found.id.as_str()), ("content-type", "application/xml")]
            .into_iter()
            .filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?)))
            .collect(),
    );
    Err(error.into())
}

/// Adds an object, or a version of it, whose bytes are in the draft, and queues its event. A version is called as its file.
pub(super) fn write(tx: &Transaction, router: &Router, write: &Write, draft: &Draft) -> Result<Change, Failure> {
    let Write { bucket, key, .. } = *write;
    let kept = self::bucket(tx, bucket)?;
    write.conditions.check(current(tx, bucket, key)?.as_ref())?;

    let mut change = make_room(tx, &kept, bucket, key, &draft.id)?;
    let version = change.version.as_deref().unwrap_or(NO_VERSION);
    let attributes = serde_json::to_string(write.attributes).map_err(s3s::S3Error::internal_error)?;
    let sequence = insert(tx, bucket, key, version, Some(&draft.id), draft.size, write.etag, &attributes)?;
    if kept.emits_events {
        let created = Created {
            bucket,
            key,
            size: draft.size,
            etag: write.etag,
            version: change.version.as_deref(),
            sequence,
            reason: write.reason,
        };
        change.woken = router.object_created(tx, &created)?;
    }
    Ok(change)
}

/// Deletes an object. In a versioned bucket that hides it under a delete marker, unless the version to delete is named.
pub(super) fn delete(tx: &Transaction, bucket: &str, key: &str, version: Option<&str>) -> Result<Change, Failure> {
    let kept = self::bucket(tx, bucket)?;
    if let Some(id) = version {
        return delete_version(tx, bucket, key, id);
    }
    let mut change = make_room(tx, &kept, bucket, key, &Uuid::new_v4().simple().to_string())?;
    if let Some(version) = &change.version {
        insert(tx, bucket, key, version, None, 0, "", "{\"metadata\":{},\"checksums\":{}}")?;
        change.delete_marker = true;
    }
    Ok(change)
}

fn delete_version(tx: &Transaction, bucket: &str, key: &str, id: &str) -> Result<Change, Failure> {
    let mut change = Change { version: Some(id.to_owned()), ..Change::default() };
    // S3 answers with success for a version that isn't there.
    if let Some(version) = named(tx, bucket, key, id)? {
        tx.execute("DELETE FROM objects WHERE id = ?", [version.sequence])?;
        tx.execute(
            "UPDATE objects SET latest = 1
             WHERE id = (SELECT MAX(id) FROM objects WHERE bucket = ? AND key = ?)",
            [bucket, key],
        )?;
        change.delete_marker = version.content.is_none();
        change.unused.extend(version.content);
    }
    Ok(change)
}

/// Makes what the key holds the second latest or, in a bucket without versions, drops it. `id` is that of the version to come.
fn make_room(tx: &Transaction, kept: &Bucket, bucket: &str, key: &str, id: &str) -> rusqlite::Result<Change> {
    let mut change = Change::default();
    if kept.versioned {
        tx.execute("UPDATE objects SET latest = 0 WHERE bucket = ? AND key = ? AND latest", [bucket, key])?;
        change.version = Some(id.to_owned());
    } else if let Some(version) = named(tx, bucket, key, NO_VERSION)? {
        tx.execute("DELETE FROM objects WHERE id = ?", [version.sequence])?;
        change.unused.extend(version.content);
    }
    Ok(change)
}

#[expect(clippy::too_many_arguments, reason = "the columns of a row, from two callers next to it")]
fn insert(
    tx: &Transaction,
    bucket: &str,
    key: &str,
    version: &str,
    content: Option<&str>,
    size: i64,
    etag: &str,
    attributes: &str,
) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO objects (bucket, key, version, latest, content, size, etag, modified, attributes)
         VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)",
    )?
    .insert(params![bucket, key, version, content, size, etag, now_ms(), attributes])
}

fn latest(tx: &Transaction, bucket: &str, key: &str) -> rusqlite::Result<Option<Version>> {
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND latest"))?
        .query_row([bucket, key], Version::from_row)
        .optional()
}

fn named(tx: &Transaction, bucket: &str, key: &str, id: &str) -> rusqlite::Result<Option<Version>> {
    tx.prepare_cached(&format!("SELECT {COLUMNS} FROM objects WHERE bucket = ? AND key = ? AND version = ?"))?
        .query_row([bucket, key, id], Version::from_row)
        .optional()
}

fn no_such_key() -> s3s::S3Error {
    s3_error!(NoSuchKey, "The specified key does not exist.")
}
