//! `rollcall upload`: drops a file of users and follows its job.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use rollcall_api_types::{CatalogEntryView, CatalogView};
use rollcall_model::jobs::JobKind;
use rollcall_model::user::{Name, fold};

use crate::client::StackClient;
use crate::stack_selector::StackSelector;
use crate::upload_file::DropFile;

/// Options of `rollcall upload`.
#[derive(Debug, Args)]
#[command(after_help = "\
Users are created, or changed where the login ID is known. A cell that is empty and a column that isn't there change nothing; \
caller IDs are added, never taken away. `rollcall sample users` writes a file to start from.

Exit code 0 says that every row was applied or had been before, 1 that some were not, 130 that Ctrl-C ended the watching \
(the job goes on).

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
            let CatalogView { items: known } = stack.api.get(&["v1", "roles"], &[]).await?;
            if !known.iter().any(|entry| is(entry, role)) {
                let roles: Vec<_> = known.iter().map(|entry| entry.id.as_str()).collect();
                let roles = if roles.is_empty() { "none".to_owned() } else { roles.join(", ") };
                bail!("the account has no role \"{}\"; it has {roles}", role.as_str());
            }
        }
        self.file.run(&stack, JobKind::UploadUsers, self.role).await
    }
}

fn is(entry: &CatalogEntryView, role: &Name) -> bool {
    entry.id.as_str() == role.as_str() || fold(entry.name.as_str()) == fold(role.as_str())
}
