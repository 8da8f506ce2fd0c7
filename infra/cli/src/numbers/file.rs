//! Numbers by file.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_model::jobs::JobKind;

use crate::args::AccountArg;
use crate::client::StackClient;
use crate::job::write;
use crate::stack_selector::StackSelector;
use crate::upload_file::DropFile;

/// Options of `rollcall numbers upload`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file has the column \"Number\", and any of Department, State, Resting Until, Purchase Date, Provider, Purpose, Attestation and Labels. A cell that is \
empty and a column that isn't there change nothing. `rollcall sample numbers` writes a file to start from.

Exit code 0 says that every row was applied or had been before, 1 that some were not, 3 that a preview waits for somebody's yes and nothing was \
changed, 130 that Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall numbers upload october.csv --preview
  rollcall numbers upload october.csv --failures failed.csv")]
pub struct Upload {
    #[command(flatten)]
    file: DropFile,
}

impl Upload {
    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// As [`DropFile::run`].
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.file.whose).await?;
        self.file.run(&stack, JobKind::UploadNumbers, None).await
    }
}

/// Options of `rollcall numbers download`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  rollcall numbers download numbers.csv")]
pub struct Download {
    /// Where to write it; "-" is standard output
    file: PathBuf,
    #[command(flatten)]
    whose: AccountArg,
}

impl Download {
    /// Saves them.
    ///
    /// # Errors
    /// If the stack can't be asked, or the file can't be written.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.whose).await?;
        let bytes = stack.api.fetch(&["v1", "numbers.csv"]).await?.ok_or_else(|| anyhow!("there is no such file"))?;
        write(&self.file, &bytes)?;
        Ok(ExitCode::SUCCESS)
    }
}
