//! The kind of job: a request in the inbox brings its own rows.
//!
//! What was brought is kept beside the results, with a note of it, before anything is done. **An attempt that comes
//! after a death goes on with the very rows that the first one had**, whatever the directory says by then.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use rollcall_engine::{Begun, Operation, RowsIn, Run, Stop, UsersWork};
use rollcall_model::{
    audit::Actor,
    directory_import::{
        request::Request,
        rows,
        standing::{ImportTally, Imported, Left, NextDelta, Outcome, Synced},
        sync::{Planned, Tally},
    },
    job::{Mail, Stage},
    upload::{JobId, Kind as JobKind, Source},
    user::DirectoryId,
};
use rollcall_platform::{Error, secrets::Secrets};
use rollcall_remote::{
    Kind,
    entra::{Credentials, Entra, SECRET, Tenants},
};
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
    rows: Option<Source>,
    brought: Brought,
}

/// What rows are about.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Brought {
    Import(ImportTally),
    Sync {
        tally: Tally,
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

    async fn begin(&self, run: &mut Run<'_>) -> Result<Begun<UsersWork>, Stop> {
        let known = run.known().await?;
        let note = match known {
            Some(note) => note,
            None => self.bring(run).await?,
        };
        let rows = note.rows.map_or(RowsIn::Nowhere, RowsIn::Brought);
        Ok(Begun { work: UsersWork::begin(run).await?, rows })
    }

    async fn conclude(&self, run: &mut Run<'_>, work: &UsersWork) -> Result<(), Error> {
        let note: Option<Note> = run.recall_note().await?;
        let note = note.ok_or_else(|| Error::unreadable(REMEMBERING, "the note is missing"))?;
        let (job, at) = (run.job.id.clone(), Timestamp::now());
        let directory = &run.engine.directory;
        match note.brought {
            Brought::Import(tally) => {
                let import = Imported { job, at, tally };
                directory.change_standing(run.account(), |standing| standing.imported(import.clone())).await
            }
            Brought::Sync { tally, planned, failed_before, imports, next } => {
                let tally = planned.done(tally, work.unmet());
                let failed = work.unmet().keys().cloned().collect();
                if was_told(run, &failed, failed_before).await? {
                    run.job.mail = Some(Mail::NotDue);
                }
                let sync = Synced { job, at, tally, outcome: Outcome::Done };
                let done = Some(Left { imports, next, failed });
                directory.change_standing(run.account(), |standing| standing.synced(sync.clone(), done.clone())).await
            }
        }
    }
}

/// Whether a mail about the sync before has told already of all those for whom this one failed. **A failure is tried again
/// each time, and mailed once**; whoever asks for a sync gets its mail.
async fn was_told(
    run: &Run<'_>,
    failed: &BTreeSet<DirectoryId>,
    before: Option<(BTreeSet<DirectoryId>, JobId)>,
) -> Result<bool, Error> {
    let Some((before, job)) = before else { return Ok(false) };
    if failed.is_empty() || !failed.is_subset(&before) || run.job.asked_by != Some(Actor::Schedule) {
        return Ok(false);
    }
    let told = run.engine.directory.job(run.account(), &job).await?.and_then(|job| job.mail);
    Ok(matches!(told, Some(Mail::Sent { .. } | Mail::NotDue)))
}

impl BringUsers {
    /// Carries the request out, as far as rows.
    async fn bring(&self, run: &mut Run<'_>) -> Result<Note, Stop> {
        let request = run.request().await?;
        let (rows, brought) = match request {
            Request::Import(import) => {
                let entra = self.open(run).await?;
                self.import(run, &entra, import).await?
            }
            Request::Sync(sync) => {
                let confirmed = sync.confirmed || run.job.stage == Stage::Executed;
                self.sync(run, confirmed).await?
            }
        };
        let rows = if rows.is_empty() { None } else { Some(run.keep_rows(rows::write(&rows)).await?) };
        let note = Note { rows, brought };
        run.keep_note(&note).await?;
        Ok(note)
    }

    /// The directory of the run's account.
    pub(crate) async fn open(&self, run: &Run<'_>) -> Result<Arc<Entra>, Stop> {
        let account = run.account();
        let credentials: Option<Credentials> = self.secrets.read(account, SECRET).await?;
        let credentials = credentials.ok_or_else(|| Stop::refused("The account has no directory connected."))?;
        let country = run.country(&run.settings().await?);
        self.tenants.open(account, credentials, country).map_err(|error| self.stop(run, &error))
    }

    /// What a failure of the directory means for the job.
    pub(crate) fn stop(&self, run: &Run<'_>, error: &rollcall_remote::Error) -> Stop {
        match error.kind {
            Kind::Unavailable if Instant::now() >= run.until => Stop::Time,
            // The next delivery may find it well again; the last one tells.
            Kind::Unavailable | Kind::Malformed => Stop::Error(Error::transient(error.operation, error.chain())),
            Kind::Denied => {
                // A new secret may be there already, for the next job.
                self.secrets.forget(run.account(), SECRET);
                Stop::refused(format!(
                    "The directory denied the account's credentials, or they lack a permission ({}). Mend that in the \
                     directory, connect it again if the secret is a new one, and repeat the request.",
                    error.chain()
                ))
            }
            Kind::Refused => Stop::refused(format!(
                "The directory can't do what is asked for ({}). Perhaps the filter can't be understood.",
                error.chain()
            )),
        }
    }
}
