//! Uploads in parts: the index of parts, and how they become one object.

use rusqlite::{OptionalExtension, Transaction, params};
use s3s::dto::{CompletedPart, ETag};
use s3s::s3_error;

use super::condition::timestamp;
use super::objects::Attributes;
use super::{Failure, objects};
use crate::index::now_ms;

/// S3's least size of every part but the last.
const MIN_PART_BYTES: i64 = 5 * 1024 * 1024;

/// A part that was uploaded.
pub(super) struct Part {
    pub(super) number: i32,
    pub(super) content: String,
    pub(super) size: i64,
    pub(super) etag: String,
    /// Milliseconds since 1970.
    pub(super) modified: i64,
}

pub(super) fn create(
    tx: &Transaction,
    id: &str,
    bucket: &str,
    key: &str,
    attributes: &Attributes,
) -> Result<(), Failure> {
    objects::bucket(tx, bucket)?;
    let attributes = serde_json::to_string(attributes).map_err(s3s::S3Error::internal_error)?;
    tx.execute("INSERT INTO uploads VALUES (?, ?, ?, ?)", [id, bucket, key, &attributes])?;
    Ok(())
}

/// The attributes that the object is to have, or `NoSuchUpload`.
pub(super) fn find(tx: &Transaction, id: &str, bucket: &str, key: &str) -> Result<Attributes, Failure> {
    let attributes: Option<String> = tx
        .query_row("SELECT attributes FROM uploads WHERE id = ? AND bucket = ? AND key = ?", [id, bucket, key], |row| {
            row.get(0)
        })
        .optional()?;
    let attributes =
        attributes.ok_or_else(|| s3_error!(NoSuchUpload, "The specified multipart upload does not exist."))?;
    Ok(serde_json::from_str(&attributes).map_err(s3s::S3Error::internal_error)?)
}

/// Adds a part and returns the file of the one that it replaces.
pub(super) fn add(
    tx: &Transaction,
    upload: &str,
    number: i32,
    content: &str,
    size: i64,
    etag: &str,
) -> rusqlite::Result<Option<String>> {
    let replaced = tx
        .query_row(
            "DELETE FROM parts WHERE upload = ? AND number = ? RETURNING content",
            params![upload, number],
            |row| row.get(0),
        )
        .optional()?;
    tx.execute("INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?)", params![upload, number, content, size, etag, now_ms()])?;
    Ok(replaced)
}

/// The parts after a number, in order.
pub(super) fn parts(tx: &Transaction, upload: &str, after: i32) -> rusqlite::Result<Vec<Part>> {
    tx.prepare_cached(
        "SELECT number, content, size, etag, modified FROM parts WHERE upload = ? AND number > ? ORDER BY number",
    )?
    .query_map(params![upload, after], |row| {
        Ok(Part {
            number: row.get(0)?,
            content: row.get(1)?,
            size: row.get(2)?,
            etag: row.get(3)?,
            modified: row.get(4)?,
        })
    })?
    .collect()
}

/// The parts that the object is made of, as the request lists them.
pub(super) fn chosen(mut uploaded: Vec<Part>, listed: &[CompletedPart]) -> Result<Vec<Part>, Failure> {
    let invalid = || s3_error!(InvalidPart, "One or more of the specified parts could not be found.");
    let mut chosen: Vec<Part> = Vec::with_capacity(listed.len());
    for wanted in listed {
        let number = wanted.part_number.ok_or_else(invalid)?;
        if chosen.last().is_some_and(|before| before.number >= number) {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order.").into());
        }
        let at = uploaded.iter().position(|part| part.number == number).ok_or_else(invalid)?;
        let part = uploaded.swap_remove(at);
        if wanted.e_tag.as_ref().is_some_and(|etag| etag.value() != part.etag) {
            return Err(invalid().into());
        }
        chosen.push(part);
    }
    match chosen.split_last() {
        None => Err(s3_error!(MalformedXML, "You must specify at least one part").into()),
        Some((_, before)) if before.iter().any(|part| part.size < MIN_PART_BYTES) => {
            Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size").into())
        }
        Some(_) => Ok(chosen),
    }
}

/// Forgets an upload and returns the files of its parts.
pub(super) fn remove(tx: &Transaction, upload: &str) -> rusqlite::Result<Vec<String>> {
    tx.execute("DELETE FROM uploads WHERE id = ?", [upload])?;
    tx.prepare_cached("DELETE FROM parts WHERE upload = ? RETURNING content")?
        .query_map([upload], |row| row.get(0))?
        .collect()
}

/// A part as a list shows it.
pub(super) fn listed(part: Part) -> s3s::dto::Part {
    s3s::dto::Part {
        part_number: Some(part.number),
        size: Some(part.size),
        e_tag: Some(ETag::Strong(part.etag)),
        last_modified: Some(timestamp(part.modified)),
        ..s3s::dto::Part::default()
    }
}
