//! `rollcall check`: what is amiss with a file, or with an account, and nothing is changed.

mod account;
mod file;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use clap::Args;
use rollcall_api_types::JobRequest;
use rollcall_model::account::AccountId;
use rollcall_model::jobs::JobKind;
use rollcall_model::user::Name;
use rollcall_tabular::Encoding;

use crate::args::{AccountArg, OutputFormat};
use crate::client::StackClient;
use crate::stack_selector::StackSelector;
use crate::upload_file::{file_name, read};

/// Options of `rollcall check`.
#[derive(Debug, Args)]
#[command(after_help = "\
With a file: reads it as the job of its kind would, and tells of every row that would fail or that something is to be said of. Nothing is changed; \
the job that looked at it is discarded.

Without a file: looks at the account, and lists users who read alike, users whose addresses can't get mail, and lists with numbers that are not \
the account's.

Exit code 0 says that nothing is amiss, 1 that something is.

Examples:
  rollcall check october.csv --kind append-caller-ids
  rollcall check people.csv --kind upload-users --role agent --encoding windows-1252
  rollcall check --account acme")]
pub struct Check {
    /// CSV file to look at; "-" reads standard input. Without one, the account is looked at
    #[arg(requires = "kind")]
    file: Option<PathBuf>,
    /// What the file is for: append-caller-ids, upload-users, upload-numbers or rotate-caller-ids
    #[arg(long, value_name = "KIND", value_parser = kind, requires = "file")]
    kind: Option<JobKind>,
    /// Role of the users whose rows name none, as an upload takes it
    #[arg(long, value_name = "ROLE", value_parser = Name::parse, requires = "file")]
    role: Option<Name>,
    /// The encoding of a file that isn't UTF-8, such as windows-1252 or cp850; judged by default
    #[arg(long, value_name = "ENCODING", requires = "file")]
    encoding: Option<Encoding>,
    /// Account, `demo` by default; on AWS it is that of the token
    #[arg(long, value_name = "NAME", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "the option may stand without a name")]
    account: Option<Option<AccountId>>,
    /// Users of the account that are looked at, at most: each is a request
    #[arg(long, value_name = "N", default_value_t = 5_000, conflicts_with = "file")]
    limit: usize,
    #[command(flatten)]
    form: OutputFormat,
}

impl Check {
    /// Looks, and tells.
    ///
    /// # Errors
    /// If the file can't be read, or the stack can't be asked.
    pub async fn run(self, place: &StackSelector) -> Result<ExitCode> {
        let stack = StackClient::open(place, &AccountArg { account: self.account.flatten() }).await?;
        let clean = match (self.file, self.kind) {
            (Some(file), Some(kind)) => {
                let bytes = read(&file)?;
                let named = JobRequest::new(kind, file_name(&file)?, bytes.len());
                let request = JobRequest { role: self.role, preview: true, encoding: self.encoding, ..named };
                file::check(&stack, &request, bytes, self.form).await?
            }
            _ => account::check(&stack, self.limit, self.form).await?,
        };
        Ok(if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A kind of job that is asked for by a file.
fn kind(text: &str) -> Result<JobKind> {
    const OF_FILES: [JobKind; 5] = [
        JobKind::AppendCallerIds,
        JobKind::UploadUsers,
        JobKind::UploadNumbers,
        JobKind::RotateCallerIds,
        JobKind::PhoneSnapshot,
    ];
    let mut known = OF_FILES.into_iter();
    known.find(|kind| kind.as_str() == text).ok_or_else(|| {
        anyhow!(
            "files that can be checked are those of the kinds append-caller-ids, upload-users, upload-numbers, rotate-caller-ids and phone-snapshot"
        )
    })
}
