//! The bytes of objects, in files named by random IDs: a key's shape never meets the file system.

use std::collections::HashSet;
use std::fs;
use std::io::{self, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures_util::StreamExt;
use s3s::dto::StreamingBlob;
use s3s::{S3ErrorCode, S3Result};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::digest::Digests;
use super::internal;
use crate::error::{Context, Result};

/// How much of an object is read from its file at a time.
const READ_BYTES: usize = 128 * 1024;

/// The directory of the files.
#[derive(Clone)]
pub(super) struct Contents(Arc<PathBuf>);

/// A file that is not an object's yet. It is deleted again unless kept.
pub(super) struct Draft {
    contents: Contents,
    pub(super) id: String,
    pub(super) size: i64,
    kept: bool,
}

impl Contents {
    /// Opens the directory and deletes the files that nothing refers to, which a crash left behind.
    pub(super) fn open(dir: &Path, referred: &HashSet<String>) -> Result<Self> {
        let what = || format!("could not open {}", dir.display());
        fs::create_dir_all(dir).context(what())?;
        for entry in fs::read_dir(dir).context(what())? {
            let entry = entry.context(what())?;
            if !referred.contains(entry.file_name().to_string_lossy().as_ref()) {
                fs::remove_file(entry.path()).context(what())?;
            }
        }
        Ok(Self(Arc::new(dir.to_owned())))
    }

    /// Writes a request's body to a new file as it comes in, and has `digests` see all of it.
    pub(super) async fn receive(&self, body: Option<StreamingBlob>, digests: &mut Digests) -> S3Result<Draft> {
        let mut draft = self.draft();
        let mut file = tokio::fs::File::create(self.path(&draft.id)).await.map_err(internal)?;
        if let Some(mut body) = body {
            while let Some(chunk) = body.next().await {
                // A broken connection, or a chunk whose signature is wrong.
                let chunk = chunk.map_err(|cause| s3s::S3Error::with_source(S3ErrorCode::IncompleteBody, cause))?;
                digests.update(&chunk);
                draft.size += i64::try_from(chunk.len()).unwrap_or_default();
                file.write_all(&chunk).await.map_err(internal)?;
            }
        }
        file.flush().await.map_err(internal)?;
        Ok(draft)
    }

    /// Writes the given files, one after the other, to the draft.
    pub(super) async fn join(&self, mut draft: Draft, sources: Vec<fs::File>) -> S3Result<Draft> {
        let path = self.path(&draft.id);
        let copy = move || -> io::Result<u64> {
            let mut target = fs::File::create(path)?;
            sources.into_iter().try_fold(0, |size, mut source| Ok(size + io::copy(&mut source, &mut target)?))
        };
        let size = tokio::task::spawn_blocking(copy).await.map_err(internal)?.map_err(internal)?;
        draft.size = i64::try_from(size).unwrap_or(i64::MAX);
        Ok(draft)
    }

    /// Opens a file. Once open it can be read to its end, even if it is deleted meanwhile.
    pub(super) fn file(&self, id: &str) -> io::Result<fs::File> {
        fs::File::open(self.path(id))
    }

    pub(super) fn delete(&self, id: &str) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(error = %error, "could not delete an object's file; the next start does");
        }
    }

    /// A file to be written.
    pub(super) fn draft(&self) -> Draft {
        Draft { contents: self.clone(), id: Uuid::new_v4().simple().to_string(), size: 0, kept: false }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(id)
    }
}

impl Draft {
    /// To be called once the index refers to the file.
    pub(super) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            self.contents.delete(&self.id);
        }
    }
}

/// A response's body: a range of the file.
pub(super) async fn stream(file: fs::File, range: Range<u64>) -> S3Result<StreamingBlob> {
    let mut file = tokio::fs::File::from_std(file);
    file.seek(SeekFrom::Start(range.start)).await.map_err(internal)?;
    let part = file.take(range.end - range.start);
    Ok(StreamingBlob::wrap(ReaderStream::with_capacity(part, READ_BYTES)))
}
