//! Jobs that bring their own rows: what asks for them, and what they keep for a later attempt.

use std::borrow::Cow;

use rollcall_bulk::upload::{ResultKeys, UploadOptions};
use rollcall_model::{code::FileCode, jobs::ObjectVersion, stored};
use rollcall_tabular::{FileFault, Writer};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    Attempt, Interrupt, StorageError,
    report::{HELD_BYTES, pass_on},
    world::Upload,
};

/// Bytes of a request: some thousand numbers or users are named in a tenth of that.
pub const MAX_REQUEST_BYTES: u64 = 8 * 1024 * 1024;

/// Rows that a job brings itself, on their way into the bucket: they are as many as they are, and never in memory together.
pub struct GeneratedRows {
    /// Where the next rows are written.
    pub csv: Writer,
    upload: Box<dyn Upload>,
}

impl GeneratedRows {
    /// Passes on what has been written, where that has come to be much. Called after every few rows.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn pass_on(&mut self) -> Result<(), StorageError> {
        pass_on(&mut self.csv, &mut *self.upload, HELD_BYTES).await
    }

    /// Ends the rows. Gives the version that the job reads them from.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn finish(mut self) -> Result<ObjectVersion, StorageError> {
        pass_on(&mut self.csv, &mut *self.upload, 0).await?;
        self.upload.finish().await
    }
}

/// A request in JSON.
///
/// # Errors
/// When it can't be understood.
pub fn read_request<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Interrupt> {
    serde_json::from_slice(bytes)
        .map_err(|error| Interrupt::refused(format!("The request can't be understood: {error}.")))
}

impl Attempt<'_> {
    /// What was dropped, whole, where it has no more than `most` bytes: it is held in memory.
    ///
    /// # Errors
    /// [`FileCode::FileTooLarge`] when it has more; otherwise when the bucket can't be read.
    pub async fn dropped(&self, most: u64) -> Result<Vec<u8>, Interrupt> {
        let size = self.job.source.size;
        if size > most {
            let message = format!("It has {size} bytes; this kind of job takes {most}.");
            return Err(FileFault { code: FileCode::FileTooLarge, line: None, message }.into());
        }
        Ok(self.world.bucket.read(&self.job.source).await?)
    }

    /// What was dropped, as a request in JSON.
    ///
    /// # Errors
    /// When it can't be understood, or the bucket can't be read.
    pub async fn request<T: DeserializeOwned>(&self) -> Result<T, Interrupt> {
        read_request(&self.dropped(MAX_REQUEST_BYTES).await?)
    }

    /// Begins the rows that the job brings, in place of those that an earlier attempt has begun.
    pub fn begin_rows(&self) -> GeneratedRows {
        let upload = self.world.bucket.create(&self.keys.generated_rows(), "text/csv");
        GeneratedRows { csv: Writer::new(b','), upload }
    }

    /// Keeps the rows that the job brings, their header first.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn write_rows<'r, const CELLS: usize>(
        &self,
        rows: impl Iterator<Item = [Cow<'r, str>; CELLS]> + Send,
    ) -> Result<ObjectVersion, StorageError> {
        let mut written = self.begin_rows();
        for row in rows {
            written.csv.record(row.iter().map(|cell| &**cell));
            written.pass_on().await?;
        }
        written.finish().await
    }

    /// Keeps the rows that were brought, whole.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn save_rows(&self, rows: Vec<u8>) -> Result<ObjectVersion, StorageError> {
        self.world.bucket.put_version(&self.keys.generated_rows(), rows, &UploadOptions::default()).await
    }

    /// Keeps what a later attempt needs to know of the rows.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn save_checkpoint<T: Serialize + Sync>(&self, note: &T) -> Result<(), StorageError> {
        let json = stored::to_json(note);
        self.world.bucket.put(&self.keys.checkpoint(), "application/json", json.into()).await
    }

    /// What an earlier attempt has kept: `None` where nothing was, and all is to be brought.
    ///
    /// # Errors
    /// When the bucket can't be read; for a job that is given up also where nothing was kept, since it brings nothing any more.
    pub async fn known<T: DeserializeOwned>(&self) -> Result<Option<T>, StorageError> {
        if !self.goes_on() {
            return Ok(None);
        }
        let known = self.load_checkpoint().await?;
        if known.is_none() && !self.writes() && !self.job.previews() {
            return Err(StorageError::unreadable(
                "looking what was kept",
                "the job was given up before it had any rows",
            ));
        }
        Ok(known)
    }

    /// What an attempt has kept. A note that can't be read is as good as none: what it is about is brought again.
    ///
    /// # Errors
    /// When the bucket can't be read.
    pub async fn load_checkpoint<T: DeserializeOwned>(&self) -> Result<Option<T>, StorageError> {
        self.checkpoint_at(&self.keys).await
    }

    /// What a job has kept beside these results, in the same way.
    ///
    /// # Errors
    /// When the bucket can't be read.
    pub(crate) async fn checkpoint_at<T: DeserializeOwned>(
        &self,
        keys: &ResultKeys,
    ) -> Result<Option<T>, StorageError> {
        let bytes = self.world.bucket.get(&keys.checkpoint()).await?;
        Ok(bytes.and_then(|bytes| stored::from_json(&bytes).ok()))
    }
}
