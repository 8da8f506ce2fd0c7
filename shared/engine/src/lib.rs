//! The life of a bulk job: from the event that announces a file to the mail about its failed rows.
//!
//! The engine does what the model decides, in an order that survives its own death at any point:
//!
//! 1. The job is claimed, with a lease that ends when the invocation does.
//! 2. The file is read into a ledger of who is to have what.
//! 3. Users are dealt with in batches. A batch's plan is kept in the bucket *before* it is carried out, so that the next
//!    attempt knows what was this job's own doing. Carrying it out twice changes nothing.
//!    Numbers that were retired while they were being put on lists are taken off again.
//! 4. The file is read again, row by row, for the result files.
//! 5. The mail is sent, if one is due, and the job ends.
//!
//! **At most one mail**, but for one moment: when the mail service has taken a mail and the function dies before the
//! record says so, the next attempt sends it again. None is ever lost. (`mail.rs` is where this is kept.)

mod append;
mod apply;
mod claim;
mod deliver;
mod encoding;
mod event;
mod generated_rows;
mod give_up;
mod mail;
mod metrics;
mod near;
mod operation;
mod read;
mod refuse;
mod report;
mod retract;
mod round;
mod terms;
mod users;

use std::time::Duration;

use jiff::Timestamp;
use rollcall_bulk::{
    job::{Delivery, Failure, Job, Phase, Stage},
    upload::{InboxKey, ResultKeys},
};
use rollcall_model::{
    account::AccountId,
    audit::Actor,
    country::Country,
    inventory::InventoryNumber,
    jobs::{JobId, JobKind, ObjectVersion},
    settings::Settings,
};
use rollcall_storage::{
    ErrorKind, StorageError, directory::Directory, files::Files, mailer::Mailer, telemetry::millis,
};
use rollcall_tabular::FileFault;
use tokio::time::Instant;

use self::claim::Claimed;

pub use append::Append;
pub use deliver::Worker;
pub use generated_rows::{MAX_REQUEST_BYTES, read_request};
pub use operation::{Done, ListAdditions, Operation, Prepared, RowSource, Work};
pub use round::Round;
pub use users::{UploadUsers, UsersWork};

/// Works on bulk jobs.
pub struct Engine {
    /// The table.
    pub directory: Directory,
    /// The bucket.
    pub files: Files,
    /// The mail service.
    pub mailer: Mailer,
    /// The country of accounts that name none.
    pub country: Country,
    /// What is too much.
    pub limits: Limits,
}

/// What is too much for one job.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a file.
    pub file_bytes: u64,
    /// Rows of a file: a million take some 100 MB of memory.
    pub rows: u64,
    /// Mails that an account may send on one day, in UTC; a mail counts once for each recipient.
    pub mails_a_day: u32,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The job has ended, now or before.
    Ended,
    /// Another delivery is at it. Deliver this one again: should the other die, it is needed.
    Busy,
    /// The time was up. What was done is kept; deliver again to go on.
    Paused,
    /// The job was given up and says so. Let the event go to the dead-letter queue.
    GaveUp,
}

impl Engine {
    /// Works on the job of one delivered file, as far as its time allows.
    ///
    /// # Errors
    /// When AWS fails; the job's record says why, and the next delivery goes on where this one stopped.
    pub async fn run<O: Operation>(
        &self,
        operation: &O,
        upload: &InboxKey,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let existing = self.directory.job(&upload.account, &JobId::of(source)).await?;
        self.take_up(operation, existing, upload, source, delivery).await
    }

    /// The same for a job that a person has decided to execute.
    ///
    /// # Errors
    /// As [`Engine::run`].
    pub async fn execute<O: Operation>(
        &self,
        operation: &O,
        account: &AccountId,
        (kind, id): (JobKind, &JobId),
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        let job = self.directory.job(account, id).await?;
        let Some(job) = job.filter(|job| job.stage == Stage::Executed && job.upload.kind == kind) else {
            tracing::warn!(job.id = %id, %account, "nobody has decided to execute this job");
            return Ok(DeliveryOutcome::Ended);
        };
        let (upload, source) = (job.upload.clone(), job.source.clone());
        self.take_up(operation, Some(job), &upload, &source, delivery).await
    }

