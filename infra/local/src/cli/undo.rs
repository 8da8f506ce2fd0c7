//! `rollcall undo`: what a job did is taken back.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use rollcall_model::job::Decision;
use rollcall_model::undo::UndoRequest;
use rollcall_model::upload::Kind;

use super::connect::Connection;
use super::consent::Consent;
use super::drop_file::{Watch, drop_request};
use super::{Whose, job};
use crate::stack::{Error, Result};

/// Options of `rollcall undo`.
#[derive(Debug, Args)]
#[command(after_help = "\
Numbers that the job put on lists go off again, numbers that it took off come back, users that it created are deleted, users that it changed are as \
before, and numbers that it retired are in service again. What somebody has changed since is passed over, and --results tells of each. What would be \
taken back is shown first, and then asked for, unless --yes is given.

Exit code 0 says that all was taken back or passed over, 1 that it was not, 130 that Ctrl-C ended the watching (the undo goes on).

Examples:
  rollcall undo latest
  rollcall undo 5f0c1d2e3a4b --yes --results undone.csv")]
pub struct Undo {
    /// The job's ID, the beginning of it, or "latest"
    job: String,
    #[command(flatten)]
    whose: Whose,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    watch: Watch,
}

impl Undo {
    /// Asks for the undo, and follows it.
    ///
    /// # Errors
    /// If there is nothing to undo, or the stack can't be asked.
    pub async fn run(self, dir: &Path) -> Result<ExitCode> {
        self.watch.check()?;
        let stack = Connection::open(dir).await?;
        let account = self.whose.account;
        let job = job::find(&stack, &account, &self.job).await?;
        let kind = job.upload.kind;
        if !kind.has_undo() {
            return Err(Error::new(format!("what a job of the kind {} did can't be taken back", kind.as_str())));
        }
        job.decide(Decision::Undo).map_err(|illegal| Error::new(illegal.to_string()))?;
        let request = UndoRequest { job: job.id, preview: self.consent.asks() }.to_json();
        let source = drop_request(&stack, &account, Kind::Undo, "undo", request).await?;
        self.watch.run(dir, &stack, &account, &source, self.consent).await
    }
}
