//! S3: versioned buckets whose new objects become events. `s3s` speaks the protocol and checks signatures; this is what
//! answers.

mod access;
mod completion;
mod condition;
mod content;
mod cors;
mod digest;
mod listing;
mod lists;
mod multipart;
mod objects;
mod protocol;
mod shared_fields;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use s3s::{S3Error, S3Result, s3_error};

pub(super) use self::access::Guard;
use self::condition::ReadConditions;
use self::content::{Contents, Draft};
pub(super) use self::cors::Cors;
use self::listing::{Page, Query, Start};
use self::objects::{Change, Version, Write};
use super::error::{Context, Result};
use super::eventbridge::Router;
use super::index::{Index, now_ms};
use super::template::Bucket;

/// The buckets of a stack.
#[derive(Clone)]
pub(super) struct Store {
    index: Index,
    contents: Contents,
    router: Arc<Router>,
}

impl Store {
    /// Opens the store, whose files are in `dir`.
    pub(super) fn open(index: Index, dir: &Path, router: Router) -> Result<Self> {
        let referred: HashSet<String> = index
            .transaction(|tx| {
                tx.prepare("SELECT content FROM objects WHERE content IS NOT NULL UNION SELECT content FROM parts")?
                    .query_map([], |row| row.get(0))?
                    .collect::<rusqlite::Result<_>>()
            })
            .context("could not read the index of objects")?;
        Ok(Self { index, contents: Contents::open(dir, &referred)?, router: Arc::new(router) })
    }

    /// Creates a bucket, or gives the one of that name new attributes.
    pub(super) fn declare(&self, bucket: &Bucket) -> Result<()> {
        self.index
            .transaction(|tx| {
                tx.execute(
                    "INSERT INTO buckets VALUES (?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET versioned = excluded.versioned, emits_events = excluded.emits_events",
                    rusqlite::params![bucket.name, now_ms(), bucket.versioned, bucket.emits_events],
                )
            })
            .context(format!("could not declare bucket {}", bucket.name))
            .map(drop)
    }

    /// Runs `work` in a transaction of the index.
    fn index<T>(&self, work: impl FnOnce(&rusqlite::Transaction) -> std::result::Result<T, Failure>) -> S3Result<T> {
        self.index.transaction(work).map_err(S3Error::from)
    }

    /// Finds a version and opens its file, before anything can delete it.
    fn open_object(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        conditions: &ReadConditions,
    ) -> S3Result<(Version, std::fs::File)> {
        self.index(|tx| {
            let version = objects::read(tx, bucket, key, version)?;
            conditions.check(&version)?;
            let file = self.contents.file(version.content.as_deref().unwrap_or_default()).map_err(internal)?;
            Ok((version, file))
        })
    }

    /// Does what a committed change left to do.
    fn settle(&self, change: &Change) {
        self.router.wake(&change.woken);
        for content in &change.unused {
            self.contents.delete(content);
        }
    }

    /// Adds an object whose bytes are in the draft.
    fn write(&self, draft: Draft, write: &Write) -> S3Result<Change> {
        let change = self.index(|tx| objects::write(tx, &self.router, write, &draft))?;
        draft.keep();
        self.settle(&change);
        Ok(change)
    }

    fn delete(&self, bucket: &str, key: &str, version: Option<&str>) -> S3Result<Change> {
        let change = self.index(|tx| objects::delete(tx, bucket, key, version))?;
        self.settle(&change);
        Ok(change)
    }

    fn page(&self, query: &Query, start: Start) -> S3Result<Page> {
        self.index(|tx| {
            objects::bucket(tx, query.bucket)?;
            Ok(listing::page(tx, query, start)?)
        })
    }
}

/// Why a transaction of the store was rolled back: an answer for the caller, or an index that doesn't work.
enum Failure {
    Answer(S3Error),
    Index(rusqlite::Error),
}

impl From<S3Error> for Failure {
    fn from(answer: S3Error) -> Self {
        Self::Answer(answer)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Index(error)
    }
}

impl From<Failure> for S3Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Answer(answer) => answer,
            Failure::Index(error) => internal(error),
        }
    }
}

/// A failure that is none of the caller's business.
fn internal(error: impl std::error::Error + Send + Sync + 'static) -> S3Error {
    tracing::error!(error = %error, "the object store failed");
    s3_error!(InternalError, "We encountered an internal error. Please try again.")
}
