//! The first reading: who is to have what.

use rollcall_model::{
    append::{COLUMNS, Ledger, Wanted},
    code::FileCode,
    csv_file::{FileFault, Reader},
    numbers::NumberReader,
    settings::Settings,
};
use rollcall_platform::files::Download;
use tokio::time::Instant;

use crate::{Run, Stop};

/// What the first reading leaves for the second.
pub(crate) struct Reading {
    pub ledger: Ledger,
    pub numbers: NumberReader,
}

impl Run<'_> {
    /// Reads the file into a ledger.
    pub(crate) async fn read(&mut self, settings: &Settings) -> Result<Reading, Stop> {
        let limits = self.engine.limits;
        let mut rows = self.rows().await?;
        // First of all: who is to be told, should nothing else be read of the file.
        self.job.notify = rows.download.notify().cloned();
        let size = self.job.source.size;
        if size > limits.file_bytes {
            let message = format!("The file has {size} bytes; one job takes {}. Cut it into parts.", limits.file_bytes);
            return Err(FileFault { code: FileCode::FileTooLarge, line: None, message }.into());
        }
        let inventory = self.engine.directory.inventory(&self.job.upload.account).await?;
        let country = settings.country.unwrap_or(self.engine.country);
        if !country.has_numbering_plan() {
            tracing::warn!(%country, "no dialling rules are known: only numbers with a country code can be read");
        }
        let mut numbers = NumberReader::new(country, &inventory);
        let mut wanted = Wanted::default();
        while rows.more().await? {
            while let Some(row) = rows.reader.next_row()? {
                wanted.take(&row, &mut numbers);
            }
            if rows.reader.rows() > limits.rows {
                let message = format!("The file has more than {} rows. Cut it into parts.", limits.rows);
                return Err(FileFault { code: FileCode::TooManyRows, line: None, message }.into());
            }
        }
        let rows = rows.reader.rows();
        let ledger = wanted.settle();
        self.job.progress.rows = rows;
        self.job.progress.users = ledger.users() as u64;
        Ok(Reading { ledger, numbers })
    }

    /// The file's rows, from the beginning.
    pub(crate) async fn rows(&self) -> Result<Rows, Stop> {
        let download = self.engine.files.open(&self.job.source).await?;
        Ok(Rows { download, reader: Reader::new(&COLUMNS), until: self.until, ended: false })
    }
}

/// The rows of a file, as it comes.
pub(crate) struct Rows {
    pub reader: Reader,
    pub download: Download,
    until: Instant,
    ended: bool,
}

impl Rows {
    /// Gives the reader more of the file. `false` when there is no more to give.
    pub(crate) async fn more(&mut self) -> Result<bool, Stop> {
        if self.ended {
            return Ok(false);
        }
        if Instant::now() >= self.until {
            return Err(Stop::Time);
        }
        if let Some(bytes) = self.download.next().await? {
            self.reader.push(&bytes)?;
        } else {
            self.reader.end()?;
            self.ended = true;
        }
        Ok(true)
    }
}
