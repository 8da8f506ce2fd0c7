//! The first reading: who is to have what.

use rollcall_bulk::note::Note;
use rollcall_model::{
    code::{FileCode, FileWarning},
    jobs::ObjectVersion,
};
use rollcall_storage::files::Download;
use rollcall_tabular::{Encoding, FileFault, Reader, Schema};
use tokio::time::Instant;

use crate::{Attempt, Interrupt, Operation, Prepared, RowSource, Work};

/// What the first reading leaves for the second.
pub(crate) struct Reading<W> {
    pub work: W,
    /// Where the rows are, if there are any.
    pub source: Option<ObjectVersion>,
    /// They are those of the dropped file.
    pub own: bool,
}

impl Attempt<'_> {
    /// Reads the rows.
    pub(crate) async fn read<O: Operation>(&mut self, operation: &O) -> Result<Reading<O::Work>, Interrupt> {
        let limits = self.engine.limits;
        let dropped = self.engine.files.open(&self.job.source).await?;
        // First of all: who is to be told, should nothing else be read of the file.
        self.note_terms(dropped.terms()).await?;
        // The rest of what was noted is so for good; this, a preview or an attempt before may have seen otherwise.
        let seen_last = [FileWarning::NothingChanged, FileWarning::NumbersElsewhere];
        self.job.notes.retain(|note| !seen_last.contains(&note.code));
        self.job.note(Note::metadata_unreadable(&dropped.terms().unread));
        if dropped.terms().preview && !self.given_up {
            self.preview().await?;
        }
        let size = self.job.source.size;
        if size > limits.file_bytes {
            let message = format!("The file has {size} bytes; one job takes {}. Cut it into parts.", limits.file_bytes);
            return Err(FileFault { code: FileCode::FileTooLarge, line: None, message }.into());
        }
        if let Some(label) = dropped.terms().encoding.as_ref().filter(|_| self.job.encoding.is_none()) {
            let message = format!("The upload names the encoding \"{label}\", which is none that is known.");
            return Err(FileFault { code: FileCode::EncodingUnsupported, line: None, message }.into());
        }
        let mut dropped = Some(dropped);
        loop {
            let Prepared { work, rows } = operation.begin(self).await?;
            let own = rows == RowSource::Uploaded;
            // What a job has brought it has bounded itself, and nobody can cut that into parts.
            let (source, most) = match rows {
                RowSource::Uploaded => (self.job.source.clone(), limits.rows),
                RowSource::Generated(source) => {
                    dropped = None;
                    (source, u64::MAX)
                }
                RowSource::None => {
                    let mut work = work;
                    work.finish_reading();
                    return Ok(Reading { work, source: None, own });
                }
            };
            let download = match dropped.take() {
                Some(download) => download,
                None => self.engine.files.open(&source).await?,
            };
            match self.read_rows(work, download, most, own).await? {
                Some(work) => return Ok(Reading { work, source: Some(source), own }),
                None => self.judge_encoding(&source).await?,
            }
        }
    }

    /// Reads the rows of a file that has been opened. `None` says that its encoding must be judged first.
    async fn read_rows<W: Work>(
        &mut self,
        mut work: W,
        download: Download,
        most: u64,
        own: bool,
    ) -> Result<Option<W>, Interrupt> {
        let mut rows = Rows::of(download, work.columns(), self.job.encoding, self.until);
        while rows.more().await? {
            if rows.reader.is_doubtful() && self.job.encoding.is_none() {
                return Ok(None);
            }
            while let Some(row) = rows.reader.next_row()? {
                work.take(&row);
                rows.check_time()?;
            }
            if rows.reader.rows() > most {
                let message = format!("The file has more than {most} rows. Cut it into parts.");
                return Err(FileFault { code: FileCode::TooManyRows, line: None, message }.into());
            }
        }
        let mut notes: Vec<Note> = rows.reader.notes().into_iter().map(Note::from).collect();
        if let Some(header) = rows.reader.header().filter(|_| own) {
            notes.extend(Note::columns_ignored(&header.ignored()));
            notes.extend(work.note(header, &self.job));
        }
        self.job.note(notes);
        work.finish_reading();
        self.job.progress.rows = rows.reader.rows();
        self.job.progress.users = work.users() as u64;
        Ok(Some(work))
    }
}

/// Rows after which the clock is looked at: some milliseconds of work.
const ROWS_BETWEEN_LOOKS: u64 = 1_024;

/// The rows of a file, as it comes.
pub(crate) struct Rows {
    pub reader: Reader,
    download: Download,
    until: Instant,
    ended: bool,
}

impl Rows {
    /// The rows of a file that has been opened, from the beginning.
    pub(crate) fn of(download: Download, columns: Schema, encoding: Option<Encoding>, until: Instant) -> Self {
        Self { download, reader: Reader::encoded(columns, encoding), until, ended: false }
    }

    /// Looks at the clock now and then: a piece of the download may hold any number of rows.
    pub(crate) fn check_time(&self) -> Result<(), Interrupt> {
        let looks = self.reader.rows().is_multiple_of(ROWS_BETWEEN_LOOKS);
        if looks && Instant::now() >= self.until { Err(Interrupt::Time) } else { Ok(()) }
    }

    /// Gives the reader more of the file. `false` when there is no more to give.
    pub(crate) async fn more(&mut self) -> Result<bool, Interrupt> {
        if self.ended {
            return Ok(false);
        }
        if Instant::now() >= self.until {
            return Err(Interrupt::Time);
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