    async fn take_up<O: Operation>(
        &self,
        operation: &O,
        existing: Option<Job>,
        upload: &InboxKey,
        source: &ObjectVersion,
        delivery: &Delivery,
    ) -> Result<DeliveryOutcome, StorageError> {
        // An attempt that ends by itself gives its lease back.
        let died = existing.as_ref().is_some_and(|job| job.lease.is_some());
        let (mut attempt, gave_up) = match self.claim(existing, upload, source, delivery).await? {
            Claimed::Attempt(attempt) => (*attempt, false),
            Claimed::GivenUp(attempt) => (*attempt, true),
            Claimed::Not(ending) => return Ok(ending),
        };
        if gave_up {
            return attempt.give_up(operation, died).await;
        }
        let stopped = match attempt.work(operation).await {
            Ok(()) => return Ok(DeliveryOutcome::Ended),
            Err(stopped) => stopped,
        };
        match stopped {
            Interrupt::Ends(failure) => {
                attempt.job.failure = Some(failure);
                attempt.job.counts.unprocessed = attempt.job.progress.rows;
                attempt.finish().await?;
                Ok(DeliveryOutcome::Ended)
            }
            Interrupt::Time if !delivery.is_last() => {
                attempt.job.paused = true;
                attempt.release().await?;
                tracing::info!(users.done = attempt.job.progress.users_done, "paused");
                Ok(DeliveryOutcome::Paused)
            }
            Interrupt::Time => attempt.fail(operation, "its time ran out at the last delivery".into()).await,
            // Whoever has the lease now goes on; nothing of this attempt is to be written any more.
            Interrupt::Error(error) if error.kind == ErrorKind::Conflict => Err(error),
            Interrupt::Error(error) if delivery.is_last() => attempt.fail(operation, error.chain()).await,
            // No later delivery would come any further, so the event is done with now.
            Interrupt::Error(error) if error.kind.is_final() => {
                attempt.fail(operation, error.chain()).await.map(|_| DeliveryOutcome::Ended)
            }
            Interrupt::Error(error) => {
                attempt.job.last_error = Some(error.chain());
                // The lease ends by itself, should this fail too.
                let _ = attempt.release().await;
                Err(error)
            }
        }
    }
}

/// One attempt at one job.
pub struct Attempt<'a> {
    /// What it works with.
    pub engine: &'a Engine,
    /// The record, as far as the attempt has come.
    pub job: Job,
    /// Where the job keeps what it makes.
    pub keys: ResultKeys,
    /// When to stop, so that what was done can be kept before the invocation ends.
    pub until: Instant,
    /// Until when what comes after may take: at a last delivery, telling what came of each row.
    end: Instant,
    /// The job is given up: what was done is looked at, and nothing is done any more.
    given_up: bool,
    /// The invocation, which holds the lease.
    owner: String,
    saved: Instant,
    /// When the phase began that it is in.
    entered: Instant,
}

/// Why an attempt ends before the job does.
pub enum Interrupt {
    /// The job ends by this, and nothing of it is done: the file can't be read, or what it is about.
    Ends(Failure),
    /// The invocation's time is nearly up.
    Time,
    /// AWS fails.
    Error(StorageError),
}

impl Interrupt {
    /// The job ends, since what it asks for can't be done. The reason is a sentence for whoever can mend that.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Ends(Failure::Refused { reason: reason.into() })
    }
}

impl From<StorageError> for Interrupt {
    fn from(error: StorageError) -> Self {
        Self::Error(error)
    }
}

impl From<FileFault> for Interrupt {
    fn from(fault: FileFault) -> Self {
        Self::Ends(Failure::File(fault))
    }
}

/// The share of an invocation's time that is kept for putting things away, within these limits: a request that hangs
/// takes ten seconds to give up.
const RESERVE: f64 = 0.15;
const LEAST_RESERVE: Duration = Duration::from_millis(500);
const MOST_RESERVE: Duration = Duration::from_secs(12);
/// The share of a last delivery's time that is kept for telling what came of each row, should the job be given up.
const LAST_RESERVE: f64 = 0.4;
/// How often the record shows progress. Every write of it costs as much as a changed user.
const SAVE_EVERY: Duration = Duration::from_secs(1);

impl<'a> Attempt<'a> {
    fn new(engine: &'a Engine, job: Job, delivery: &Delivery) -> Self {
        let time = Duration::try_from(delivery.deadline.duration_since(delivery.at)).unwrap_or_default();
        let reserve = time.mul_f64(RESERVE).clamp(LEAST_RESERVE, MOST_RESERVE);
        let keys = job.keys();
        let now = Instant::now();
        let end = now + time.saturating_sub(reserve);
        let until = if delivery.is_last() { end - time.mul_f64(LAST_RESERVE).min(end - now) } else { end };
        let owner = delivery.invocation.clone();
        Self { engine, job, keys, owner, until, end, given_up: false, saved: now, entered: now }
    }

