//! Jobs that bring their own rows: what asks for them, and what they keep for a later attempt.

use rollcall_model::upload::{Source, Terms};
use rollcall_platform::Error;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Run, Stop};

impl Run<'_> {
    /// What was dropped, as a request in JSON.
    ///
    /// # Errors
    /// When it can't be understood, or the bucket can't be read.
    pub async fn request<T: DeserializeOwned>(&self) -> Result<T, Stop> {
        let bytes = self.engine.files.read(&self.job.source).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Stop::refused(format!("The request can't be understood: {error}.")))
    }

    /// Keeps the rows that were brought.
    ///
    /// # Errors
    /// When the bucket can't be written.
    pub async fn keep_rows(&self, rows: Vec<u8>) -> Result<Source, Error> {
        self.engine.files.put_version(&self.keys.brought(), rows, &Terms::default()).await
    }

    /// Keeps what a later attempt needs to know of the rows.
    ///
    /// # Errors
    /// When the bucket can't be written.
    #[expect(clippy::missing_panics_doc, reason = "notes can be written as JSON")]
    pub async fn keep_note<T: Serialize + Sync>(&self, note: &T) -> Result<(), Error> {
        let json = serde_json::to_vec(note).expect("a note can be written as JSON");
        self.engine.files.put(&self.keys.brought_note(), "application/json", json).await
    }

    /// What an attempt has kept. A note that can't be read is as good as none: what it is about is brought again.
    ///
    /// # Errors
    /// When the bucket can't be read.
    pub async fn recall_note<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let bytes = self.engine.files.get(&self.keys.brought_note()).await?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }
}
