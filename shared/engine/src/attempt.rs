//! One attempt at one job: what each of its phases needs.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rollcall_bulk::{
    job::{Delivery, Failure, Job, Phase, Stage},
    upload::ResultKeys,
};
use rollcall_model::{
    account::AccountId, audit::Actor, country::Country, inventory::InventoryNumber, settings::Settings,
};
use rollcall_tabular::FileFault;
use tokio::time::Instant;

use crate::{
    Engine, ErrorKind, Limits, StorageError,
    forecast::Forecast,
    metrics,
    telemetry::millis,
    world::{SystemFailure, TableUsage, World},
};

/// One attempt at one job.
pub struct Attempt<'a> {
    /// What it works on.
    pub world: &'a World,
    /// What is too much.
    pub limits: Limits,
    /// The country of accounts that name none.
    default_country: Country,
    /// The record, as far as the attempt has come.
    pub job: Job,
    /// Where the job keeps what it makes.
    pub keys: ResultKeys,
    /// When to stop, so that what was done can be kept before the invocation ends.
    pub until: Instant,
    /// Until when what comes after may take: at a last delivery, telling what came of each row.
    pub(crate) end: Instant,
    /// What is kept of the invocation's time for putting things away.
    reserve: Duration,
    /// The job is given up: what was done is looked at, and nothing is done any more.
    pub(crate) given_up: bool,
    /// An earlier attempt has looked again at what it had written: rows have their outcomes, and numbers may have come to their ends by them.
    pub(crate) settled: bool,
    /// The invocation, which holds the lease.
    owner: String,
    saved: Instant,
    /// When the phase began that it is in.
    entered: Instant,
    forecast: Forecast,
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
    pub(crate) fn new(engine: &'a Engine, job: Job, delivery: &Delivery) -> Self {
        let time = Duration::try_from(delivery.deadline.duration_since(delivery.at)).unwrap_or_default();
        let reserve = time.mul_f64(RESERVE).clamp(LEAST_RESERVE, MOST_RESERVE);
        let keys = job.keys();
        let now = Instant::now();
        let end = now + time.saturating_sub(reserve);
        let until = if delivery.is_last() { end - time.mul_f64(LAST_RESERVE).min(end - now) } else { end };
        let owner = delivery.invocation.clone();
        let settled = job.phase == Phase::Reporting;
        let Engine { world, limits, country } = engine;
        Self {
            world,
            limits: *limits,
            default_country: *country,
            job,
            keys,
            owner,
            until,
            end,
            reserve,
            given_up: false,
            settled,
            saved: now,
            entered: now,
            forecast: Forecast::new(now, until),
        }
    }

    /// Whether this attempt may write what the job is about. A preview doesn't, nor does a job that is given up.
    pub fn writes(&self) -> bool {
        !self.job.previews() && !self.given_up
    }

    /// Whether there may be something that an earlier attempt has kept.
    pub fn goes_on(&self) -> bool {
        self.job.attempts > 1 || self.given_up
    }

    /// Whether the job may have written users already, or has been given up.
    pub fn has_begun(&self) -> bool {
        self.job.phase != Phase::Reading || self.job.progress.users_changed > 0 || self.given_up
    }

    /// The account whose job it is.
    pub fn account(&self) -> &AccountId {
        &self.job.upload.account
    }

    /// Who changes what the job changes, for the audit trail.
    pub fn actor(&self) -> Actor {
        Actor::Job(self.job.id.clone())
    }

    /// As of when the job knows what it knows.
    pub fn as_of(&self) -> Timestamp {
        self.job.as_of.unwrap_or(self.job.started)
    }

    /// Until when nobody else may work on the job: the invocation's deadline.
    pub(crate) fn deadline(&self) -> Timestamp {
        self.job.lease.as_ref().map_or_else(|| self.world.now(), |lease| lease.until)
    }

    /// What the account has set for itself.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn settings(&self) -> Result<Settings, StorageError> {
        self.world.accounts.settings(self.account()).await
    }

    /// The account's numbers.
    ///
    /// # Errors
    /// When the table can't be read.
    pub async fn inventory(&self) -> Result<Vec<InventoryNumber>, StorageError> {
        self.world.numbers.inventory(self.account()).await
    }

    /// The country whose dialling rules the account goes by.
    pub fn country(&self, settings: &Settings) -> Country {
        let country = settings.country.unwrap_or(self.default_country);
        if !country.has_numbering_plan() {
            tracing::warn!(%country, "no dialling rules are known: only numbers with a country code can be read");
        }
        country
    }

    /// From here on the job shows what it would do, unless a person has said already that it is to be done.
    ///
    /// # Errors
    /// When the record can't be written.
    pub async fn preview(&mut self) -> Result<(), Interrupt> {
        if self.job.stage != Stage::Dropped {
            return Ok(());
        }
        self.job.preview();
        self.keys = self.job.keys();
        self.save().await.map_err(Interrupt::Error)
    }

    pub(crate) async fn end(&mut self) -> Result<(), StorageError> {
        let before = self.job.clone();
        self.job.end(self.world.now());
        if let Err(error) = self.save().await {
            // It has not ended, as far as anybody knows, and may be given up yet.
            self.job = before;
            return Err(error);
        }
        metrics::job_ended(&self.job);
        Ok(())
    }

    pub(crate) async fn enter(&mut self, phase: Phase) -> Result<(), StorageError> {
        tracing::info!(phase = self.job.phase.as_str(), ms = millis(self.entered.elapsed()), "phase done");
        self.job.phase = phase;
        self.entered = Instant::now();
        self.save().await
    }

    /// Something is left to be written, though an earlier attempt had found nothing more.
    pub(crate) async fn unsettle(&mut self) -> Result<(), StorageError> {
        if std::mem::take(&mut self.settled) { self.enter(Phase::Applying).await } else { Ok(()) }
    }

    /// Lets the next delivery take the job up at once.
    pub(crate) async fn release(&mut self) -> Result<(), StorageError> {
        self.job.lease = None;
        self.save().await
    }

    pub(crate) async fn save(&mut self) -> Result<(), StorageError> {
        self.saved = Instant::now();
        self.world.jobs.save_job(&self.job, &self.owner).await
    }

    /// Foresees when the job ends, by the users that are dealt with; an earlier attempt may have dealt with the last of them.
    pub(crate) fn foresee(&mut self, recalled: bool) {
        let progress = &self.job.progress;
        let left = self.forecast.left((progress.users_done, progress.users), recalled, Instant::now());
        self.ends_in(left);
    }

    /// Shows of how many rows the report tells by now, and when it ends. Of a job that is given up nothing is shown before all is known.
    pub(crate) async fn show_reported(&mut self, rows: u64) -> Result<(), StorageError> {
        if self.given_up {
            return Ok(());
        }
        let progress = &mut self.job.progress;
        progress.rows_reported = rows;
        let left = self.forecast.left_of_report((rows, progress.rows), Instant::now());
        self.ends_in(left);
        self.show().await
    }

    fn ends_in(&mut self, left: Option<Duration>) {
        if let Some(left) = left.and_then(|left| i64::try_from(left.as_secs()).ok()) {
            self.job.ends_about = self.world.now().checked_add(SignedDuration::from_secs(left)).ok();
        }
    }

    /// Shows progress, not too often.
    ///
    /// # Errors
    /// When the record can't be written.
    pub async fn show(&mut self) -> Result<(), StorageError> {
        if self.saved.elapsed() >= SAVE_EVERY { self.save().await } else { Ok(()) }
    }

    /// Counts what was asked of the table.
    pub fn count_usage(&mut self, usage: TableUsage) {
        let progress = &mut self.job.progress;
        progress.table_calls += usage.calls;
        progress.statements += usage.statements;
        progress.throttled += usage.throttled;
    }

    pub(crate) fn check_time(&self) -> Result<(), Interrupt> {
        if Instant::now() < self.until { Ok(()) } else { Err(Interrupt::Time) }
    }

    /// Whether so little time is left that who must wait for its turn may not come to it.
    pub(crate) fn is_nearly_over(&self) -> bool {
        Instant::now() + self.reserve >= self.until
    }

    /// A table that doesn't answer in time is no error when the time is up anyway.
    pub(crate) fn late(&self, stop: impl Into<Interrupt>) -> Interrupt {
        match stop.into() {
            Interrupt::Error(error) if error.kind == ErrorKind::Transient && Instant::now() >= self.until => {
                Interrupt::Time
            }
            stop => stop,
        }
    }

    /// What a failure of another's system means for the job.
    pub(crate) fn system_failed(&self, failure: SystemFailure) -> Interrupt {
        match failure {
            SystemFailure::Refused(reason) => Interrupt::refused(reason),
            // The next delivery may find it well again; the last one tells.
            SystemFailure::Failed(error) => self.late(error),
        }
    }
}