    /// Whether this attempt may write what the job is about. A preview doesn't, nor does a job that is given up.
    pub fn writes(&self) -> bool {
        !self.job.previews() && !self.given_up
    }

    /// Whether there may be something that an earlier attempt has kept.
    pub fn goes_on(&self) -> bool {
        self.job.attempts > 1 || self.given_up
    }

    /// The account whose job it is.
    pub fn account(&self) -> &AccountId {
        &self.job.upload.account
    }

    /// Who changes what the job changes, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor::Job(self.job.id.clone())
    }

    /// What the account has set for itself.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn settings(&self) -> Result<Settings, StorageError> {
        self.engine.directory.settings(self.account()).await
    }

    /// The account's numbers.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn inventory(&self) -> Result<Vec<InventoryNumber>, StorageError> {
        self.engine.directory.inventory(self.account()).await
    }

    /// The country whose dialling rules the account goes by.
    pub fn country(&self, settings: &Settings) -> Country {
        let country = settings.country.unwrap_or(self.engine.country);
        if !country.has_numbering_plan() {
            tracing::warn!(%country, "no dialling rules are known: only numbers with a country code can be read");
        }
        country
    }

    async fn work<O: Operation>(&mut self, operation: &O) -> Result<(), Interrupt> {
        // An attempt that died with its mail to be sent has nothing else left to do.
        if self.job.phase != Phase::Mailing {
            let mut reading = self.read(operation).await?;
            self.enter(Phase::Applying).await?;
            let joined = self.apply(&mut reading.work).await?;
            self.retract(&mut reading.work, joined).await?;
            self.enter(Phase::Reporting).await?;
            self.report(&mut reading).await?;
            // **Finished means every row.**
            if self.job.counts.unprocessed > 0 {
                let rows = format!("{} rows have come to no outcome", self.job.counts.unprocessed);
                return Err(StorageError::unreadable("reading rows back", rows).into());
            }
            if !self.job.previews() {
                operation.conclude(self, &reading.work).await?;
            }
        }
        self.finish().await.map_err(Interrupt::Error)
    }

    /// From here on the job shows what it would do, unless a person has said already that it is to be done.
    ///
    /// # Errors
    /// When a job of this kind has no preview, or the record can't be written.
    pub async fn preview(&mut self) -> Result<(), Interrupt> {
        if self.job.stage != Stage::Dropped {
            return Ok(());
        }
        let kind = self.job.upload.kind;
        if !kind.has_preview() {
            let reason = format!("A job of the kind {} has no preview.", kind.as_str());
            return Err(Interrupt::refused(reason));
        }
        self.job.preview();
        self.keys = self.job.keys();
        self.save().await.map_err(Interrupt::Error)
    }

    /// Sends the mail, if one is due, and ends the job.
    async fn finish(&mut self) -> Result<(), StorageError> {
        self.enter(Phase::Mailing).await?;
        self.mail().await?;
        self.end().await
    }

    async fn end(&mut self) -> Result<(), StorageError> {
        self.job.end(Timestamp::now());
        self.save().await?;
        metrics::job_ended(&self.job);
        Ok(())
    }

    async fn enter(&mut self, phase: Phase) -> Result<(), StorageError> {
        tracing::info!(phase = self.job.phase.as_str(), ms = millis(self.entered.elapsed()), "phase done");
        self.job.phase = phase;
        self.entered = Instant::now();
        self.save().await
    }

    /// Lets the next delivery take the job up at once.
    async fn release(&mut self) -> Result<(), StorageError> {
        self.job.lease = None;
        self.save().await
    }

    async fn save(&mut self) -> Result<(), StorageError> {
        self.saved = Instant::now();
        self.engine.directory.save_job(&self.job, &self.owner).await
    }

    /// Shows progress, not too often.
    ///
    /// # Errors
    /// When the record can't be written.
    pub async fn show(&mut self) -> Result<(), StorageError> {
        if self.saved.elapsed() >= SAVE_EVERY { self.save().await } else { Ok(()) }
    }

    fn check_time(&self) -> Result<(), Interrupt> {
        if Instant::now() < self.until { Ok(()) } else { Err(Interrupt::Time) }
    }
}
