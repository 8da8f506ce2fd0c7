//! The first reading: who is to have what.

use rollcall_bulk::{bulk_job::BulkJob, note::Note};
use rollcall_model::{
    code::{FileCode, FileWarning},
    jobs::{JobKind, ObjectVersion},
};
use rollcall_tabular::{Encoding, FileFault, Reader, Schema};
use tokio::time::Instant;

use crate::{
    Attempt, ErrorKind, Interrupt, Operation, Prepared, RowSource, StorageError, encoding::judge_encoding,
    options::note_options, world::Download,
};

/// What the first reading leaves for the second.
pub(crate) struct Reading<O: Operation> {
    /// The job, every row of it read.
    pub job: O::Job,
    /// What it was prepared with.
    pub context: O::Context,
    /// Where the rows are, if there are any.
    pub source: Option<ObjectVersion>,
    /// They are those of the dropped file.
    pub own: bool,
}

/// Reads the rows.
pub(crate) async fn read<O: Operation>(attempt: &mut Attempt<'_>, operation: &O) -> Result<Reading<O>, Interrupt> {
    let limits = attempt.limits;
    // Counted anew: this attempt may find a reason to read none. What came of the rows of a job that is given up is told of those known.
    if !attempt.given_up {
        attempt.job.progress.rows = 0;
    }
    let dropped = attempt.world.bucket.open(&attempt.job.source).await.map_err(|error| gone(attempt, error))?;
    // First of all: who is to be told, should nothing else be read of the file.
    note_options(attempt, dropped.options()).await?;
    // The rest of what was noted is so for good; this, a preview or an attempt before may have seen otherwise.
    let seen_last = [FileWarning::NothingChanged, FileWarning::NumbersElsewhere];
    attempt.job.notes.retain(|note| !seen_last.contains(&note.code));
    attempt.job.note(Note::metadata_unreadable(&dropped.options().unread));
    if dropped.options().preview && !attempt.given_up {
        attempt.preview().await?;
    }
    let size = attempt.job.source.size;
    if size > limits.file_bytes {
        let message = format!("The file has {size} bytes; one job takes {}. Cut it into parts.", limits.file_bytes);
        return Err(FileFault { code: FileCode::FileTooLarge, line: None, message }.into());
    }
    if let Some(label) = dropped.options().encoding.as_ref().filter(|_| attempt.job.encoding.is_none()) {
        let message = format!("The upload names the encoding \"{label}\", which is none that is known.");
        return Err(FileFault { code: FileCode::EncodingUnsupported, line: None, message }.into());
    }
    let mut dropped = Some(dropped);
    loop {
        let Prepared { mut job, context, rows } = operation.prepare(attempt).await?;
        let own = rows == RowSource::Uploaded;
        // What a job has brought it has bounded itself, and nobody can cut that into parts.
        let (source, most) = match rows {
            RowSource::Uploaded => (attempt.job.source.clone(), limits.rows),
            RowSource::Generated(source) => {
                dropped = None;
                (source, u64::MAX)
            }
            RowSource::None => {
                job.seal();
                // What was looked at on the way is no row.
                attempt.job.progress.rows = 0;
                return Ok(Reading { job, context, source: None, own });
            }
        };
        let download = match dropped.take() {
            Some(download) => download,
            None => attempt.world.bucket.open(&source).await?,
        };
        if read_rows(attempt, &mut job, download, most, own).await? {
            return Ok(Reading { job, context, source: Some(source), own });
        }
        judge_encoding(attempt, &source).await?;
    }
}

/// What it means that the dropped file can't be opened. One that is gone stays so: the job ends now. Where it may have done something already,
/// it is given up, and what it did can be taken back.
fn gone(attempt: &Attempt<'_>, error: StorageError) -> Interrupt {
    if error.kind != ErrorKind::NotFound {
        return error.into();
    }
    let job = &attempt.job;
    let prepares = !matches!(job.upload.kind, JobKind::AppendCallerIds | JobKind::UploadUsers);
    let message = "The file is gone: it was deleted, or has expired. Drop it again.".to_owned();
    if attempt.has_begun() || prepares && job.attempts > 1 {
        return StorageError::new("opening the file", ErrorKind::NotFound, message).into();
    }
    FileFault { code: FileCode::FileGone, line: None, message }.into()
}

/// Reads the rows of a file that has been opened. `false` says that its encoding must be judged first.
async fn read_rows<J: BulkJob>(
    attempt: &mut Attempt<'_>,
    job: &mut J,
    download: Box<dyn Download>,
    most: u64,
    own: bool,
) -> Result<bool, Interrupt> {
    let mut rows = Rows::of(download, job.columns(), attempt.job.encoding, attempt.until);
    while rows.more().await? {
        if rows.reader.is_doubtful() && attempt.job.encoding.is_none() {
            return Ok(false);
        }
        while let Some(row) = rows.reader.next_row()? {
            job.read_row(&row);
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
        notes.extend(job.note(header, &attempt.job));
    }
    attempt.job.note(notes);
    job.seal();
    attempt.job.progress.rows = rows.reader.rows();
    attempt.job.progress.users = job.users() as u64;
    Ok(true)
}

/// Rows after which the clock is looked at: some milliseconds of work.
const ROWS_BETWEEN_LOOKS: u64 = 1_024;

/// The rows of a file, as it comes.
pub(crate) struct Rows {
    pub reader: Reader,
    download: Box<dyn Download>,
    until: Instant,
    ended: bool,
}

impl Rows {
    /// The rows of a file that has been opened, from the beginning.
    pub(crate) fn of(download: Box<dyn Download>, columns: Schema, encoding: Option<Encoding>, until: Instant) -> Self {
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
