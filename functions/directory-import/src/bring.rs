//! The kind of job: a request in the inbox brings its own rows.
//!
//! What was brought is kept beside the results, with a note of it, before anything is done. **An attempt that comes
//! after a death goes on with the very rows that the first one had**, whatever the directory says by then.

use std::sync::Arc;

use jiff::Timestamp;
use rollcall_engine::{Begun, Operation, RowsIn, Run, Stop, UsersWork};
use rollcall_model::{
    directory_import::{
        request::Request,
        rows,
        standing::{ImportTally, Imported, NextDelta, Outcome, Synced},
        sync::Tally,
    },
    job::Stage,
    upload::{Kind as JobKind, Source},
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

    async fn conclude(&self, run: &Run<'_>, _: &UsersWork) -> Result<(), Error> {
        let note: Option<Note> = run.recall_note().await?;
        let note = note.ok_or_else(|| Error::unreadable(REMEMBERING, "the note is missing"))?;
        let (job, at) = (run.job.id.clone(), Timestamp::now());
        let directory = &run.engine.directory;
        match note.brought {
            Brought::Import(tally) => {
                let import = Imported { job, at, tally };
                directory.change_standing(run.account(), |standing| standing.imported(import.clone())).await
            }
            Brought::Sync { tally, imports, next } => {
                let sync = Synced { job, at, tally, outcome: Outcome::Done };
                let done = Some((imports, next));
                directory.change_standing(run.account(), |standing| standing.synced(sync.clone(), done.clone())).await
            }
        }
    }
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
