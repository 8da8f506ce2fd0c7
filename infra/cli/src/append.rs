//! `rollcall append`: drops a file of caller IDs and follows its job.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_model::jobs::JobKind;

use crate::client::StackClient;
use crate::stack_selector::StackSelector;
use crate::upload_file::DropFile;

/// Options of `rollcall append`.
#[derive(Debug, Args)]
#[command(after_help = "\
The file has the columns \"Login ID\" and \"Allowed Caller ID\"; `rollcall sample append-caller-ids` writes one to start from.

Exit code 0 says that every row was applied or had been before, 1 that some were not, 3 that a preview waits for \
somebody's yes and nothing was changed, 130 that Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall append october.csv
  rollcall append october.csv --notify ops@example.com --failures failed.csv
  rollcall generate --users 12 --rows 500 --bad 5 --seed 1 | rollcall append - --name made-up.csv")]
pub struct Append {
    #[command(flatten)]
    file: DropFile,
}

impl Append {
    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// As [`DropFile::run`].
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.file.whose).await?;
        stack.say_if_empty().await?;
        self.file.run(&stack, JobKind::AppendCallerIds, None).await
    }
}
