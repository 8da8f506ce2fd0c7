//! The kind of job: a request in the inbox brings people of the company's own directory as rows of users.
//!
//! What was brought is kept beside the results, with a checkpoint of it, before anything is done. **An attempt that comes
//! after a crash goes on with the very rows that the first one had**, whatever the directory says by then. A schedule has it ask for
//! syncs by itself, by dropping such requests.

mod chosen;
mod scheduled;
mod sync;

use std::{collections::BTreeSet, sync::Arc};

use rollcall_bulk::{
    bulk_job::Plan,
    directory_import::{
        request::ImportRequest,
        rows,
        sync::{Planned, SyncTally},
        sync_state::{ImportTally, Imported, Left, NextDelta, SyncOutcome, SyncState, Synced},
    },
    job::MailState,
    left_out::LeftOut,
    user_upload::{UploadJob, UserPlan},
};
use rollcall_model::{
    audit::Actor,
    jobs::{JobId, JobKind, ObjectVersion},
    user::DirectoryId,
};
use serde::{Deserialize, Serialize};

pub use scheduled::scheduled;

use super::{append::AppendContext, turns::Line, users};
use crate::{
    Attempt, Interrupt, Operation, Prepared, RowSource, StorageError, change_sync_state,
    world::{CompanyDirectories, CompanyDirectory, TableUsage},
};

/// Brings users of accounts' directories.
pub struct BringUsers {
    /// The directories.
    pub directories: Arc<dyn CompanyDirectories>,
}

/// What was brought for a job.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    /// Where the rows are, if there are any.
    rows: Option<ObjectVersion>,
    brought: Brought,
}

/// What rows are about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Brought {
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

/// What an import was prepared with.
pub struct ImportContext {
    upload: AppendContext,
    turn: TurnNow,
}

/// How a job stands with its turn.
enum TurnNow {
    /// Imports of people whom somebody has chosen have none.
    NotNeeded,
    /// It had it when it was prepared.
    Taken,
    /// A newer sync has begun.
    Overtaken,
}

const REMEMBERING: &str = "remembering what the directory said";

impl Operation for BringUsers {
    type Job = UploadJob;
    type Context = ImportContext;
    const KINDS: &'static [JobKind] = &[JobKind::DirectoryImport];

    async fn prepare(&self, attempt: &mut Attempt<'_>) -> Result<Prepared<Self>, Interrupt> {
        let known: Option<Checkpoint> = attempt.known().await?;
        let syncs = if let Some(known) = &known {
            matches!(known.brought, Brought::Sync { .. })
        } else {
            let request: ImportRequest = attempt.request().await?;
            if request.previews() {
                attempt.preview().await?;
            }
            matches!(request, ImportRequest::Sync(_))
        };
        let overtaken = syncs && attempt.writes() && !Line::Syncs.take(attempt, known.is_some()).await?;
        let checkpoint = match known {
            Some(checkpoint) => checkpoint,
            None => self.bring(attempt).await?,
        };
        let rows = checkpoint.rows.map_or(RowSource::None, RowSource::Generated);
        let (job, upload) = users::upload(attempt).await?;
        let turn = if overtaken {
            TurnNow::Overtaken
        } else if syncs {
            TurnNow::Taken
        } else {
            TurnNow::NotNeeded
        };
        Ok(Prepared { job, context: ImportContext { upload, turn }, rows })
    }

    async fn plan(
        &self,
        attempt: &Attempt<'_>,
        job: &UploadJob,
        context: &ImportContext,
        users: &[usize],
        usage: &mut TableUsage,
    ) -> Result<Vec<UserPlan>, StorageError> {
        users::plan(attempt, job, &context.upload, users, usage).await
    }

    async fn write(
        &self,
        attempt: &Attempt<'_>,
        context: &ImportContext,
        plans: &mut [&mut UserPlan],
        usage: &mut TableUsage,
    ) -> Result<Vec<usize>, Interrupt> {
        let goes_on = match context.turn {
            TurnNow::NotNeeded => true,
            TurnNow::Overtaken => false,
            TurnNow::Taken => Line::Syncs.goes_on(attempt).await?,
        };
        if !goes_on {
            for plan in plans.iter_mut() {
                plan.leave_out(LeftOut::Overtaken);
            }
            return Ok(Vec::new());
        }
        users::write(attempt, &context.upload, plans, usage).await.map_err(Interrupt::Error)
    }

    async fn finish(
        &self,
        attempt: &mut Attempt<'_>,
        upload: &UploadJob,
        _: &ImportContext,
    ) -> Result<(), StorageError> {
        let checkpoint: Option<Checkpoint> = attempt.load_checkpoint().await?;
        let checkpoint =
            checkpoint.ok_or_else(|| StorageError::unreadable(REMEMBERING, "the checkpoint is missing"))?;
        let (job, at) = (attempt.job.id.clone(), attempt.world.now());
        match checkpoint.brought {
            Brought::Import(tally) => {
                let import = Imported { job, at, tally };
                change_sync_state(&*attempt.world.schedules, attempt.account(), |state| state.imported(import.clone()))
                    .await
            }
            Brought::Sync { tally, planned, failed_before, imports, next } => {
                let failed = upload.unmet().keys().cloned().collect();
                if !Line::Syncs.goes_on(attempt).await? {
                    // The newer one reads all of it again, and tells.
                    attempt.job.mail = Some(MailState::NotDue);
                    let schedules = &*attempt.world.schedules;
                    return change_sync_state(schedules, attempt.account(), |state| state.overtaken(&failed)).await;
                }
                let tally = planned.done(tally, upload.unmet());
                if was_told(attempt, &failed, failed_before).await? {
                    attempt.job.mail = Some(MailState::NotDue);
                }
                let sync = Synced { job, at, tally, outcome: SyncOutcome::Done };
                let done = Some(Left { imports, next, failed });
                let change = |state: &mut SyncState| {
                    state.turn.give_up(&sync.job, sync.at);
                    state.synced(sync.clone(), done.clone());
                };
                change_sync_state(&*attempt.world.schedules, attempt.account(), change).await
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
    let told = attempt.world.jobs.job(attempt.account(), &job).await?.and_then(|job| job.mail);
    Ok(matches!(told, Some(MailState::Sent { .. } | MailState::NotDue)))
}

impl BringUsers {
    /// Carries the request out, as far as rows.
    async fn bring(&self, attempt: &mut Attempt<'_>) -> Result<Checkpoint, Interrupt> {
        let request = attempt.request().await?;
        let (rows, brought) = match request {
            ImportRequest::Import(import) => {
                let directory = self.open(attempt).await?;
                chosen::import(attempt, &*directory, import).await?
            }
            ImportRequest::Sync(sync) => {
                let confirmed = sync.confirmed || attempt.job.is_confirmed();
                self.sync(attempt, confirmed).await?
            }
        };
        let rows = if rows.is_empty() { None } else { Some(attempt.save_rows(rows::write(&rows)).await?) };
        let checkpoint = Checkpoint { rows, brought };
        attempt.save_checkpoint(&checkpoint).await?;
        Ok(checkpoint)
    }

    /// The directory of the attempt's account.
    async fn open(&self, attempt: &Attempt<'_>) -> Result<Arc<dyn CompanyDirectory>, Interrupt> {
        let country = attempt.country(&attempt.settings().await?);
        let opened = self.directories.open(attempt.account(), country).await;
        opened.map_err(|failure| attempt.system_failed(failure))
    }
}
