//! The kind of job: a request in the inbox brings its own rows.
//!
//! What was brought is kept beside the results, with a note of it, before anything is done. **An attempt that comes
//! after a death goes on with the very rows that the first one had**, whatever the directory says by then.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use rollcall_bulk::{
    directory_import::{
        request::ImportRequest,
        rows,
        sync::{Planned, SyncTally},
        sync_state::{ImportTally, Imported, Left, NextDelta, SyncOutcome, Synced},
    },
    job::{MailState, Stage},
};
use rollcall_connectors::{
    FailureKind,
    entra::{Credentials, Entra, SECRET, Tenants},
};
use rollcall_engine::{Attempt, Interrupt, Operation, Prepared, RowSource, UsersWork};
use rollcall_model::{
    audit::Actor,
    jobs::{JobId, JobKind, ObjectVersion},
    user::DirectoryId,
};
use rollcall_storage::{StorageError, secrets::Secrets};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Brings users of accounts' directories.
pub struct BringUsers {
    /// How accounts reach their directories.
    pub secrets: Secrets,
    /// Their directories.
    pub tenants: Tenants,
}

/// What was brought for a job.
#[derive(Serialize, Deserialize)]
struct Note {
    /// Where the rows are, if there are any.
    rows: Option<ObjectVersion>,
    brought: Brought,
}

/// What rows are about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Brought {
    Import(ImportTally),
    Sync {
        tally: SyncTally,
        #[serde(default)]
        planned: Planned,
        /// Those for whom the sync before failed, and its job.
        #[serde(default)]
        failed_before: Option<(BTreeSet<DirectoryId>, JobId)>,
        /// Imports that had been there when the sync began.
        imports: u64,
        /// Where the next delta begins.
        next: NextDelta,
    },
}

const REMEMBERING: &str = "remembering what the directory said";

impl Operation for BringUsers {
    type Work = UsersWork;
    const KINDS: &'static [JobKind] = &[JobKind::DirectoryImport];

    async fn begin(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<UsersWork>, Interrupt> {
        let known = attempt.known().await?;
        let note = match known {
            Some(note) => note,
            None => self.bring(attempt).await?,
        };
        let rows = note.rows.map_or(RowSource::None, RowSource::Generated);
        Ok(Prepared { work: UsersWork::begin(attempt).await?, rows })
    }

    async fn conclude(&self, attempt: &mut Attempt<'_>, work: &UsersWork) -> Result<(), StorageError> {
        let note: Option<Note> = attempt.load_checkpoint().await?;
        let note = note.ok_or_else(|| StorageError::unreadable(REMEMBERING, "the note is missing"))?;
        let (job, at) = (attempt.job.id.clone(), Timestamp::now());
        let directory = &attempt.engine.directory;
        match note.brought {
            Brought::Import(tally) => {
                let import = Imported { job, at, tally };
                directory.change_standing(attempt.account(), |standing| standing.imported(import.clone())).await
            }
            Brought::Sync { tally, planned, failed_before, imports, next } => {
                let tally = planned.done(tally, work.unmet());
                let failed = work.unmet().keys().cloned().collect();
                if was_told(attempt, &failed, failed_before).await? {
                    attempt.job.mail = Some(MailState::NotDue);
                }
                let sync = Synced { job, at, tally, outcome: SyncOutcome::Done };
                let done = Some(Left { imports, next, failed });
                directory
                    .change_standing(attempt.account(), |standing| standing.synced(sync.clone(), done.clone()))
                    .await
            }
        }
    }
}

/// Whether a mail about the sync before has told already of all those for whom this one failed. **A failure is tried again
/// each time, and mailed once**; whoever asks for a sync gets its mail.
async fn was_told(
    attempt: &Attempt<'_>,
    failed: &BTreeSet<DirectoryId>,
    before: Option<(BTreeSet<DirectoryId>, JobId)>,
) -> Result<bool, StorageError> {
    let Some((before, job)) = before else { return Ok(false) };
    if failed.is_empty() || !failed.is_subset(&before) || attempt.job.asked_by != Some(Actor::Schedule) {
        return Ok(false);
    }
    let told = attempt.engine.directory.job(attempt.account(), &job).await?.and_then(|job| job.mail);
    Ok(matches!(told, Some(MailState::Sent { .. } | MailState::NotDue)))
}

impl BringUsers {
    /// Carries the request out, as far as rows.
    async fn bring(&self, attempt: &mut Attempt<'_>) -> Result<Note, Interrupt> {
        let request = attempt.request().await?;
        let (rows, brought) = match request {
            ImportRequest::Import(import) => {
                let entra = self.open(attempt).await?;
                self.import(attempt, &entra, import).await?
            }
            ImportRequest::Sync(sync) => {
                let confirmed = sync.confirmed || attempt.job.stage == Stage::Executed;
                self.sync(attempt, confirmed).await?
            }
        };
        let rows = if rows.is_empty() { None } else { Some(attempt.save_rows(rows::write(&rows)).await?) };
        let note = Note { rows, brought };
        attempt.save_checkpoint(&note).await?;
        Ok(note)
    }

    /// The directory of the run's account.
    pub(crate) async fn open(&self, attempt: &Attempt<'_>) -> Result<Arc<Entra>, Interrupt> {
        let account = attempt.account();
        let credentials: Option<Credentials> = self.secrets.read(account, SECRET).await?;
        let credentials = credentials.ok_or_else(|| Interrupt::refused("The account has no directory connected."))?;
        let country = attempt.country(&attempt.settings().await?);
        self.tenants.open(account, credentials, country).map_err(|error| self.stop(attempt, &error))
    }

    /// What a failure of the directory means for the job.
    pub(crate) fn stop(&self, attempt: &Attempt<'_>, error: &rollcall_connectors::ConnectorError) -> Interrupt {
        match error.kind {
            FailureKind::Unavailable if Instant::now() >= attempt.until => Interrupt::Time,
            // The next delivery may find it well again; the last one tells.
            FailureKind::Unavailable | FailureKind::Malformed => {
                Interrupt::Error(StorageError::transient(error.operation, error.chain()))
            }
            FailureKind::Denied => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(attempt.account(), SECRET);
                Interrupt::refused(format!(
                    "The directory denied the account's credentials, or they lack a permission ({}). Change that in the \
                     directory, connect it again if the secret is a new one, and repeat the request.",
                    error.chain()
                ))
            }
            FailureKind::Refused => Interrupt::refused(format!(
                "The directory can't do what is asked for ({}). Perhaps the filter can't be understood.",
                error.chain()
            )),
        }
    }
}
