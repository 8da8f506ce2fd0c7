//! `rollcall upload`: drops a file of users and follows its job.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use rollcall_model::catalog::CatalogKind;
use rollcall_model::jobs::JobKind;
use rollcall_model::user::Name;

use crate::catalog::resolve;
use crate::client::StackClient;
use crate::confirm::{Answer, refused};
use crate::stack_selector::StackSelector;
use crate::upload_file::DropFile;

/// Options of `rollcall upload`.
#[derive(Debug, Args)]
#[command(after_help = "\
Users are created, or changed where the login ID is known. A cell that is empty and a column that isn't there change nothing; \
caller IDs are added, never taken away. `rollcall sample users` writes a file to start from.

Exit code 0 says that every row was applied or had been before, 1 that some were not, 3 that a preview waits for \
somebody's yes and nothing was changed, 130 that Ctrl-C ended the question, or the watching (the job goes on).

Examples:
  rollcall upload new-people.csv --role agent
  rollcall upload new-people.csv --notify ops@example.com --failures failed.csv")]
pub struct Upload {
    #[command(flatten)]
    file: DropFile,
    /// Role of the users whose rows name none: its ID or its name
    #[arg(long, value_name = "ROLE", value_parser = Name::parse)]
    role: Option<Name>,
}

impl Upload {
    /// Drops the file and follows the job to its end.
    ///
    /// # Errors
    /// If the account has no such role; otherwise as [`DropFile::run`].
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &self.file.whose).await?;
        if let Some(role) = &self.role {
            // Every row would fail over it.
            resolve(&stack, CatalogKind::Role, role.as_str()).await?;
        }
        if self.role.is_some() && self.file.says_only_numbers()? {
            let append = stack.hint("append FILE");
            let question = format!(
                "The file says nothing of its users but caller IDs, and gives each of them a role. Did you mean: {append}\nUpload it all the same?"
            );
            match self.file.consent.ask(&question).await? {
                Answer::Yes => {}
                answer => return Ok(refused(answer)),
            }
        }
        self.file.run(&stack, JobKind::UploadUsers, self.role).await
    }
}
